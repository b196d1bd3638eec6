package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_separable
// #cgo nocallback torch_separable
import "C"

import "cmp"

// SeparableStage is one of Separable's stages: Depthwise, a 1x1 convolution, and the batch norm of its result by the
// batch's statistics.
type SeparableStage struct {
	ReLU             bool   // of max(x, 0)
	Depthwise        Tensor // [C,1,k,k], or the zero Tensor for no depthwise convolution
	Stride, Dilation int    // of the depthwise convolution; 0 is 1, as without one

	Weight                  Tensor // [O,C,1,1]
	Scale, Shift            Tensor // [O]
	RunningMean, RunningVar Tensor // [O], or the zero Tensor: nothing is noted
}

// Separable is a separable convolution in training: stages one after the other, with PyTorch's momentum 0.1 and
// [BatchNormEps].
//
//	BatchNorm(Conv2d(Depthwise(x), weight), scale, shift), times factors at last
//	x [N,C,H,W]   factors [N] without gradient, or the zero Tensor   result [N,O,H',W'], H' as of Depthwise
//
// On CPUs, in float32 and float64, where all C and O are multiples of 4 and Depthwise has loops of our own, the graph
// keeps x and for each stage the batch norm's input. The backward pass computes what lies between again
// while an image lies in the caches. Else, and for gradients of gradients, it is the operators one after the
// other. It panics with *Error if a channel has one value.
func Separable(x Tensor, stages []SeparableStage, factors Tensor) Tensor {
	weights, inputs := make([]Tensor, 0, 6*len(stages)), []Tensor{x}
	options := make([]int, 0, 3*len(stages))
	for i, s := range stages {
		if !s.Depthwise.Defined() && max(s.Stride, s.Dilation) > 1 {
			Misuse("separable", "stride %d and dilation %d in stage %d, which has no depthwise convolution", s.Stride, s.Dilation, i)
		}
		weights = append(weights, s.Depthwise, s.Weight, s.Scale, s.Shift, s.RunningMean, s.RunningVar)
		inputs = append(inputs, s.Depthwise, s.Weight)
		options = append(options, int(flag(s.ReLU)), cmp.Or(s.Stride, 1), cmp.Or(s.Dilation, 1))
	}
	if len(stages) == 0 {
		Misuse("separable", "no stages")
	}
	var r Tensor
	if e := C.torch_separable(x.h, handles(weights), int64s(options), C.int64_t(len(stages)), factors.h, 0.1, BatchNormEps,
		&r.h); e != nil {
		throw("separable", e, append(inputs, factors)...)
	}
	return r
}
