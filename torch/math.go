package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_abs
// #cgo noescape torch_abs_
// #cgo noescape torch_add
// #cgo noescape torch_add_
// #cgo noescape torch_add_scalar
// #cgo noescape torch_add_scalar_
// #cgo noescape torch_addcdiv_
// #cgo noescape torch_addcmul_
// #cgo noescape torch_clamp
// #cgo noescape torch_clamp_
// #cgo noescape torch_div
// #cgo noescape torch_div_
// #cgo noescape torch_div_scalar
// #cgo noescape torch_div_scalar_
// #cgo noescape torch_eq
// #cgo noescape torch_eq_scalar
// #cgo noescape torch_exp
// #cgo noescape torch_exp_
// #cgo noescape torch_floor
// #cgo noescape torch_floor_
// #cgo noescape torch_ge
// #cgo noescape torch_ge_scalar
// #cgo noescape torch_gt
// #cgo noescape torch_gt_scalar
// #cgo noescape torch_isfinite
// #cgo noescape torch_le
// #cgo noescape torch_le_scalar
// #cgo noescape torch_lerp_
// #cgo noescape torch_log
// #cgo noescape torch_log_
// #cgo noescape torch_lt
// #cgo noescape torch_lt_scalar
// #cgo noescape torch_maximum
// #cgo noescape torch_minimum
// #cgo noescape torch_mul
// #cgo noescape torch_mul_
// #cgo noescape torch_mul_scalar
// #cgo noescape torch_mul_scalar_
// #cgo noescape torch_ne
// #cgo noescape torch_ne_scalar
// #cgo noescape torch_neg
// #cgo noescape torch_neg_
// #cgo noescape torch_pow_scalar
// #cgo noescape torch_reciprocal
// #cgo noescape torch_reciprocal_
// #cgo noescape torch_rsqrt
// #cgo noescape torch_rsqrt_
// #cgo noescape torch_sign
// #cgo noescape torch_sqrt
// #cgo noescape torch_sqrt_
// #cgo noescape torch_square
// #cgo noescape torch_square_
// #cgo noescape torch_sub
// #cgo noescape torch_sub_
// #cgo nocallback torch_abs
// #cgo nocallback torch_abs_
// #cgo nocallback torch_add
// #cgo nocallback torch_add_
// #cgo nocallback torch_add_scalar
// #cgo nocallback torch_add_scalar_
// #cgo nocallback torch_addcdiv_
// #cgo nocallback torch_addcmul_
// #cgo nocallback torch_clamp
// #cgo nocallback torch_clamp_
// #cgo nocallback torch_div
// #cgo nocallback torch_div_
// #cgo nocallback torch_div_scalar
// #cgo nocallback torch_div_scalar_
// #cgo nocallback torch_eq
// #cgo nocallback torch_eq_scalar
// #cgo nocallback torch_exp
// #cgo nocallback torch_exp_
// #cgo nocallback torch_floor
// #cgo nocallback torch_floor_
// #cgo nocallback torch_ge
// #cgo nocallback torch_ge_scalar
// #cgo nocallback torch_gt
// #cgo nocallback torch_gt_scalar
// #cgo nocallback torch_isfinite
// #cgo nocallback torch_le
// #cgo nocallback torch_le_scalar
// #cgo nocallback torch_lerp_
// #cgo nocallback torch_log
// #cgo nocallback torch_log_
// #cgo nocallback torch_lt
// #cgo nocallback torch_lt_scalar
// #cgo nocallback torch_maximum
// #cgo nocallback torch_minimum
// #cgo nocallback torch_mul
// #cgo nocallback torch_mul_
// #cgo nocallback torch_mul_scalar
// #cgo nocallback torch_mul_scalar_
// #cgo nocallback torch_ne
// #cgo nocallback torch_ne_scalar
// #cgo nocallback torch_neg
// #cgo nocallback torch_neg_
// #cgo nocallback torch_pow_scalar
// #cgo nocallback torch_reciprocal
// #cgo nocallback torch_reciprocal_
// #cgo nocallback torch_rsqrt
// #cgo nocallback torch_rsqrt_
// #cgo nocallback torch_sign
// #cgo nocallback torch_sqrt
// #cgo nocallback torch_sqrt_
// #cgo nocallback torch_square
// #cgo nocallback torch_square_
// #cgo nocallback torch_sub
// #cgo nocallback torch_sub_
import "C"

// Abs is |t|.
func (t Tensor) Abs() Tensor {
	var r Tensor
	if e := C.torch_abs(t.h, &r.h); e != nil {
		throw("abs", e, t)
	}
	return r
}

// Abs_ is Abs in place.
func (t Tensor) Abs_() Tensor {
	if e := C.torch_abs_(t.h); e != nil {
		throw("abs_", e, t)
	}
	return t
}

// Exp is e^t.
func (t Tensor) Exp() Tensor {
	var r Tensor
	if e := C.torch_exp(t.h, &r.h); e != nil {
		throw("exp", e, t)
	}
	return r
}

// Exp_ is Exp in place.
func (t Tensor) Exp_() Tensor {
	if e := C.torch_exp_(t.h); e != nil {
		throw("exp_", e, t)
	}
	return t
}

// Floor is the greatest integers not above t.
func (t Tensor) Floor() Tensor {
	var r Tensor
	if e := C.torch_floor(t.h, &r.h); e != nil {
		throw("floor", e, t)
	}
	return r
}

// Floor_ is Floor in place.
func (t Tensor) Floor_() Tensor {
	if e := C.torch_floor_(t.h); e != nil {
		throw("floor_", e, t)
	}
	return t
}

// Log is the natural logarithm of t.
func (t Tensor) Log() Tensor {
	var r Tensor
	if e := C.torch_log(t.h, &r.h); e != nil {
		throw("log", e, t)
	}
	return r
}

// Log_ is Log in place.
func (t Tensor) Log_() Tensor {
	if e := C.torch_log_(t.h); e != nil {
		throw("log_", e, t)
	}
	return t
}

// Neg is -t.
func (t Tensor) Neg() Tensor {
	var r Tensor
	if e := C.torch_neg(t.h, &r.h); e != nil {
		throw("neg", e, t)
	}
	return r
}

// Neg_ is Neg in place.
func (t Tensor) Neg_() Tensor {
	if e := C.torch_neg_(t.h); e != nil {
		throw("neg_", e, t)
	}
	return t
}

// Reciprocal is 1/t.
func (t Tensor) Reciprocal() Tensor {
	var r Tensor
	if e := C.torch_reciprocal(t.h, &r.h); e != nil {
		throw("reciprocal", e, t)
	}
	return r
}

// Reciprocal_ is Reciprocal in place.
func (t Tensor) Reciprocal_() Tensor {
	if e := C.torch_reciprocal_(t.h); e != nil {
		throw("reciprocal_", e, t)
	}
	return t
}

// Rsqrt is 1/√t.
func (t Tensor) Rsqrt() Tensor {
	var r Tensor
	if e := C.torch_rsqrt(t.h, &r.h); e != nil {
		throw("rsqrt", e, t)
	}
	return r
}

// Rsqrt_ is Rsqrt in place.
func (t Tensor) Rsqrt_() Tensor {
	if e := C.torch_rsqrt_(t.h); e != nil {
		throw("rsqrt_", e, t)
	}
	return t
}

// Sqrt is √t.
func (t Tensor) Sqrt() Tensor {
	var r Tensor
	if e := C.torch_sqrt(t.h, &r.h); e != nil {
		throw("sqrt", e, t)
	}
	return r
}

// Sqrt_ is Sqrt in place.
func (t Tensor) Sqrt_() Tensor {
	if e := C.torch_sqrt_(t.h); e != nil {
		throw("sqrt_", e, t)
	}
	return t
}

// Square is t².
func (t Tensor) Square() Tensor {
	var r Tensor
	if e := C.torch_square(t.h, &r.h); e != nil {
		throw("square", e, t)
	}
	return r
}

// Square_ is Square in place.
func (t Tensor) Square_() Tensor {
	if e := C.torch_square_(t.h); e != nil {
		throw("square_", e, t)
	}
	return t
}

// Sign is -1, 0 or 1.
func (t Tensor) Sign() Tensor {
	var r Tensor
	if e := C.torch_sign(t.h, &r.h); e != nil {
		throw("sign", e, t)
	}
	return r
}

// IsFinite is false where t is infinite or not a number.
func (t Tensor) IsFinite() Tensor {
	var r Tensor
	if e := C.torch_isfinite(t.h, &r.h); e != nil {
		throw("isfinite", e, t)
	}
	return r
}

// Add is t + u, broadcast.
func (t Tensor) Add(u Tensor) Tensor { return t.AddScaled(u, 1) }

// Add_ is Add in place.
func (t Tensor) Add_(u Tensor) Tensor { return t.AddScaled_(u, 1) }

// AddScaled is t + alpha·u, broadcast: torch.add with alpha.
func (t Tensor) AddScaled(u Tensor, alpha float64) Tensor {
	var r Tensor
	if e := C.torch_add(t.h, u.h, C.double(alpha), &r.h); e != nil {
		throw("add", e, t, u)
	}
	return r
}

// AddScaled_ is AddScaled in place.
func (t Tensor) AddScaled_(u Tensor, alpha float64) Tensor {
	if e := C.torch_add_(t.h, u.h, C.double(alpha)); e != nil {
		throw("add_", e, t, u)
	}
	return t
}

// Sub is t − u, broadcast.
func (t Tensor) Sub(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_sub(t.h, u.h, &r.h); e != nil {
		throw("sub", e, t, u)
	}
	return r
}

// Sub_ is Sub in place.
func (t Tensor) Sub_(u Tensor) Tensor {
	if e := C.torch_sub_(t.h, u.h); e != nil {
		throw("sub_", e, t, u)
	}
	return t
}

// Mul is t·u, element by element, broadcast.
func (t Tensor) Mul(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_mul(t.h, u.h, &r.h); e != nil {
		throw("mul", e, t, u)
	}
	return r
}

// Mul_ is Mul in place.
func (t Tensor) Mul_(u Tensor) Tensor {
	if e := C.torch_mul_(t.h, u.h); e != nil {
		throw("mul_", e, t, u)
	}
	return t
}

// Div is t/u, element by element, broadcast.
func (t Tensor) Div(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_div(t.h, u.h, &r.h); e != nil {
		throw("div", e, t, u)
	}
	return r
}

// Div_ is Div in place.
func (t Tensor) Div_(u Tensor) Tensor {
	if e := C.torch_div_(t.h, u.h); e != nil {
		throw("div_", e, t, u)
	}
	return t
}

// AddScalar is t + v.
func (t Tensor) AddScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_add_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("add", e, t)
	}
	return r
}

// AddScalar_ is AddScalar in place.
func (t Tensor) AddScalar_(v float64) Tensor {
	if e := C.torch_add_scalar_(t.h, C.double(v)); e != nil {
		throw("add_", e, t)
	}
	return t
}

// MulScalar is v·t.
func (t Tensor) MulScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_mul_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("mul", e, t)
	}
	return r
}

// MulScalar_ is MulScalar in place.
func (t Tensor) MulScalar_(v float64) Tensor {
	if e := C.torch_mul_scalar_(t.h, C.double(v)); e != nil {
		throw("mul_", e, t)
	}
	return t
}

// DivScalar is t/v.
func (t Tensor) DivScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_div_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("div", e, t)
	}
	return r
}

// DivScalar_ is DivScalar in place.
func (t Tensor) DivScalar_(v float64) Tensor {
	if e := C.torch_div_scalar_(t.h, C.double(v)); e != nil {
		throw("div_", e, t)
	}
	return t
}

// PowScalar is t^v.
func (t Tensor) PowScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_pow_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("pow", e, t)
	}
	return r
}

// Clamp is min(max(t, lo), hi); an infinite bound is none.
func (t Tensor) Clamp(lo, hi float64) Tensor {
	var r Tensor
	if e := C.torch_clamp(t.h, C.double(lo), C.double(hi), &r.h); e != nil {
		throw("clamp", e, t)
	}
	return r
}

// Clamp_ is Clamp in place.
func (t Tensor) Clamp_(lo, hi float64) Tensor {
	if e := C.torch_clamp_(t.h, C.double(lo), C.double(hi)); e != nil {
		throw("clamp_", e, t)
	}
	return t
}

// Eq is the truth of t = u, broadcast.
func (t Tensor) Eq(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_eq(t.h, u.h, &r.h); e != nil {
		throw("eq", e, t, u)
	}
	return r
}

// EqScalar is the truth of t = v.
func (t Tensor) EqScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_eq_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("eq", e, t)
	}
	return r
}

// Ne is the truth of t ≠ u, broadcast.
func (t Tensor) Ne(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_ne(t.h, u.h, &r.h); e != nil {
		throw("ne", e, t, u)
	}
	return r
}

// NeScalar is the truth of t ≠ v.
func (t Tensor) NeScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_ne_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("ne", e, t)
	}
	return r
}

// Lt is the truth of t < u, broadcast.
func (t Tensor) Lt(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_lt(t.h, u.h, &r.h); e != nil {
		throw("lt", e, t, u)
	}
	return r
}

// LtScalar is the truth of t < v.
func (t Tensor) LtScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_lt_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("lt", e, t)
	}
	return r
}

// Le is the truth of t ≤ u, broadcast.
func (t Tensor) Le(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_le(t.h, u.h, &r.h); e != nil {
		throw("le", e, t, u)
	}
	return r
}

// LeScalar is the truth of t ≤ v.
func (t Tensor) LeScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_le_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("le", e, t)
	}
	return r
}

// Gt is the truth of t > u, broadcast.
func (t Tensor) Gt(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_gt(t.h, u.h, &r.h); e != nil {
		throw("gt", e, t, u)
	}
	return r
}

// GtScalar is the truth of t > v.
func (t Tensor) GtScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_gt_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("gt", e, t)
	}
	return r
}

// Ge is the truth of t ≥ u, broadcast.
func (t Tensor) Ge(u Tensor) Tensor {
	var r Tensor
	if e := C.torch_ge(t.h, u.h, &r.h); e != nil {
		throw("ge", e, t, u)
	}
	return r
}

// GeScalar is the truth of t ≥ v.
func (t Tensor) GeScalar(v float64) Tensor {
	var r Tensor
	if e := C.torch_ge_scalar(t.h, C.double(v), &r.h); e != nil {
		throw("ge", e, t)
	}
	return r
}

// Maximum is the larger of a and b, element by element, broadcast.
func Maximum(a, b Tensor) Tensor {
	var r Tensor
	if e := C.torch_maximum(a.h, b.h, &r.h); e != nil {
		throw("maximum", e, a, b)
	}
	return r
}

// Minimum is the smaller of a and b, element by element, broadcast.
func Minimum(a, b Tensor) Tensor {
	var r Tensor
	if e := C.torch_minimum(a.h, b.h, &r.h); e != nil {
		throw("minimum", e, a, b)
	}
	return r
}

// Lerp_ moves t towards end: t + weight·(end − t).
func (t Tensor) Lerp_(end Tensor, weight float64) Tensor {
	if e := C.torch_lerp_(t.h, end.h, C.double(weight)); e != nil {
		throw("lerp_", e, t, end)
	}
	return t
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
