package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_folded
// #cgo nocallback torch_folded
import "C"

import "cmp"

// FoldedMatrix returns what [Folded] multiplies pixels by, [C+1, O rounded up to a multiple of 16]: the weight
// [O,C,1,1] of a 1x1 convolution times scale [O], transposed, and below it shift [O]; the rest is 0.
func FoldedMatrix(weight, scale, shift Tensor) Tensor {
	shape := weight.shapeFor("folded_matrix")
	if len(shape) != 4 || shape[2] != 1 || shape[3] != 1 {
		misfit("folded_matrix", []Tensor{weight}, "wanted a weight [O,C,1,1]")
	}
	outs, c := shape[0], shape[1]
	var m Tensor
	Scoped(func() {
		m = Keep(Zeros([]int{c + 1, (outs + 15) / 16 * 16}, weight.Options()))
		own := m.Narrow(1, 0, outs)
		own.Narrow(0, 0, c).Copy_(weight.Mul(scale.View(-1, 1, 1, 1)).View(outs, c).T())
		own.Select(0, c).Copy_(shift)
	})
	return m
}

// FoldedWeights are those of a Folded.
type FoldedWeights struct {
	Depthwise Tensor // [C,1,k,k], k odd, or the zero Tensor for none
	Matrix    Tensor // FoldedMatrix
	Outs      int    // channels of the result, O
}

// FoldedOptions are the options of a Folded; zero fields mean stride 1, dilation 1, no ReLU, nothing to add.
type FoldedOptions struct {
	DepthwiseOptions        // of the depthwise convolution; ReLU also without one
	Add              Tensor // as the result, or the zero Tensor
	Out              Tensor // as the result: where it goes instead of to a new tensor. It may be Add
}

// Folded is a stage of a separable convolution in evaluation, with its batch norm folded in: the depthwise convolution
// of x, the 1x1 convolution of its result, a shift and a sum.
//
//	Conv2d(Depthwise(x), scale·weight) + shift + Add
//	x [N,C,H,W]   result [N,O,H',W'],  H' = (H − 1)/Stride + 1
//
// It takes no part in autograd. On CPUs, in float32 and float64, where C is a multiple of 4 and Depthwise has loops of
// its own, a few rows go through all of it while they lie in the caches. Each number of the result is the same in
// every layout, and beside every other image. Images may be a part of the channels of others that lie channels last. A
// new result lies so.
func Folded(x Tensor, w FoldedWeights, o FoldedOptions) Tensor {
	r := o.Out
	if e := C.torch_folded(x.h, w.Depthwise.h, w.Matrix.h, C.int64_t(w.Outs), C.int64_t(cmp.Or(o.Stride, 1)), C.int64_t(cmp.Or(o.Dilation, 1)),
		flag(o.ReLU), o.Add.h, o.Out.h, &r.h); e != nil {
		throw("folded", e, x, w.Depthwise, w.Matrix, o.Add, o.Out)
	}
	return r
}
