// A depthwise convolution of dilation 2 whose gradients are convolutions that CPUs have
// fast kernels for. It is made of operators that have gradients themselves.
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guard.h"

using namespace shim;

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The padding that keeps the size of an image, at dilation 1; at dilation 2 it is twice that.
int64_t padding(const at::Tensor& weight) { return (weight.size(2) - 1) / 2; }

at::Tensor dilated(const at::Tensor& x, const at::Tensor& weight) {
  int64_t p = 2 * padding(weight);
  return at::conv2d(x, weight, {}, /*stride=*/1, at::IntArrayRef({p, p}), at::IntArrayRef({2, 2}),
                    weight.size(0));
}

// x [N,C,H,W] by the parities of row and column, [4N,C,H/2,W/2]: there dilation 2 is none.
at::Tensor parities(const at::Tensor& x) {
  int64_t n = x.size(0), c = x.size(1), h = x.size(2) / 2, w = x.size(3) / 2;
  return x.permute({0, 2, 3, 1})
      .reshape({n, h, 2, w, 2, c})
      .permute({2, 4, 0, 1, 3, 5})
      .reshape({4 * n, h, w, c})
      .permute({0, 3, 1, 2});
}

at::Tensor weightGradient(const at::Tensor& g, const at::Tensor& x, const at::Tensor& weight) {
  bool even = x.size(2) % 2 == 0 && x.size(3) % 2 == 0;
  int64_t d = even ? 1 : 2, p = d * padding(weight);
  return std::get<1>(at::convolution_backward(
      even ? parities(g) : g, even ? parities(x) : x, weight, c10::nullopt, {1, 1},
      at::IntArrayRef({p, p}), at::IntArrayRef({d, d}), /*transposed=*/false, {0, 0},
      weight.size(0), {false, true, false}));
}

struct Dilated : torch::autograd::Function<Dilated> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight) {
    ctx->save_for_backward({x, weight});
    return dilated(x, weight);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    at::Tensor x = saved[0], weight = saved[1], g = grads[0], dx, dWeight;
    // Under autocast the result, and so its gradient, has another type.
    auto type = g.scalar_type();
    if (ctx->needs_input_grad(0))
      dx = dilated(g, weight.to(type).flip({2, 3})).to(x.scalar_type());
    if (ctx->needs_input_grad(1))
      dWeight = weightGradient(g, x.to(type), weight.to(type)).to(weight.scalar_type());
    return {dx, dWeight};
  }
};

}  // namespace

char* torch_dilated_depthwise(torch_tensor x, torch_tensor weight, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor &images = tensor(x), &w = tensor(weight);
    TORCH_CHECK(images.dim() == 4 && w.dim() == 4 && w.size(1) == 1 &&
                    w.size(0) == images.size(1) && w.size(2) == w.size(3) && w.size(2) % 2 == 1,
                "wanted images [N,C,H,W] and a weight [C,1,k,k] of odd k");
    *ret = wrap(Dilated::apply(images, w));
  });
}
