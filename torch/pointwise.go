package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_pointwise
// #cgo noescape torch_pointwise_norm
// #cgo nocallback torch_pointwise
// #cgo nocallback torch_pointwise_norm
import "C"

// Pointwise is the 1x1 convolution of images by weight, with relu max(·, 0) of it.
//
//	x [N,C,H,W]   weight [O,C,1,1]   bias [O]
//	result [N,O,H,W], channels last
//
// On CPUs with AVX-512, without a graph and in types of float, where C and O are multiples
// of 4, it is one pass over memory and packs no operand as a matrix product does; else it
// is Linear over the pixels.
func Pointwise(x, weight, bias Tensor, relu bool) Tensor {
	var r Tensor
	if e := C.torch_pointwise(x.h, weight.h, bias.h, flag(relu), &r.h); e != nil {
		throw("pointwise", e, x, weight, bias)
	}
	return r
}

// PointwiseNormOptions say what follows the batch norm.
type PointwiseNormOptions struct {
	ReLU    bool
	Factors Tensor // [N], of images, without gradient; none if zero
}

// PointwiseNorm is the 1x1 convolution of images by weight with a BatchNorm of training
// behind it, PyTorch's momentum 0.1 and [BatchNormEps]:
//
//	BatchNorm(Conv2d(x, weight), scale, shift)·Factors, of max(·, 0) with ReLU
//	x [N,C,H,W]   weight [O,C,1,1]   scale, shift [O]   runningMean, runningVar [O] or none
//	result [N,O,H,W], channels last
//
// On CPUs with AVX-512, in types of float, where C and O are multiples of 4, it goes twice
// over memory forward and twice backward; else, and for gradients of gradients, it is the
// operators one after the other. It panics with *Error if a channel has one value.
func PointwiseNorm(x, weight, scale, shift, runningMean, runningVar Tensor, o PointwiseNormOptions) Tensor {
	if shape := x.shapeFor("pointwise_norm"); len(shape) > 1 && x.Numel() == shape[1] {
		misfit("pointwise_norm", []Tensor{x, weight, scale, shift}, "training needs more than one value per channel")
	}
	var r Tensor
	if e := C.torch_pointwise_norm(x.h, weight.h, scale.h, shift.h, runningMean.h, runningVar.h, o.Factors.h,
		flag(o.ReLU), 0.1, BatchNormEps, &r.h); e != nil {
		throw("pointwise_norm", e, x, weight, scale, shift, runningMean, runningVar, o.Factors)
	}
	return r
}
