package quantise

import (
	"errors"
	"fmt"
	"math"

	"godarts/nas/onnx"
	"godarts/torch"
)

// Methods of Calibrate.
const (
	MinMax     = "min-max"    // from the least to the largest element
	Percentile = "percentile" // without the outermost 0.005 % on each side
	MSE        = "mse"        // the range that loses least to rounding and clamping together, in squares
)

const (
	bins = 2048          // of the elements of a group
	tail = 0.5 * 0.01e-2 // of the elements that Percentile leaves out on each side
)

// Batches passes batches of normalised images [N,C,H,W] to use, the same ones at each call.
type Batches func(use func(x torch.Tensor)) error

// Calibrate chooses the scales of all groups by what passes of images in floating-point numbers give.
func (n *Network) Calibrate(method string, images Batches) error {
	ranges := make([]span, n.graph.Groups)
	seen := 0
	observed := func(with func(v onnx.Value, t torch.Tensor)) error {
		return images(func(x torch.Tensor) {
			seen += x.Size(0)
			torch.NoGrad(func() {
				torch.Scoped(func() { n.pass(x, nil, with) })
			})
		})
	}
	err := observed(func(v onnx.Value, t torch.Tensor) {
		torch.Scoped(func() { ranges[v.Group].add(t.Amin(nil, false).Item(), t.Amax(nil, false).Item()) })
	})
	switch {
	case err != nil:
		return err
	case seen == 0:
		return errors.New("quantise: there are no images to calibrate on")
	}
	for _, v := range n.graph.Values {
		if r := ranges[v.Group]; math.IsNaN(r.high-r.low) || math.IsInf(r.high-r.low, 0) {
			return fmt.Errorf("quantise: the results of %s reach from %v to %v: a network with numbers that are not finite has no integers", v.Name, r.low, r.high)
		}
	}
	if method != MinMax {
		counts := make([][]float64, len(ranges))
		err := observed(func(v onnx.Value, t torch.Tensor) {
			r := ranges[v.Group]
			if r.low == r.high {
				return
			}
			torch.Scoped(func() {
				found := torch.Call("aten::histc", t, bins, r.low, r.high)[0].Float64s()
				if counts[v.Group] == nil {
					counts[v.Group] = make([]float64, bins)
				}
				for i, c := range found {
					counts[v.Group][i] += c
				}
			})
		})
		if err != nil {
			return err
		}
		narrow := map[string]func(span, []float64) span{Percentile: span.percentile, MSE: span.leastSquares}[method]
		for i, c := range counts {
			if c != nil {
				ranges[i] = narrow(ranges[i], c)
			}
		}
	}
	scales := make([]onnx.Scale, len(ranges))
	for i, r := range ranges {
		scales[i] = onnx.ScaleOf(r.low, r.high)
	}
	n.setScales(scales)
	return nil
}

// span is a range of numbers around 0.
type span struct{ low, high float64 }

// add extends s. NaN stays.
func (s *span) add(low, high float64) { s.low, s.high = math.Min(s.low, low), math.Max(s.high, high) }

// centre returns the middle of bin i.
func (s span) centre(i int) float64 { return s.low + (float64(i)+0.5)*(s.high-s.low)/bins }

// percentile returns s without the outermost tails of the counts by bin.
func (s span) percentile(counts []float64) span {
	all := 0.
	for _, c := range counts {
		all += c
	}
	first, last := 0, bins-1
	for left := tail*all - counts[0]; left >= 0 && first < last; first++ {
		left -= counts[first+1]
	}
	for left := tail*all - counts[last]; left >= 0 && last > first; last-- {
		left -= counts[last-1]
	}
	width := (s.high - s.low) / bins
	return span{min(s.low+float64(first)*width, 0), max(s.low+float64(last+1)*width, 0)}
}

// leastSquares returns the part of s in which integers differ least from the counted numbers.
func (s span) leastSquares(counts []float64) span {
	const steps = 40
	best, least := s, math.Inf(1)
	for i := range steps {
		part := 1 - float64(i)/steps
		r := span{part * s.low, part * s.high}
		q := onnx.ScaleOf(r.low, r.high)
		sum := 0.
		for k, c := range counts {
			if c == 0 {
				continue
			}
			x := s.centre(k)
			rounded := math.RoundToEven(x/float64(q.Scale)) + float64(q.Zero)
			d := x - float64(q.Scale)*(min(max(rounded, 0), math.MaxUint8)-float64(q.Zero))
			sum += c * d * d
		}
		if sum < least {
			best, least = r, sum
		}
	}
	return best
}
