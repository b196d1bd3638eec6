package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_adaptive_avg_pool2d
// #cgo noescape torch_avg_pool2d
// #cgo noescape torch_max_pool2d
// #cgo nocallback torch_adaptive_avg_pool2d
// #cgo nocallback torch_avg_pool2d
// #cgo nocallback torch_max_pool2d
import "C"

import "cmp"

// Pool2dOptions are the sizes of a pooling in rows and columns alike; Stride 0
// is the kernel's size, as in PyTorch.
type Pool2dOptions struct {
	Kernel, Stride, Padding int
	ExcludePad              bool // average: divide by the pixels inside the image alone (count_include_pad=False)
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
