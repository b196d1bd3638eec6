package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_as_strided
// #cgo noescape torch_cat
// #cgo noescape torch_gather
// #cgo noescape torch_index_add_
// #cgo noescape torch_index_select
// #cgo noescape torch_narrow
// #cgo noescape torch_scatter_
// #cgo noescape torch_select
// #cgo noescape torch_slice
// #cgo noescape torch_split
// #cgo noescape torch_stack
// #cgo noescape torch_transpose
// #cgo noescape torch_where
// #cgo nocallback torch_as_strided
// #cgo nocallback torch_cat
// #cgo nocallback torch_gather
// #cgo nocallback torch_index_add_
// #cgo nocallback torch_index_select
// #cgo nocallback torch_narrow
// #cgo nocallback torch_scatter_
// #cgo nocallback torch_select
// #cgo nocallback torch_slice
// #cgo nocallback torch_split
// #cgo nocallback torch_stack
// #cgo nocallback torch_transpose
// #cgo nocallback torch_where
import "C"

// View looks at the same elements in another shape; one size may be -1. It panics
// with *Error if that needs a copy.
func (t Tensor) View(shape ...int) Tensor { return t.layout(C.TORCH_layout_view, shape) }

// Reshape is View, or a copy where a view cannot be.
func (t Tensor) Reshape(shape ...int) Tensor { return t.layout(C.TORCH_layout_reshape, shape) }

// Flatten is Reshape(-1).
func (t Tensor) Flatten() Tensor { return t.Reshape(-1) }

// ViewAs is View with the shape of other.
func (t Tensor) ViewAs(other Tensor) Tensor { return t.View(other.Shape()...) }

// Permute is a view with the dimensions in that order.
func (t Tensor) Permute(dims ...int) Tensor { return t.layout(C.TORCH_layout_permute, dims) }

// Transpose is a view with dimensions a and b exchanged.
func (t Tensor) Transpose(a, b int) Tensor {
	var r Tensor
	if e := C.torch_transpose(t.h, C.int64_t(a), C.int64_t(b), &r.h); e != nil {
		throw("transpose", e, t)
	}
	return r
}

// T is Transpose(0, 1), of a matrix.
func (t Tensor) T() Tensor { return t.Transpose(0, 1) }

// Expand is a view that repeats dimensions of size 1 up to shape; -1 keeps a size.
func (t Tensor) Expand(shape ...int) Tensor { return t.layout(C.TORCH_layout_expand, shape) }

// Repeat copies t that many times along each dimension.
func (t Tensor) Repeat(times ...int) Tensor { return t.layout(C.TORCH_layout_repeat, times) }

// Unsqueeze is a view with a new dimension of size 1 at dim.
func (t Tensor) Unsqueeze(dim int) Tensor { return t.along(C.TORCH_along_unsqueeze, dim) }

// Squeeze is a view without dimension dim if its size is 1, else t.
func (t Tensor) Squeeze(dim int) Tensor { return t.along(C.TORCH_along_squeeze, dim) }

// Select is the view at index of dimension dim, which it drops.
func (t Tensor) Select(dim, index int) Tensor {
	var r Tensor
	if e := C.torch_select(t.h, C.int64_t(dim), C.int64_t(index), &r.h); e != nil {
		throw("select", e, t)
	}
	return r
}

// Narrow is the view of length indices of dimension dim from start on.
func (t Tensor) Narrow(dim, start, length int) Tensor {
	var r Tensor
	if e := C.torch_narrow(t.h, C.int64_t(dim), C.int64_t(start), C.int64_t(length), &r.h); e != nil {
		throw("narrow", e, t)
	}
	return r
}

// Slice is the view t[start:end:step] of dimension dim; an end beyond the size is
// the size.
func (t Tensor) Slice(dim, start, end, step int) Tensor {
	var r Tensor
	if e := C.torch_slice(t.h, C.int64_t(dim), C.int64_t(start), C.int64_t(end), C.int64_t(step), &r.h); e != nil {
		throw("slice", e, t)
	}
	return r
}

// AsStrided is a view of t's storage; strides and offset count elements. It
// panics with *Error if it reaches beyond the storage.
func (t Tensor) AsStrided(shape, strides []int, offset int) Tensor {
	if len(shape) != len(strides) {
		Misuse("as_strided", "%d sizes, %d strides", len(shape), len(strides))
	}
	var r Tensor
	if e := C.torch_as_strided(t.h, int64s(shape), int64s(strides), C.int64_t(len(shape)), C.int64_t(offset), &r.h); e != nil {
		throw("as_strided", e, t)
	}
	return r
}

// Cat joins tensors along dimension dim.
func Cat(ts []Tensor, dim int) Tensor {
	var r Tensor
	if e := C.torch_cat(handles(ts), C.int64_t(len(ts)), C.int64_t(dim), &r.h); e != nil {
		throw("cat", e, ts...)
	}
	return r
}

// Stack joins tensors of one shape along a new dimension dim.
func Stack(ts []Tensor, dim int) Tensor {
	var r Tensor
	if e := C.torch_stack(handles(ts), C.int64_t(len(ts)), C.int64_t(dim), &r.h); e != nil {
		throw("stack", e, ts...)
	}
	return r
}

// Split is the views of t of the given sizes along dimension dim; they sum to
// its size.
func (t Tensor) Split(sizes []int, dim int) []Tensor {
	rs := make([]Tensor, len(sizes))
	if e := C.torch_split(t.h, int64s(sizes), C.int64_t(len(sizes)), C.int64_t(dim), handles(rs)); e != nil {
		throw("split", e, t)
	}
	return rs
}

// Chunk is n views of t of equal size along dimension dim. It panics with *Error
// if n does not divide the size.
func (t Tensor) Chunk(n, dim int) []Tensor {
	size := t.Size(dim)
	if n < 1 || n > max(size, 1) || size%n != 0 {
		Misuse("chunk", "size %d of dimension %d is not a multiple of %d", size, dim, n)
	}
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size / n
	}
	return t.Split(sizes, dim)
}

// IndexSelect copies the entries of dimension dim that index [n] int64 names.
func (t Tensor) IndexSelect(dim int, index Tensor) Tensor {
	var r Tensor
	if e := C.torch_index_select(t.h, C.int64_t(dim), index.h, &r.h); e != nil {
		throw("index_select", e, t, index)
	}
	return r
}

// Gather is r[i][j] = t[index[i][j]][j] for dim 0, and so on. As torch.gather.
func (t Tensor) Gather(dim int, index Tensor) Tensor {
	var r Tensor
	if e := C.torch_gather(t.h, C.int64_t(dim), index.h, &r.h); e != nil {
		throw("gather", e, t, index)
	}
	return r
}

// Scatter_ writes src to the places along dim that index names: the inverse of Gather.
func (t Tensor) Scatter_(dim int, index, src Tensor) Tensor {
	if e := C.torch_scatter_(t.h, C.int64_t(dim), index.h, src.h); e != nil {
		throw("scatter_", e, t, index, src)
	}
	return t
}

// IndexAdd_ adds the entries of src to those of dimension dim that index [n] names.
func (t Tensor) IndexAdd_(dim int, index, src Tensor) Tensor {
	if e := C.torch_index_add_(t.h, C.int64_t(dim), index.h, src.h); e != nil {
		throw("index_add_", e, t, index, src)
	}
	return t
}

// MaskedFill is t with v where mask is true.
func (t Tensor) MaskedFill(mask Tensor, v float64) Tensor {
	return t.scaled(C.TORCH_scaled_masked_fill, mask, v)
}

// Where is a where condition is true, else b.
func Where(condition, a, b Tensor) Tensor {
	var r Tensor
	if e := C.torch_where(condition.h, a.h, b.h, &r.h); e != nil {
		throw("where", e, condition, a, b)
	}
	return r
}
