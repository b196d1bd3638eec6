package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_addmm_
// #cgo noescape torch_diagonal
// #cgo noescape torch_foreach_copy_
// #cgo noescape torch_gram
// #cgo noescape torch_mm_out
// #cgo noescape torch_scaled_sum
// #cgo noescape torch_sum_products
// #cgo nocallback torch_addmm_
// #cgo nocallback torch_diagonal
// #cgo nocallback torch_foreach_copy_
// #cgo nocallback torch_gram
// #cgo nocallback torch_mm_out
// #cgo nocallback torch_scaled_sum
// #cgo nocallback torch_sum_products
import "C"

// Matmul is the matrix product over the last two dimensions, batches broadcast.
func (t Tensor) Matmul(u Tensor) Tensor { return t.binary(C.TORCH_binary_matmul, u) }

// Mm is the product of matrices [n,m] and [m,p].
func (t Tensor) Mm(u Tensor) Tensor { return t.binary(C.TORCH_binary_mm, u) }

// Bmm is the product of batches [b,n,m] and [b,m,p].
func (t Tensor) Bmm(u Tensor) Tensor { return t.binary(C.TORCH_binary_bmm, u) }

// Dot is the inner product of vectors [n] and [n].
func (t Tensor) Dot(u Tensor) Tensor { return t.binary(C.TORCH_binary_dot, u) }

// Addmm_ is Addmm in place.
func (t Tensor) Addmm_(a, b Tensor, beta, alpha float64) Tensor {
	if e := C.torch_addmm_(t.h, a.h, b.h, C.double(beta), C.double(alpha)); e != nil {
		throw("addmm_", e, t, a, b)
	}
	return t
}

// Diagonal is a view of the diagonal of dimensions dim1 and dim2, as the last
// dimension.
func (t Tensor) Diagonal(offset, dim1, dim2 int) Tensor {
	var r Tensor
	if e := C.torch_diagonal(t.h, C.int64_t(offset), C.int64_t(dim1), C.int64_t(dim2), &r.h); e != nil {
		throw("diagonal", e, t)
	}
	return r
}

// ForeachCopy_ overwrites each ts[i] by srcs[i].
func ForeachCopy_(ts, srcs []Tensor) {
	sameLength("_foreach_copy_", ts, srcs)
	if e := C.torch_foreach_copy_(handles(ts), handles(srcs), C.int64_t(len(ts))); e != nil {
		throw("_foreach_copy_", e)
	}
}

func sameLength(op string, a, b []Tensor) {
	if len(a) != len(b) {
		Misuse(op, "lists of %d and %d tensors", len(a), len(b))
	}
}

// MmOut writes a·b to out: Mm without a new tensor. It takes no part in autograd.
func MmOut(out, a, b Tensor) {
	if e := C.torch_mm_out(out.h, a.h, b.h); e != nil {
		throw("mm_out", e, out, a, b)
	}
}

// SumProducts writes Σ_i xs[i]·ws[i] to out, or adds it to what is there.
//
//	xs[i] [M,K_i]   ws[i] [K_i,N]   out [M,N]
//
// In float32 on a CPU, where rows of all are contiguous, it is fast for few columns and goes once over out; else it is
// Addmm_ for each i. It takes no part in autograd.
func SumProducts(out Tensor, add bool, xs, ws []Tensor) {
	if len(xs) != len(ws) {
		Misuse("sum_products", "%d xs and %d ws, wanted as many", len(xs), len(ws))
	}
	if e := C.torch_sum_products(out.h, flag(add), handles(xs), handles(ws), C.int64_t(len(xs))); e != nil {
		throw("sum_products", e, append(append([]Tensor{out}, xs...), ws...)...)
	}
}

// ScaledSum writes Σ_i ys[i]∘shares[i] to out, or adds it to what is there.
//
//	out [...]   ys[i] as many numbers   shares[i] a number, or a row that repeats along ys[i]
//
// On CPUs, in float32 and float64, where all are contiguous, it goes once over out; else it is Addcmul_ for each i, with
// the same bits. It takes no part in autograd.
func ScaledSum(out Tensor, add bool, ys, shares []Tensor) {
	if len(ys) != len(shares) || len(ys) == 0 {
		Misuse("scaled_sum", "%d ys and %d shares, wanted as many, and at least one", len(ys), len(shares))
	}
	if e := C.torch_scaled_sum(out.h, flag(add), handles(ys), handles(shares), C.int64_t(len(ys))); e != nil {
		throw("scaled_sum", e, append(append([]Tensor{out}, ys...), shares...)...)
	}
}

// Gram writes aᵀ·b of each b to out, or adds it to what is there: if a and b are the same tensor,
// their Gram matrix.
//
//	a [M,A]   bs, n of [M,B]   out [n,A,B], or [A,B] for one
//
// In float32 on a CPU, where rows of all are contiguous and have 16 columns at least, it is fast for many rows, and a is
// read from memory once for all bs; else it is Addmm_. It takes no part in autograd.
func Gram(out Tensor, add bool, a Tensor, bs ...Tensor) {
	if e := C.torch_gram(out.h, flag(add), a.h, handles(bs), C.int64_t(len(bs))); e != nil {
		throw("gram", e, append([]Tensor{out, a}, bs...)...)
	}
}
