// Arithmetic, reductions and products whose arguments fit no class of operators.cpp.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <cmath>

#include "guard.h"

using namespace shim;

static c10::optional<at::Scalar> bound(const at::Tensor& x, double v) {
  if (std::isinf(v)) return c10::nullopt;
  return number(x, v);
}

char* torch_clamp(torch_tensor t, double min, double max, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(x.clamp(bound(x, min), bound(x, max)));
  });
}

char* torch_addcmul_(torch_tensor t, torch_tensor a, torch_tensor b, double value) {
  return guard([&] { tensor(t).addcmul_(tensor(a), tensor(b), value); });
}

char* torch_addcdiv_(torch_tensor t, torch_tensor a, torch_tensor b, double value) {
  return guard([&] { tensor(t).addcdiv_(tensor(a), tensor(b), value); });
}

char* torch_argmax(torch_tensor t, int64_t dim, int keepdim, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).argmax(dim, keepdim != 0)); });
}

char* torch_norm(torch_tensor t, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::linalg_vector_norm(tensor(t), 2)); });
}

char* torch_addmm_(torch_tensor t, torch_tensor a, torch_tensor b, double beta, double alpha) {
  return guard([&] { tensor(t).addmm_(tensor(a), tensor(b), beta, alpha); });
}

char* torch_diagonal(torch_tensor t, int64_t offset, int64_t dim1, int64_t dim2,
                     torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).diagonal(offset, dim1, dim2)); });
}

char* torch_foreach_copy_(const torch_tensor* ts, const torch_tensor* srcs, int64_t n) {
  return guard([&] { at::_foreach_copy_(tensors(ts, n), tensors(srcs, n)); });
}
#endif
