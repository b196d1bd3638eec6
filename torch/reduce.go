package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_amax
// #cgo noescape torch_amin
// #cgo noescape torch_argmax
// #cgo noescape torch_cumsum
// #cgo noescape torch_mean
// #cgo noescape torch_norm
// #cgo noescape torch_sum
// #cgo noescape torch_topk
// #cgo noescape torch_var
// #cgo nocallback torch_amax
// #cgo nocallback torch_amin
// #cgo nocallback torch_argmax
// #cgo nocallback torch_cumsum
// #cgo nocallback torch_mean
// #cgo nocallback torch_norm
// #cgo nocallback torch_sum
// #cgo nocallback torch_topk
// #cgo nocallback torch_var
import "C"

// Sum is the sum of all elements, a tensor without dimensions.
func (t Tensor) Sum() Tensor { return t.SumDims(nil, false) }

// SumDims is the sum over those dimensions, all if there are none; keepdim leaves
// them with size 1.
func (t Tensor) SumDims(dims []int, keepdim bool) Tensor {
	var r Tensor
	if e := C.torch_sum(t.h, int64s(dims), C.int64_t(len(dims)), flag(keepdim), &r.h); e != nil {
		throw("sum", e, t)
	}
	return r
}

// Mean is the mean of all elements, a tensor without dimensions.
func (t Tensor) Mean() Tensor { return t.MeanDims(nil, false) }

// MeanDims is the mean over those dimensions, all if there are none; keepdim leaves
// them with size 1.
func (t Tensor) MeanDims(dims []int, keepdim bool) Tensor {
	var r Tensor
	if e := C.torch_mean(t.h, int64s(dims), C.int64_t(len(dims)), flag(keepdim), &r.h); e != nil {
		throw("mean", e, t)
	}
	return r
}

// VarDims is the variance over those dimensions, all if there are none; unbiased
// divides by n−1.
func (t Tensor) VarDims(dims []int, unbiased, keepdim bool) Tensor {
	var r Tensor
	if e := C.torch_var(t.h, int64s(dims), C.int64_t(len(dims)), flag(unbiased), flag(keepdim), &r.h); e != nil {
		throw("var", e, t)
	}
	return r
}

// Amax is the largest element over those dimensions, all if there are none.
func (t Tensor) Amax(dims []int, keepdim bool) Tensor {
	var r Tensor
	if e := C.torch_amax(t.h, int64s(dims), C.int64_t(len(dims)), flag(keepdim), &r.h); e != nil {
		throw("amax", e, t)
	}
	return r
}

// Amin is the smallest element over those dimensions, all if there are none.
func (t Tensor) Amin(dims []int, keepdim bool) Tensor {
	var r Tensor
	if e := C.torch_amin(t.h, int64s(dims), C.int64_t(len(dims)), flag(keepdim), &r.h); e != nil {
		throw("amin", e, t)
	}
	return r
}

// Argmax is the int64 index of the largest element along dim.
func (t Tensor) Argmax(dim int, keepdim bool) Tensor {
	var r Tensor
	if e := C.torch_argmax(t.h, C.int64_t(dim), flag(keepdim), &r.h); e != nil {
		throw("argmax", e, t)
	}
	return r
}

// Topk is the k largest elements along dim, in descending order, and their int64
// indices.
func (t Tensor) Topk(k, dim int) (values, indices Tensor) {
	if e := C.torch_topk(t.h, C.int64_t(k), C.int64_t(dim), &values.h, &indices.h); e != nil {
		throw("topk", e, t)
	}
	return values, indices
}

// Cumsum is the running sum along dim.
func (t Tensor) Cumsum(dim int) Tensor {
	var r Tensor
	if e := C.torch_cumsum(t.h, C.int64_t(dim), &r.h); e != nil {
		throw("cumsum", e, t)
	}
	return r
}

// Norm is the Euclidean norm of all elements.
func (t Tensor) Norm() Tensor {
	var r Tensor
	if e := C.torch_norm(t.h, &r.h); e != nil {
		throw("norm", e, t)
	}
	return r
}
