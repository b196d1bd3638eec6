// The halves of operators that autograd keeps to itself, and results written to
// given tensors: for passes whose backward is written out instead of recorded.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/threshold_backward.h>

#include "guard.h"

using namespace shim;

char* torch_mm_out(torch_tensor out, torch_tensor a, torch_tensor b) {
  return guard([&] {
    at::Tensor t = tensor(out);
    at::mm_out(t, tensor(a), tensor(b));
  });
}

char* torch_relu_out(torch_tensor out, torch_tensor x) {
  return guard([&] {
    at::Tensor t = tensor(out);
    at::clamp_min_out(t, tensor(x), 0);
  });
}

char* torch_relu_backward_(torch_tensor g, torch_tensor y) {
  return guard([&] {
    at::Tensor t = tensor(g);
    at::threshold_backward_out(t, t, tensor(y), 0);
  });
}

char* torch_conv2d_backward(torch_tensor g, torch_tensor x, torch_tensor weight,
                            const int64_t* stride, const int64_t* padding,
                            const int64_t* dilation, int64_t groups, int need_x, int need_weight,
                            torch_tensor* ret_x, torch_tensor* ret_weight) {
  return guard([&] {
    auto r = at::convolution_backward(tensor(g), tensor(x), tensor(weight), at::nullopt,
                                      ints(stride, 2), ints(padding, 2), ints(dilation, 2),
                                      /*transposed=*/false, {0, 0}, groups,
                                      {need_x != 0, need_weight != 0, false});
    *ret_x = wrap(std::get<0>(r));
    *ret_weight = wrap(std::get<1>(r));
  });
}
#endif
