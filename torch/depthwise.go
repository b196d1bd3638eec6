package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_depthwise
// #cgo noescape torch_depthwise_backward
// #cgo noescape torch_relu_sum
// #cgo nocallback torch_depthwise
// #cgo nocallback torch_depthwise_backward
// #cgo nocallback torch_relu_sum
import "C"

import "cmp"

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
	X      Tensor // as x, the gradient of x·Through if there is one; fastest where it lies channels last
	Add    bool   // to X, in place of overwriting it
	Weight Tensor // as weight

	// dxᵀ·Beside, over pixels, goes to Gram [C,C], and Σ dx to Sums [C], in float64. Both need X; Beside is as x. With Add
	// dx is the sum.
	Beside, Gram, Sums Tensor
}

// DepthwiseBackward writes the gradients of y = Depthwise(x, weight, none, o), from g, that of y. It takes no part in
// autograd.
func DepthwiseBackward(to DepthwiseGradients, g, x, weight Tensor, o DepthwiseOptions) {
	to.backward([]Tensor{g}, nil, x, weight, o)
}

// DepthwiseBackwardProducts is DepthwiseBackward with a g whose pixels are Σ ps[i]·ws[i], which it computes image by
// image: ps[i] [N·H'·W',C_i], ws[i] [C_i,C].
func DepthwiseBackwardProducts(to DepthwiseGradients, ps, ws []Tensor, x, weight Tensor, o DepthwiseOptions) {
	if len(ps) == 0 || len(ps) != len(ws) {
		Misuse("depthwise_backward", "%d matrices of pixels and %d to multiply by, wanted as many, and at least one", len(ps), len(ws))
	}
	to.backward(ps, ws, x, weight, o)
}

func (to DepthwiseGradients) backward(gs, ws []Tensor, x, weight Tensor, o DepthwiseOptions) {
	stride, dilation := o.sizes()
	if e := C.torch_depthwise_backward(handles(gs), handles(ws), C.int64_t(len(ws)), x.h, o.Through.h, weight.h, flag(o.ReLU), stride, dilation,
		to.X.h, to.Weight.h, flag(to.Add), to.Beside.h, to.Gram.h, to.Sums.h); e != nil {
		throw("depthwise_backward", e, append([]Tensor{x, o.Through, weight, to.X, to.Weight, to.Beside, to.Gram, to.Sums}, append(gs, ws...)...)...)
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
