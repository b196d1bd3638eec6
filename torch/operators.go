package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_along
// #cgo noescape torch_binary
// #cgo noescape torch_layout
// #cgo noescape torch_operator
// #cgo noescape torch_reduce
// #cgo noescape torch_scalar
// #cgo noescape torch_scaled
// #cgo noescape torch_unary
// #cgo nocallback torch_along
// #cgo nocallback torch_binary
// #cgo nocallback torch_layout
// #cgo nocallback torch_operator
// #cgo nocallback torch_reduce
// #cgo nocallback torch_scalar
// #cgo nocallback torch_scaled
// #cgo nocallback torch_unary
import "C"

// The operators in classes: a class has one function of the shim, which takes the operator as a
// constant that internal/shim/operators.h lists. A name that ends in _ is for operators in place.

// unary is f(t).
func (t Tensor) unary(op C.int) (r Tensor) {
	if e := C.torch_unary(op, t.h, &r.h); e != nil {
		raise(op, e, t)
	}
	return r
}

func (t Tensor) unary_(op C.int) Tensor {
	if e := C.torch_unary(op, t.h, nil); e != nil {
		raise(op, e, t)
	}
	return t
}

// binary is f(t, u).
func (t Tensor) binary(op C.int, u Tensor) (r Tensor) {
	if e := C.torch_binary(op, t.h, u.h, &r.h); e != nil {
		raise(op, e, t, u)
	}
	return r
}

func (t Tensor) binary_(op C.int, u Tensor) Tensor {
	if e := C.torch_binary(op, t.h, u.h, nil); e != nil {
		raise(op, e, t, u)
	}
	return t
}

// scaled is f(t, u, v).
func (t Tensor) scaled(op C.int, u Tensor, v float64) (r Tensor) {
	if e := C.torch_scaled(op, t.h, u.h, C.double(v), &r.h); e != nil {
		raise(op, e, t, u)
	}
	return r
}

func (t Tensor) scaled_(op C.int, u Tensor, v float64) Tensor {
	if e := C.torch_scaled(op, t.h, u.h, C.double(v), nil); e != nil {
		raise(op, e, t, u)
	}
	return t
}

// scalar is f(t, v), of the classes scalar and compare.
func (t Tensor) scalar(op C.int, v float64) (r Tensor) {
	if e := C.torch_scalar(op, t.h, C.double(v), &r.h); e != nil {
		raise(op, e, t)
	}
	return r
}

func (t Tensor) scalar_(op C.int, v float64) Tensor {
	if e := C.torch_scalar(op, t.h, C.double(v), nil); e != nil {
		raise(op, e, t)
	}
	return t
}

// along is f(t, dim).
func (t Tensor) along(op C.int, dim int) (r Tensor) {
	if e := C.torch_along(op, t.h, C.int64_t(dim), &r.h); e != nil {
		raise(op, e, t)
	}
	return r
}

// reduce is f(t, dims, keepdim), over all dimensions if dims is empty.
func (t Tensor) reduce(op C.int, dims []int, keepdim bool) (r Tensor) {
	if e := C.torch_reduce(op, t.h, int64s(dims), C.int64_t(len(dims)), flag(keepdim), &r.h); e != nil {
		raise(op, e, t)
	}
	return r
}

// layout is f(t, sizes), where sizes may be dimensions or repetitions too.
func (t Tensor) layout(op C.int, sizes []int) (r Tensor) {
	if e := C.torch_layout(op, t.h, int64s(sizes), C.int64_t(len(sizes)), &r.h); e != nil {
		raise(op, e, t)
	}
	return r
}

// raise is throw with the name of the operator op.
func raise(op C.int, message *C.char, ts ...Tensor) {
	throw(C.GoString(C.torch_operator(op)), message, ts...)
}
