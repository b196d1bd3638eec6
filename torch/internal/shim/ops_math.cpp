// Arithmetic, comparisons, reductions, matrix products and _foreach_ operators.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_zero.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/addcdiv.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/diagonal.h>
#include <ATen/ops/div.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/le.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/var.h>

#include <limits>

#include "guard.h"

using namespace shim;

// --- one tensor -----------------------------------------------------------------

#define TORCH_UNARY(name)                                    \
  char* torch_##name(torch_tensor t, torch_tensor* ret) {    \
    return guard([&] { *ret = wrap(at::name(tensor(t))); }); \
  }                                                          \
  char* torch_##name##_(torch_tensor t) {                    \
    return guard([&] {                                       \
      at::Tensor x = tensor(t);                              \
      at::name##_(x);                                        \
    });                                                      \
  }
TORCH_UNARY(abs)
TORCH_UNARY(exp)
TORCH_UNARY(floor)
TORCH_UNARY(log)
TORCH_UNARY(neg)
TORCH_UNARY(reciprocal)
TORCH_UNARY(rsqrt)
TORCH_UNARY(sqrt)
TORCH_UNARY(square)
#undef TORCH_UNARY

char* torch_sign(torch_tensor t, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::sign(tensor(t))); });
}

char* torch_isfinite(torch_tensor t, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::isfinite(tensor(t))); });
}

// --- two tensors ------------------------------------------------------------------

char* torch_add(torch_tensor a, torch_tensor b, double alpha, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(a);
    *ret = wrap(x.add(tensor(b), number(x, alpha)));
  });
}

char* torch_add_(torch_tensor a, torch_tensor b, double alpha) {
  return guard([&] {
    const at::Tensor& x = tensor(a);
    x.add_(tensor(b), number(x, alpha));
  });
}

#define TORCH_BINARY(name)                                                \
  char* torch_##name(torch_tensor a, torch_tensor b, torch_tensor* ret) { \
    return guard([&] { *ret = wrap(tensor(a).name(tensor(b))); });        \
  }                                                                       \
  char* torch_##name##_(torch_tensor a, torch_tensor b) {                 \
    return guard([&] { tensor(a).name##_(tensor(b)); });                  \
  }
TORCH_BINARY(sub)
TORCH_BINARY(mul)
TORCH_BINARY(div)
#undef TORCH_BINARY

#define TORCH_COMPARE(name)                                                  \
  char* torch_##name(torch_tensor a, torch_tensor b, torch_tensor* ret) {    \
    return guard([&] { *ret = wrap(at::name(tensor(a), tensor(b))); });      \
  }                                                                          \
  char* torch_##name##_scalar(torch_tensor a, double b, torch_tensor* ret) { \
    return guard([&] { *ret = wrap(at::name(tensor(a), at::Scalar(b))); });  \
  }
TORCH_COMPARE(eq)
TORCH_COMPARE(ne)
TORCH_COMPARE(lt)
TORCH_COMPARE(le)
TORCH_COMPARE(gt)
TORCH_COMPARE(ge)
#undef TORCH_COMPARE

char* torch_maximum(torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::maximum(tensor(a), tensor(b))); });
}

char* torch_minimum(torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::minimum(tensor(a), tensor(b))); });
}

// --- a tensor and a number -----------------------------------------------------------

char* torch_add_scalar(torch_tensor t, double v, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(x.add(number(x, v)));
  });
}

char* torch_add_scalar_(torch_tensor t, double v) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    x.add_(number(x, v));
  });
}

char* torch_mul_scalar(torch_tensor t, double v, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(x.mul(number(x, v)));
  });
}

char* torch_mul_scalar_(torch_tensor t, double v) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    x.mul_(number(x, v));
  });
}

char* torch_div_scalar(torch_tensor t, double v, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).div(v)); });
}

char* torch_div_scalar_(torch_tensor t, double v) {
  return guard([&] { tensor(t).div_(v); });
}

char* torch_pow_scalar(torch_tensor t, double v, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(x.pow(number(x, v)));
  });
}

static c10::optional<at::Scalar> bound(const at::Tensor& x, double v) {
  if (v == std::numeric_limits<double>::infinity() || v == -std::numeric_limits<double>::infinity())
    return c10::nullopt;
  return number(x, v);
}

char* torch_clamp(torch_tensor t, double min, double max, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(at::clamp(x, bound(x, min), bound(x, max)));
  });
}

char* torch_clamp_(torch_tensor t, double min, double max) {
  return guard([&] {
    at::Tensor x = tensor(t);
    at::clamp_(x, bound(x, min), bound(x, max));
  });
}

// --- fused updates ---------------------------------------------------------------------

char* torch_lerp_(torch_tensor t, torch_tensor end, double weight) {
  return guard([&] { tensor(t).lerp_(tensor(end), weight); });
}

char* torch_addcmul_(torch_tensor t, torch_tensor a, torch_tensor b, double value) {
  return guard([&] { tensor(t).addcmul_(tensor(a), tensor(b), value); });
}

char* torch_addcdiv_(torch_tensor t, torch_tensor a, torch_tensor b, double value) {
  return guard([&] { tensor(t).addcdiv_(tensor(a), tensor(b), value); });
}

// --- reductions --------------------------------------------------------------------------

char* torch_sum(torch_tensor t, const int64_t* dims, int64_t n, int keepdim, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(n == 0 ? x.sum() : x.sum(ints(dims, n), keepdim != 0));
  });
}

char* torch_mean(torch_tensor t, const int64_t* dims, int64_t n, int keepdim, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(n == 0 ? x.mean() : x.mean(ints(dims, n), keepdim != 0));
  });
}

char* torch_var(torch_tensor t, const int64_t* dims, int64_t n, int unbiased, int keepdim,
                torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(n == 0 ? x.var(unbiased != 0)
                       : at::var(x, ints(dims, n), unbiased != 0, keepdim != 0));
  });
}

char* torch_amax(torch_tensor t, const int64_t* dims, int64_t n, int keepdim, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::amax(tensor(t), ints(dims, n), keepdim != 0)); });
}

char* torch_amin(torch_tensor t, const int64_t* dims, int64_t n, int keepdim, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::amin(tensor(t), ints(dims, n), keepdim != 0)); });
}

char* torch_argmax(torch_tensor t, int64_t dim, int keepdim, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::argmax(tensor(t), dim, keepdim != 0)); });
}

char* torch_topk(torch_tensor t, int64_t k, int64_t dim, torch_tensor* ret_values,
                 torch_tensor* ret_indices) {
  return guard([&] {
    auto [values, indices] = at::topk(tensor(t), k, dim);
    *ret_values = wrap(values);
    *ret_indices = wrap(indices);
  });
}

char* torch_cumsum(torch_tensor t, int64_t dim, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::cumsum(tensor(t), dim)); });
}

char* torch_norm(torch_tensor t, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::linalg_vector_norm(tensor(t), 2)); });
}

// --- matrix products --------------------------------------------------------------------

char* torch_matmul(torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::matmul(tensor(a), tensor(b))); });
}

char* torch_mm(torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::mm(tensor(a), tensor(b))); });
}

char* torch_bmm(torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::bmm(tensor(a), tensor(b))); });
}

char* torch_dot(torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::dot(tensor(a), tensor(b))); });
}

char* torch_addmm(torch_tensor t, torch_tensor a, torch_tensor b, double beta, double alpha,
                  torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::addmm(tensor(t), tensor(a), tensor(b), beta, alpha)); });
}

char* torch_addmm_(torch_tensor t, torch_tensor a, torch_tensor b, double beta, double alpha) {
  return guard([&] { tensor(t).addmm_(tensor(a), tensor(b), beta, alpha); });
}

char* torch_baddbmm(torch_tensor t, torch_tensor a, torch_tensor b, double beta, double alpha,
                    torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::baddbmm(tensor(t), tensor(a), tensor(b), beta, alpha)); });
}

char* torch_diagonal(torch_tensor t, int64_t offset, int64_t dim1, int64_t dim2,
                     torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::diagonal(tensor(t), offset, dim1, dim2)); });
}

// --- lists of tensors ---------------------------------------------------------------------

char* torch_foreach_add_(const torch_tensor* ts, const torch_tensor* others, int64_t n,
                         double alpha) {
  return guard([&] { at::_foreach_add_(tensors(ts, n), tensors(others, n), alpha); });
}

char* torch_foreach_mul_scalar_(const torch_tensor* ts, int64_t n, double v) {
  return guard([&] { at::_foreach_mul_(tensors(ts, n), at::Scalar(v)); });
}

char* torch_foreach_lerp_(const torch_tensor* ts, const torch_tensor* ends, int64_t n,
                          double weight) {
  return guard([&] { at::_foreach_lerp_(tensors(ts, n), tensors(ends, n), at::Scalar(weight)); });
}

char* torch_foreach_copy_(const torch_tensor* ts, const torch_tensor* srcs, int64_t n) {
  return guard([&] { at::_foreach_copy_(tensors(ts, n), tensors(srcs, n)); });
}

char* torch_foreach_zero_(const torch_tensor* ts, int64_t n) {
  return guard([&] { at::_foreach_zero_(tensors(ts, n)); });
}

char* torch_foreach_norm(const torch_tensor* ts, int64_t n, torch_tensor* ret) {
  return guard([&] {
    auto norms = at::_foreach_norm(tensors(ts, n), 2);
    for (int64_t i = 0; i < n; i++) ret[i] = wrap(norms[i]);
  });
}
