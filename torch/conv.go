package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_adaptive_avg_pool2d
// #cgo noescape torch_avg_pool2d
// #cgo noescape torch_conv2d
// #cgo noescape torch_conv2d_backward
// #cgo noescape torch_linear
// #cgo noescape torch_max_pool2d
// #cgo noescape torch_max_pool2d_backward
// #cgo noescape torch_max_pool2d_indices
// #cgo nocallback torch_adaptive_avg_pool2d
// #cgo nocallback torch_avg_pool2d
// #cgo nocallback torch_conv2d
// #cgo nocallback torch_conv2d_backward
// #cgo nocallback torch_linear
// #cgo nocallback torch_max_pool2d
// #cgo nocallback torch_max_pool2d_backward
// #cgo nocallback torch_max_pool2d_indices
import "C"

import (
	"cmp"
	"math"
)

// Conv2dOptions are the sizes of a convolution in rows and columns alike; zero
// fields mean stride 1, no padding, dilation 1, one group.
type Conv2dOptions struct {
	Stride, Padding, Dilation, Groups int
	StrideHW, PaddingHW               [2]int // where rows and columns differ: not zero, they count instead
}

// hw gives stride and padding in rows and columns.
func (o Conv2dOptions) hw() (stride, padding [2]int) {
	stride, padding = o.StrideHW, o.PaddingHW
	if stride == [2]int{} {
		stride = [2]int{cmp.Or(o.Stride, 1), cmp.Or(o.Stride, 1)}
	}
	if padding == [2]int{} {
		padding = [2]int{o.Padding, o.Padding}
	}
	return stride, padding
}

// Size is that of the result, H' and W', for images of height by width.
func (o Conv2dOptions) Size(height, width int, kernel [2]int) (int, int) {
	stride, padding := o.hw()
	dilation := cmp.Or(o.Dilation, 1)
	return windows(height, kernel[0], stride[0], padding[0], dilation), windows(width, kernel[1], stride[1], padding[1], dilation)
}

// windows is the number of places that a kernel has along a side.
func windows(side, kernel, stride, padding, dilation int) int {
	if stride == 0 {
		Misuse("size", "a stride of 0")
	}
	return (side+2*padding-dilation*(kernel-1)-1)/stride + 1
}

// Conv2d correlates x with weight over the last two dimensions.
//
//	x [N,C,H,W]   weight [O,C/Groups,kH,kW]   bias [O], or the zero Tensor for none
//	result [N,O,H',W'],  H' = (H + 2·Padding − Dilation·(kH−1) − 1)/Stride + 1
//
// It panics with *Error if shapes, dtypes or devices disagree. As
// torch.nn.functional.conv2d.
func Conv2d(x, weight, bias Tensor, o Conv2dOptions) Tensor {
	stride, padding := o.hw()
	dilation := [2]int{cmp.Or(o.Dilation, 1), cmp.Or(o.Dilation, 1)}
	groups := cmp.Or(o.Groups, 1)
	for _, size := range [...]int{stride[0], stride[1], padding[0], padding[1], dilation[0], groups} {
		if size > math.MaxInt32 { // their products would overflow inside libtorch, unnoticed
			misfit("conv2d", []Tensor{x, weight, bias}, "%d is too large for a stride, padding, dilation or groups", size)
		}
	}
	var r Tensor
	if e := C.torch_conv2d(x.h, weight.h, bias.h, int64s(stride[:]), int64s(padding[:]), int64s(dilation[:]),
		C.int64_t(groups), &r.h); e != nil {
		throw("conv2d", e, x, weight, bias)
	}
	return r
}

// Linear is x·weightᵀ + bias.
//
//	x [...,in]   weight [out,in]   bias [out], or the zero Tensor for none
//	result [...,out]
func Linear(x, weight, bias Tensor) Tensor {
	var r Tensor
	if e := C.torch_linear(x.h, weight.h, bias.h, &r.h); e != nil {
		throw("linear", e, x, weight, bias)
	}
	return r
}

// Conv2dBackward gives the gradients of y = Conv2d(x, weight, none, o) from g,
// that of y: of x and of weight, each if needed, else the zero Tensor. As
// aten::convolution_backward.
//
// If only that of x is needed, only the shape and the layout of x count. It takes no part in
// autograd.
func Conv2dBackward(g, x, weight Tensor, o Conv2dOptions, needX, needWeight bool) (dx, dWeight Tensor) {
	stride, padding := o.hw()
	dilation := [2]int{cmp.Or(o.Dilation, 1), cmp.Or(o.Dilation, 1)}
	if e := C.torch_conv2d_backward(g.h, x.h, weight.h, int64s(stride[:]), int64s(padding[:]), int64s(dilation[:]),
		C.int64_t(cmp.Or(o.Groups, 1)), flag(needX), flag(needWeight), &dx.h, &dWeight.h); e != nil {
		throw("convolution_backward", e, g, x, weight)
	}
	return dx, dWeight
}

// Pool2dOptions are the sizes of a pooling in rows and columns alike; Stride 0
// is the kernel's size, as in PyTorch.
type Pool2dOptions struct {
	Kernel, Stride, Padding int
	ExcludePad              bool // average: divide by only the pixels inside the image (count_include_pad=False)
}

func (o Pool2dOptions) stride() C.int64_t {
	if o.Stride == 0 {
		return C.int64_t(o.Kernel)
	}
	return C.int64_t(o.Stride)
}

// Size is that of the result, H' and W', for images of height by width.
func (o Pool2dOptions) Size(height, width int) (int, int) {
	stride := cmp.Or(o.Stride, o.Kernel)
	return windows(height, o.Kernel, stride, o.Padding, 1), windows(width, o.Kernel, stride, o.Padding, 1)
}

// MaxPool2d takes the largest element of each window.
//
//	x [N,C,H,W]   result [N,C,H',W'],  H' = (H + 2·Padding − Kernel)/Stride + 1
//
// Of windows of 3x3 with a margin of one pixel and a stride of 1 or 2, on a CPU and channels last, its graph keeps a byte
// for each, and not x.
func MaxPool2d(x Tensor, o Pool2dOptions) Tensor {
	var r Tensor
	if e := C.torch_max_pool2d(x.h, C.int64_t(o.Kernel), o.stride(), C.int64_t(o.Padding), &r.h); e != nil {
		throw("max_pool2d", e, x)
	}
	return r
}

// AvgPool2d takes the mean of each window; shapes as MaxPool2d.
func AvgPool2d(x Tensor, o Pool2dOptions) Tensor {
	var r Tensor
	if e := C.torch_avg_pool2d(x.h, C.int64_t(o.Kernel), o.stride(), C.int64_t(o.Padding),
		flag(!o.ExcludePad), &r.h); e != nil {
		throw("avg_pool2d", e, x)
	}
	return r
}

// AdaptiveAvgPool2d takes means over windows so that the result is [N,C,h,w].
func AdaptiveAvgPool2d(x Tensor, h, w int) Tensor {
	var r Tensor
	if e := C.torch_adaptive_avg_pool2d(x.h, C.int64_t(h), C.int64_t(w), &r.h); e != nil {
		throw("adaptive_avg_pool2d", e, x)
	}
	return r
}

// Maxima are the places of the largest elements of windows, which MaxPool2dIndices
// finds. libtorch writes to them without a look at where they lie, so nobody can make or
// change them.
type Maxima struct {
	indices       Tensor // [N,C,H',W'], into the plane of an image, or as bytes into the window
	height, width int    // of the images
}

// MaxPool2dIndices is MaxPool2d with the place of each window's largest element,
// for MaxPool2dBackward. It takes no part in autograd. As aten::max_pool2d_with_indices. Of
// windows of 3x3 with a margin of one pixel, on a CPU and channels last, a place is one byte.
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
// another size. It takes no part in autograd.
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
