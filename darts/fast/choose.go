package fast

import "godarts/darts"

// Choose makes the supernet for images of that size, in pixels: on GPUs in the wide form, on CPUs in the fast form, or
// in the plain form where there are no formulas for o. It is the one place that decides between them. why is the
// reason where passes run in the plain form, else empty.
func Choose(o darts.Options, height, width int) (net darts.Supernet, why string, err error) {
	if why := missing(o); why != "" {
		plain, err := darts.NewPlain(o)
		if err != nil {
			return nil, "", err
		}
		return plain, why, nil
	}
	if o.Device.GPUForm() {
		wide, err := NewWide(o)
		if err != nil {
			return nil, "", err
		}
		return wide, wide.FallbackReason(height, width), nil
	}
	fast, err := New(o)
	if err != nil {
		return nil, "", err
	}
	return fast, fast.FallbackReason(height, width), nil
}
