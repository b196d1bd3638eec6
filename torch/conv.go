package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_conv2d
// #cgo noescape torch_dilated_depthwise
// #cgo noescape torch_linear
// #cgo nocallback torch_conv2d
// #cgo nocallback torch_dilated_depthwise
// #cgo nocallback torch_linear
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

// DilatedDepthwise is the depthwise Conv2d of dilation 2, stride 1 and the padding that
// keeps the size, k−1.
//
//	x [N,C,H,W]   weight [C,1,k,k], k odd
//	result [N,C,H,W]
//
// On CPUs its gradients take a tenth of the time of Conv2d's: that of x is the convolution
// by the weight turned round, that of the weight an undilated one over the four images of
// equal parity of row and column, where H and W are even.
func DilatedDepthwise(x, weight Tensor) Tensor {
	var r Tensor
	if e := C.torch_dilated_depthwise(x.h, weight.h, &r.h); e != nil {
		throw("dilated_depthwise", e, x, weight)
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
