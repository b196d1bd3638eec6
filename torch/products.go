package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_gram
// #cgo noescape torch_sum_products
// #cgo nocallback torch_gram
// #cgo nocallback torch_sum_products
import "C"

// SumProducts writes Σ_i xs[i]·ws[i] to out, or adds it to what is there.
//
//	xs[i] [M,K_i]   ws[i] [K_i,N]   out [M,N]
//
// In float32 on a CPU with AVX-512, where rows of all are contiguous, it is fast for few columns
// and goes once over out; else it is Addmm_ for each i. It takes no part in autograd.
func SumProducts(out Tensor, add bool, xs, ws []Tensor) {
	if len(xs) != len(ws) {
		Misuse("sum_products", "%d xs and %d ws, wanted as many", len(xs), len(ws))
	}
	if e := C.torch_sum_products(out.h, flag(add), handles(xs), handles(ws), C.int64_t(len(xs))); e != nil {
		throw("sum_products", e, append(append([]Tensor{out}, xs...), ws...)...)
	}
}

// Gram writes aᵀ·b to out, or adds it to what is there: if a and b are the same tensor,
// their Gram matrix.
//
//	a [M,A]   b [M,B]   out [A,B]
//
// In float32 on a CPU with AVX-512, where rows of all are contiguous and have 16 columns at
// least, it is fast for many rows; else it is Addmm_. It takes no part in autograd.
func Gram(out Tensor, add bool, a, b Tensor) {
	if e := C.torch_gram(out.h, flag(add), a.h, b.h); e != nil {
		throw("gram", e, out, a, b)
	}
}
