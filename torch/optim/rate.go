package optim

import "godarts/torch"

// Rate is a number that a method multiplies by, such as a learning rate, as a tensor beside the parameters. Work that a
// graph has captured reads the number that Set gave last.
type Rate struct {
	value  float64
	tensor torch.Tensor
}

// NewRate makes a rate on the device of owner, whose scope it belongs to.
func NewRate(v float64, owner torch.Tensor) *Rate {
	r := &Rate{value: v}
	r.tensor = torch.KeepWith(torch.Scalar(v, torch.Options{Dtype: torch.Float64, Device: owner.Device()}), owner)
	return r
}

// newRate is NewRate for the first of parameters, in the present scope.
func newRate(v float64, parameters []torch.Tensor) Rate {
	return Rate{value: v, tensor: torch.Scalar(v, float64s(parameters))}
}

// float64s are the options of a number beside the parameters.
func float64s(parameters []torch.Tensor) torch.Options {
	o := torch.Options{Dtype: torch.Float64}
	if len(parameters) > 0 {
		o.Device = parameters[0].Device()
	}
	return o
}

// Set changes the number. In work that is captured it must not: it panics with *torch.Error if it would within
// torch.NoReads.
func (r *Rate) Set(v float64) {
	if v == r.value {
		return
	}
	if torch.InNoReads() {
		misuse("Rate", "set from %g to %g within NoReads", r.value, v)
	}
	torch.NoGrad(func() { r.tensor.Fill_(v) })
	r.value = v
}

// Value is the number.
func (r *Rate) Value() float64 { return r.value }

// Tensor is the number, a float64 without dimensions, which Set overwrites.
func (r *Rate) Tensor() torch.Tensor { return r.tensor }

// Beside is a copy of the number with t's type and device, in the present scope.
func (r *Rate) Beside(t torch.Tensor) torch.Tensor { return r.tensor.To(t.Options()) }
