package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_conv2d_backward
// #cgo noescape torch_max_pool2d_backward
// #cgo noescape torch_max_pool2d_indices
// #cgo noescape torch_mm_out
// #cgo noescape torch_relu_backward_
// #cgo noescape torch_relu_out
// #cgo nocallback torch_conv2d_backward
// #cgo nocallback torch_max_pool2d_backward
// #cgo nocallback torch_max_pool2d_indices
// #cgo nocallback torch_mm_out
// #cgo nocallback torch_relu_backward_
// #cgo nocallback torch_relu_out
import "C"

import "cmp"

// This file holds what a backward pass needs that is written out instead of
// recorded: the gradients of single operators, and results written to a given
// tensor. None of it takes part in autograd.

// MmOut writes a·b to out: Mm without a new tensor.
func MmOut(out, a, b Tensor) {
	if e := C.torch_mm_out(out.h, a.h, b.h); e != nil {
		throw("mm_out", e, out, a, b)
	}
}

// ReLUOut writes max(x, 0) to out.
func ReLUOut(out, x Tensor) {
	if e := C.torch_relu_out(out.h, x.h); e != nil {
		throw("relu_out", e, out, x)
	}
}

// ReLUBackward_ turns t, the gradient of y = max(x, 0), into that of x, in place: it
// is 0 where y is. As aten::threshold_backward.
func (t Tensor) ReLUBackward_(y Tensor) Tensor {
	if e := C.torch_relu_backward_(t.h, y.h); e != nil {
		throw("threshold_backward", e, t, y)
	}
	return t
}

// Conv2dBackward gives the gradients of y = Conv2d(x, weight, none, o) from g,
// that of y: of x and of weight, each if needed, else the zero Tensor. As
// aten::convolution_backward.
//
// If that of x alone is needed, of x only the shape and the layout count.
func Conv2dBackward(g, x, weight Tensor, o Conv2dOptions, needX, needWeight bool) (dx, dWeight Tensor) {
	stride, padding := o.hw()
	dilation := [2]int{cmp.Or(o.Dilation, 1), cmp.Or(o.Dilation, 1)}
	if e := C.torch_conv2d_backward(g.h, x.h, weight.h, int64s(stride[:]), int64s(padding[:]), int64s(dilation[:]),
		C.int64_t(cmp.Or(o.Groups, 1)), flag(needX), flag(needWeight), &dx.h, &dWeight.h); e != nil {
		throw("convolution_backward", e, g, x, weight)
	}
	return dx, dWeight
}

// Maxima are the places of the largest elements of windows, which MaxPool2dIndices
// finds. libtorch writes to them without a look at where they lie, so nobody can make or
// change them.
type Maxima struct {
	indices       Tensor // [N,C,H',W'], into the plane of an image
	height, width int    // of the images
}

// MaxPool2dIndices is MaxPool2d with the place of each window's largest element,
// for MaxPool2dBackward. As aten::max_pool2d_with_indices.
func MaxPool2dIndices(x Tensor, o Pool2dOptions) (y Tensor, at Maxima) {
	if e := C.torch_max_pool2d_indices(x.h, C.int64_t(o.Kernel), o.stride(), C.int64_t(o.Padding), &y.h, &at.indices.h); e != nil {
		throw("max_pool2d", e, x)
	}
	at.height, at.width = x.Size(-2), x.Size(-1)
	return y, at
}

// KeepWith moves the places to the scope of owner, as KeepWith does.
func (m Maxima) KeepWith(owner Tensor) Maxima {
	KeepWith(m.indices, owner)
	return m
}

// Free frees the places before their scope closes. The zero Maxima has none.
func (m Maxima) Free() {
	if m.indices.Defined() {
		m.indices.Free()
	}
}

// MaxPool2dBackward gives the gradient of x from g, that of MaxPool2dIndices(x, o).
// Of x only the shape and the layout count. It panics with *Error if at is of images of
// another size.
func MaxPool2dBackward(g, x Tensor, at Maxima, o Pool2dOptions) Tensor {
	if h, w := x.Size(-2), x.Size(-1); h != at.height || w != at.width {
		Misuse("max_pool2d_backward", "maxima of images of %dx%d, x has %dx%d", at.height, at.width, h, w)
	}
	var r Tensor
	if e := C.torch_max_pool2d_backward(g.h, x.h, C.int64_t(o.Kernel), o.stride(), C.int64_t(o.Padding), at.indices.h, &r.h); e != nil {
		throw("max_pool2d_backward", e, g, x, at.indices)
	}
	return r
}
