// Max pooling with the places of the maxima, for passes whose backward is written out. Ours keeps a
// place in one byte, libtorch in eight.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>

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

constexpr auto last = at::MemoryFormat::ChannelsLast;

Windows windows(const at::Tensor& x, int64_t stride) {
  return {x.size(0),
          x.size(1),
          x.size(2),
          x.size(3),
          (x.size(2) - 1) / stride + 1,
          (x.size(3) - 1) / stride + 1,
          stride};
}

// fit tells whether our loops take these images and windows.
bool fit(const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding) {
  return kernel == 3 && padding == 1 && (stride == 1 || stride == 2) && x.dim() == 4 &&
         x.numel() > 0 && x.size(1) > 1 && x.device().is_cpu() && !x.requires_grad() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
         x.is_contiguous(last);
}

using Forward = void(const Windows&, const at::Tensor&, at::Tensor&, at::Tensor&);
using Backward = void(const Windows&, const at::Tensor&, const at::Tensor&, at::Tensor&);

// On other devices, and where these do not fit, it is libtorch's operator that runs.
constexpr Kernel<Forward> maxPool = FORMS(simd128::pooled, pooled);
constexpr Kernel<Backward> maxPoolBackward = FORMS(simd128::pooledBackward, pooledBackward);

}  // namespace

char* torch_max_pool2d_indices(torch_tensor x, int64_t kernel, int64_t stride, int64_t padding,
                               torch_tensor* ret, torch_tensor* ret_indices) {
  return guard([&] {
    const at::Tensor& images = tensor(x);
    if (asGPU || !fit(images, kernel, stride, padding)) {
      auto r = at::max_pool2d_with_indices(images, kernel, stride, padding);
      *ret = wrap(std::get<0>(r));
      *ret_indices = wrap(std::get<1>(r));
      return;
    }
    const Windows s = windows(images, stride);
    const int64_t sizes[] = {s.images, s.channels, s.outHeight, s.outWidth};
    at::Tensor y = at::empty(sizes, images.options().memory_format(last));
    at::Tensor places = at::empty(sizes, images.options().dtype(at::kByte).memory_format(last));
    const Counted counted("shim::max_pool", {images}, {y, places});
    maxPool.chosen()(s, images, y, places);
    *ret = wrap(y);
    *ret_indices = wrap(places);
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
    TORCH_CHECK(fit(images, kernel, stride, padding),
                "the places of maxima are of images that lie channels last, and of windows of 3x3");
    const Windows s = windows(images, stride);
    TORCH_CHECK(places.sizes() == at::IntArrayRef({s.images, s.channels, s.outHeight, s.outWidth}),
                "the places of maxima ", places.sizes(), " are not of images ", images.sizes());
    TORCH_CHECK(tensor(g).sizes() == places.sizes() &&
                    tensor(g).scalar_type() == images.scalar_type(),
                "the gradient ", tensor(g).sizes(), " is not of maxima ", places.sizes(),
                ", or types differ");
    const at::Tensor from = tensor(g).contiguous(last);
    at::Tensor dx = at::empty(images.sizes(), images.options().memory_format(last));
    const Counted counted("shim::max_pool_backward", {from, places}, {dx});
    maxPoolBackward.chosen()(s, from, places, dx);
    *ret = wrap(dx);
  });
}
