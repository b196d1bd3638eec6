package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_depthwise
// #cgo noescape torch_depthwise_backward
// #cgo noescape torch_relu_sum
// #cgo nocallback torch_depthwise
// #cgo nocallback torch_depthwise_backward
// #cgo nocallback torch_relu_sum
import "C"

import (
	"cmp"
	"slices"
)

// DepthwiseOptions are the options of a depthwise convolution; zero fields mean stride 1, dilation 1, no ReLU.
type DepthwiseOptions struct {
	Stride, Dilation int
	ReLU             bool   // of max(x, 0)
	Through          Tensor // [C,C]: of x·Through, pixel by pixel and before the ReLU; the zero Tensor for x itself
}

func (o DepthwiseOptions) sizes() (stride, dilation C.int64_t) {
	return C.int64_t(cmp.Or(o.Stride, 1)), C.int64_t(cmp.Or(o.Dilation, 1))
}

// Depthwise is the Conv2d of each channel by itself, of x or of max(x, 0), with the padding that keeps the size at
// stride 1, Dilation·(k−1)/2.
//
//	x [N,C,H,W]   weight [C,1,k,k], k odd   bias [C], or the zero Tensor for none
//	result [N,C,H',W'],  H' = (H − 1)/Stride + 1
//
// On CPUs, in float32 and float64, with kernels of 3 and 5, strides and dilations up to 2, and channels that are a
// multiple of 4 it is computed by loops of our own, with the ReLU on the way. Its result lies channels last there, and
// its graph keeps x and weight alone. Else it is libtorch's Conv2d.
func Depthwise(x, weight, bias Tensor, o DepthwiseOptions) Tensor {
	return DepthwiseGram(Tensor{}, x, weight, bias, o)
}

// DepthwiseGram is Depthwise, and writes yᵀ·y of the pixels y [N·H'·W',C] of its result to gram [C,C] while they lie in
// the caches. It takes no part in autograd then. Without gram, the zero Tensor, it is Depthwise.
func DepthwiseGram(gram, x, weight, bias Tensor, o DepthwiseOptions) Tensor {
	var r Tensor
	stride, dilation := o.sizes()
	if e := C.torch_depthwise(x.h, o.Through.h, weight.h, bias.h, flag(o.ReLU), stride, dilation, gram.h, &r.h); e != nil {
		throw("depthwise", e, x, o.Through, weight, bias, gram)
	}
	return r
}

// DepthwiseGradients are where DepthwiseBackward writes. Each may be the zero Tensor.
type DepthwiseGradients struct {
	X   Tensor // as x, the gradient of x·Through if there is one; fastest where it lies channels last
	Add bool   // to X, in place of overwriting it

	// dxᵀ·Beside, over pixels, goes to Gram [C,C], and Σ dx to Sums [C], in float64. Both need X; Beside is as x. With Add
	// dx is the sum.
	Beside, Gram, Sums Tensor
}

// DepthwiseWay is one of the convolutions of x that DepthwiseBackward takes back: what has arrived at its result, and
// where the gradient of its weight goes.
type DepthwiseWay struct {
	Weight, DWeight Tensor // [C,1,k,k]; DWeight may be the zero Tensor
	Dilation        int    // zero means that of the options

	// The gradient of the result is G, or without it, of the result's pixels, Σ Pixels[i]·Matrices[i]:
	// [N·H'·W',C_i] times [C_i,C].
	G                Tensor
	Pixels, Matrices []Tensor
}

// DepthwiseBackward writes the gradients of y = Depthwise(x, weight, none, o) of each way, from those that have arrived
// at their results. The gradient of x is the sum over the ways, which it takes an image at a time, while that lies in the
// caches. It takes no part in autograd.
func DepthwiseBackward(to DepthwiseGradients, x Tensor, o DepthwiseOptions, ways ...DepthwiseWay) {
	stride, dilation := o.sizes()
	var gs, matrices, weights, dWeights []Tensor
	var products, dilations []int
	for _, w := range ways {
		if len(w.Pixels) != len(w.Matrices) || (len(w.Pixels) > 0) == w.G.Defined() {
			Misuse("depthwise_backward", "%d matrices of pixels and %d to multiply by, wanted as many, or a gradient in place of them",
				len(w.Pixels), len(w.Matrices))
		}
		if w.G.Defined() {
			gs = append(gs, w.G)
		}
		gs, matrices = append(gs, w.Pixels...), append(matrices, w.Matrices...)
		weights, dWeights = append(weights, w.Weight), append(dWeights, w.DWeight)
		products, dilations = append(products, len(w.Pixels)), append(dilations, cmp.Or(w.Dilation, int(dilation)))
	}
	if e := C.torch_depthwise_backward(handles(gs), handles(matrices), int64s(products), handles(weights), int64s(dilations), handles(dWeights),
		C.int64_t(len(ways)), x.h, o.Through.h, flag(o.ReLU), stride, to.X.h, flag(to.Add), to.Beside.h, to.Gram.h, to.Sums.h); e != nil {
		throw("depthwise_backward", e, append([]Tensor{x, o.Through, to.X, to.Beside, to.Gram, to.Sums}, slices.Concat(weights, dWeights, gs, matrices)...)...)
	}
}

// ReLUSum is Σ_n max(x, 0) of x [n,m], without max(x, 0) itself: [m].
func ReLUSum(x Tensor) Tensor {
	var r Tensor
	if e := C.torch_relu_sum(x.h, &r.h); e != nil {
		throw("relu_sum", e, x)
	}
	return r
}
