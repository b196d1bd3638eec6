package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_addcdiv_
// #cgo noescape torch_addcmul_
// #cgo noescape torch_argmax
// #cgo noescape torch_clamp
// #cgo noescape torch_norm
// #cgo nocallback torch_addcdiv_
// #cgo nocallback torch_addcmul_
// #cgo nocallback torch_argmax
// #cgo nocallback torch_clamp
// #cgo nocallback torch_norm
import "C"

// Abs is |t|.
func (t Tensor) Abs() Tensor { return t.unary(C.TORCH_unary_abs) }

// Floor is the greatest integers not above t.
func (t Tensor) Floor() Tensor { return t.unary(C.TORCH_unary_floor) }

// Log is the natural logarithm of t.
func (t Tensor) Log() Tensor { return t.unary(C.TORCH_unary_log) }

// Neg is -t.
func (t Tensor) Neg() Tensor { return t.unary(C.TORCH_unary_neg) }

// Neg_ is Neg in place.
func (t Tensor) Neg_() Tensor { return t.unary_(C.TORCH_unary_neg_) }

// Reciprocal_ is 1/t in place.
func (t Tensor) Reciprocal_() Tensor { return t.unary_(C.TORCH_unary_reciprocal_) }

// Rsqrt_ is 1/√t in place.
func (t Tensor) Rsqrt_() Tensor { return t.unary_(C.TORCH_unary_rsqrt_) }

// Sqrt is √t.
func (t Tensor) Sqrt() Tensor { return t.unary(C.TORCH_unary_sqrt) }

// Square is t².
func (t Tensor) Square() Tensor { return t.unary(C.TORCH_unary_square) }

// IsFinite is false where t is infinite or not a number.
func (t Tensor) IsFinite() Tensor { return t.unary(C.TORCH_unary_isfinite) }

// Add is t + u, broadcast.
func (t Tensor) Add(u Tensor) Tensor { return t.AddScaled(u, 1) }

// Add_ is Add in place.
func (t Tensor) Add_(u Tensor) Tensor { return t.AddScaled_(u, 1) }

// AddScaled is t + alpha·u, broadcast: torch.add with alpha.
func (t Tensor) AddScaled(u Tensor, alpha float64) Tensor {
	return t.scaled(C.TORCH_scaled_add, u, alpha)
}

// AddScaled_ is AddScaled in place.
func (t Tensor) AddScaled_(u Tensor, alpha float64) Tensor {
	return t.scaled_(C.TORCH_scaled_add_, u, alpha)
}

// Sub is t − u, broadcast.
func (t Tensor) Sub(u Tensor) Tensor { return t.binary(C.TORCH_binary_sub, u) }

// Sub_ is Sub in place.
func (t Tensor) Sub_(u Tensor) Tensor { return t.binary_(C.TORCH_binary_sub_, u) }

// Mul is t·u, element by element, broadcast.
func (t Tensor) Mul(u Tensor) Tensor { return t.binary(C.TORCH_binary_mul, u) }

// Mul_ is Mul in place.
func (t Tensor) Mul_(u Tensor) Tensor { return t.binary_(C.TORCH_binary_mul_, u) }

// Div is t/u, element by element, broadcast.
func (t Tensor) Div(u Tensor) Tensor { return t.binary(C.TORCH_binary_div, u) }

// AddScalar is t + v.
func (t Tensor) AddScalar(v float64) Tensor { return t.scalar(C.TORCH_scalar_add, v) }

// AddScalar_ is AddScalar in place.
func (t Tensor) AddScalar_(v float64) Tensor { return t.scalar_(C.TORCH_scalar_add_, v) }

// MulScalar is v·t.
func (t Tensor) MulScalar(v float64) Tensor { return t.scalar(C.TORCH_scalar_mul, v) }

// MulScalar_ is MulScalar in place.
func (t Tensor) MulScalar_(v float64) Tensor { return t.scalar_(C.TORCH_scalar_mul_, v) }

// DivScalar is t/v.
func (t Tensor) DivScalar(v float64) Tensor { return t.scalar(C.TORCH_scalar_div, v) }

// DivScalar_ is DivScalar in place.
func (t Tensor) DivScalar_(v float64) Tensor { return t.scalar_(C.TORCH_scalar_div_, v) }

// Clamp is min(max(t, lo), hi); an infinite bound is none.
func (t Tensor) Clamp(lo, hi float64) Tensor {
	var r Tensor
	if e := C.torch_clamp(t.h, C.double(lo), C.double(hi), &r.h); e != nil {
		throw("clamp", e, t)
	}
	return r
}

// Eq is the truth of t = u, broadcast.
func (t Tensor) Eq(u Tensor) Tensor { return t.binary(C.TORCH_binary_eq, u) }

// Ne is the truth of t ≠ u, broadcast.
func (t Tensor) Ne(u Tensor) Tensor { return t.binary(C.TORCH_binary_ne, u) }

// LtScalar is the truth of t < v.
func (t Tensor) LtScalar(v float64) Tensor { return t.scalar(C.TORCH_compare_lt, v) }

// Gt is the truth of t > u, broadcast.
func (t Tensor) Gt(u Tensor) Tensor { return t.binary(C.TORCH_binary_gt, u) }

// GeScalar is the truth of t ≥ v.
func (t Tensor) GeScalar(v float64) Tensor { return t.scalar(C.TORCH_compare_ge, v) }

// Lerp_ moves t towards end: t + weight·(end − t).
func (t Tensor) Lerp_(end Tensor, weight float64) Tensor {
	return t.scaled_(C.TORCH_scaled_lerp_, end, weight)
}

// Addcmul_ adds v·a·b.
func (t Tensor) Addcmul_(a, b Tensor, v float64) Tensor {
	if e := C.torch_addcmul_(t.h, a.h, b.h, C.double(v)); e != nil {
		throw("addcmul_", e, t, a, b)
	}
	return t
}

// Addcdiv_ adds v·a/b.
func (t Tensor) Addcdiv_(a, b Tensor, v float64) Tensor {
	if e := C.torch_addcdiv_(t.h, a.h, b.h, C.double(v)); e != nil {
		throw("addcdiv_", e, t, a, b)
	}
	return t
}

// Sum is the sum of all elements, a tensor without dimensions.
func (t Tensor) Sum() Tensor { return t.SumDims(nil, false) }

// SumDims is the sum over those dimensions, all if there are none; keepdim leaves
// them with size 1.
func (t Tensor) SumDims(dims []int, keepdim bool) Tensor {
	return t.reduce(C.TORCH_reduce_sum, dims, keepdim)
}

// Mean is the mean of all elements, a tensor without dimensions.
func (t Tensor) Mean() Tensor { return t.MeanDims(nil, false) }

// MeanDims is the mean over those dimensions, all if there are none; keepdim leaves
// them with size 1.
func (t Tensor) MeanDims(dims []int, keepdim bool) Tensor {
	return t.reduce(C.TORCH_reduce_mean, dims, keepdim)
}

// Amax is the largest element over those dimensions, all if there are none.
func (t Tensor) Amax(dims []int, keepdim bool) Tensor {
	return t.reduce(C.TORCH_reduce_amax, dims, keepdim)
}

// Amin is the smallest element over those dimensions, all if there are none.
func (t Tensor) Amin(dims []int, keepdim bool) Tensor {
	return t.reduce(C.TORCH_reduce_amin, dims, keepdim)
}

// Argmax is the int64 index of the largest element along dim.
func (t Tensor) Argmax(dim int, keepdim bool) Tensor {
	var r Tensor
	if e := C.torch_argmax(t.h, C.int64_t(dim), flag(keepdim), &r.h); e != nil {
		throw("argmax", e, t)
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
