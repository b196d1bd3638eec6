// Max pooling with the places of the maxima, for passes whose backward is written out, and for graphs.
// Ours keeps a place in one byte, libtorch in eight, and its graph no images.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/floor_divide.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/remainder.h>
#include <torch/csrc/autograd/custom_function.h>

#include "count.h"
#include "guard.h"
#include "processor.h"

namespace shim {

// Windows are the sizes of images that lie channels last, and of the result.
struct Windows {
  int64_t images, channels, height, width, outHeight, outWidth, stride;
};

}  // namespace shim

#define LOOPS "pool_loops.h"
#include "each_processor.h"

using namespace shim;

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto last = at::MemoryFormat::ChannelsLast;

Windows windows(at::IntArrayRef x, int64_t stride) {
  return {x[0], x[1], x[2], x[3], (x[2] - 1) / stride + 1, (x[3] - 1) / stride + 1, stride};
}

// fit tells whether our loops take these images and windows.
bool fit(const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding) {
  return kernel == 3 && padding == 1 && (stride == 1 || stride == 2) && x.dim() == 4 &&
         x.numel() > 0 && x.size(1) > 1 && x.device().is_cpu() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
         x.is_contiguous(last);
}

using Forward = void(const Windows&, const at::Tensor&, at::Tensor&, at::Tensor&);
using Backward = void(const Windows&, const at::Tensor&, const at::Tensor&, at::Tensor&);

// On other devices, and where these do not fit, it is libtorch's operator that runs.
constexpr Kernel<Forward> maxPool = FORMS(simd128::pooled, pooled);
constexpr Kernel<Backward> maxPoolBackward = FORMS(simd128::pooledBackward, pooledBackward);

struct Pooled {
  at::Tensor y, places;
};

Pooled own(const at::Tensor& x, int64_t stride) {
  const Windows s = windows(x.sizes(), stride);
  const int64_t sizes[] = {s.images, s.channels, s.outHeight, s.outWidth};
  Pooled p = {at::empty(sizes, x.options().memory_format(last)),
              at::empty(sizes, x.options().dtype(at::kByte).memory_format(last))};
  const Counted counted("shim::max_pool", {x}, {p.y, p.places});
  maxPool.chosen()(s, x, p.y, p.places);
  return p;
}

// ownBackward gives the gradient of images of those sizes.
at::Tensor ownBackward(const at::Tensor& g, const at::Tensor& places, at::IntArrayRef sizes,
                       int64_t stride) {
  const at::Tensor from = g.contiguous(last);
  at::Tensor dx = at::empty(sizes, from.options().memory_format(last));
  const Counted counted("shim::max_pool_backward", {from, places}, {dx});
  maxPoolBackward.chosen()(windows(sizes, stride), from, places, dx);
  return dx;
}

// inPlanes are places in windows as libtorch has them: in the plane of an image.
at::Tensor inPlanes(const at::Tensor& places, const Windows& s) {
  const auto begins = [&](int64_t n) { return at::arange(n, at::kLong) * s.stride - 1; };
  const at::Tensor p = places.to(at::kLong);
  return (at::floor_divide(p, 3) + begins(s.outHeight).view({-1, 1})) * s.width +
         at::remainder(p, 3) + begins(s.outWidth);
}

struct MaxPool : torch::autograd::Function<MaxPool> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, int64_t stride) {
    const Pooled p = own(x, stride);
    ctx->saved_data["sizes"] = x.sizes().vec();
    ctx->saved_data["stride"] = stride;
    ctx->save_for_backward({p.places});
    return p.y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const at::Tensor places = ctx->get_saved_variables()[0], &g = grads[0];
    const auto sizes = ctx->saved_data["sizes"].toIntVector();
    const int64_t stride = ctx->saved_data["stride"].toInt();
    if (!at::GradMode::is_enabled()) return {ownBackward(g, places, sizes, stride), {}};
    // For a gradient of the gradient. Of x libtorch's operator reads sizes and layout alone.
    const at::Tensor x = at::empty(sizes, g.options().memory_format(last));
    return {at::max_pool2d_with_indices_backward(g.contiguous(last), x, 3, stride, 1, 1, false,
                                                 inPlanes(places, windows(sizes, stride))),
            {}};
  }
};

}  // namespace

char* torch_max_pool2d(torch_tensor x, int64_t kernel, int64_t stride, int64_t padding,
                       torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& images = tensor(x);
    const bool graph = at::GradMode::is_enabled() && images.requires_grad();
    *ret = wrap(graph && !asGPU && fit(images, kernel, stride, padding)
                    ? MaxPool::apply(images, stride)
                    : at::max_pool2d(images, kernel, stride, padding));
  });
}

char* torch_max_pool2d_indices(torch_tensor x, int64_t kernel, int64_t stride, int64_t padding,
                               torch_tensor* ret, torch_tensor* ret_indices) {
  return guard([&] {
    const at::Tensor& images = tensor(x);
    if (asGPU || images.requires_grad() || !fit(images, kernel, stride, padding)) {
      auto r = at::max_pool2d_with_indices(images, kernel, stride, padding);
      *ret = wrap(std::get<0>(r));
      *ret_indices = wrap(std::get<1>(r));
      return;
    }
    const Pooled p = own(images, stride);
    *ret = wrap(p.y);
    *ret_indices = wrap(p.places);
  });
}

char* torch_max_pool2d_backward(torch_tensor g, torch_tensor x, int64_t kernel, int64_t stride,
                                int64_t padding, torch_tensor indices, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor &images = tensor(x), &places = tensor(indices);
    if (places.scalar_type() != at::kByte) {
      *ret = wrap(at::max_pool2d_with_indices_backward(tensor(g), images, kernel, stride, padding,
                                                       1, false, places));
      return;
    }
    TORCH_CHECK(!images.requires_grad() && fit(images, kernel, stride, padding),
                "the places of maxima are of images that lie channels last, and of windows of 3x3");
    const Windows s = windows(images.sizes(), stride);
    TORCH_CHECK(places.sizes() == at::IntArrayRef({s.images, s.channels, s.outHeight, s.outWidth}),
                "the places of maxima ", places.sizes(), " are not of images ", images.sizes());
    TORCH_CHECK(tensor(g).sizes() == places.sizes() &&
                    tensor(g).scalar_type() == images.scalar_type(),
                "the gradient ", tensor(g).sizes(), " is not of maxima ", places.sizes(),
                ", or types differ");
    *ret = wrap(ownBackward(tensor(g), places, images.sizes(), stride));
  });
}
