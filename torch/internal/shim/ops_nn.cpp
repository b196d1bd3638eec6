// Neural network operators: convolution, pooling, normalisation, dropout, embedding, losses.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

#include "guard.h"

using namespace shim;

char* torch_conv2d(torch_tensor x, torch_tensor weight, torch_tensor bias, const int64_t* stride,
                   const int64_t* padding, const int64_t* dilation, int64_t groups,
                   torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::conv2d(tensor(x), tensor(weight), tensorOrNone(bias), ints(stride, 2),
                           ints(padding, 2), ints(dilation, 2), groups));
  });
}

char* torch_linear(torch_tensor x, torch_tensor weight, torch_tensor bias, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::linear(tensor(x), tensor(weight), tensorOrNone(bias))); });
}

char* torch_avg_pool2d(torch_tensor x, int64_t kernel, int64_t stride, int64_t padding,
                       int count_include_pad, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& in = tensor(x);
    auto pool = [&](const at::Tensor& images) {
      return at::avg_pool2d(images, kernel, stride, padding, /*ceil_mode=*/false,
                            count_include_pad != 0);
    };
    // On GPUs libtorch 2.11 takes a wrong gradient of padded images that lie channels
    // last (pytorch issue 188344).
    if (in.is_cuda() && padding > 0 && in.suggest_memory_format() == at::MemoryFormat::ChannelsLast)
      *ret = wrap(pool(in.contiguous()).contiguous(at::MemoryFormat::ChannelsLast));
    else
      *ret = wrap(pool(in));
  });
}

char* torch_adaptive_avg_pool2d(torch_tensor x, int64_t h, int64_t w, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::adaptive_avg_pool2d(tensor(x), {h, w})); });
}

char* torch_batch_norm(torch_tensor x, torch_tensor weight, torch_tensor bias,
                       torch_tensor running_mean, torch_tensor running_var, int training,
                       double momentum, double eps, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::batch_norm(tensor(x), tensorOrNone(weight), tensorOrNone(bias),
                               tensorOrNone(running_mean), tensorOrNone(running_var), training != 0,
                               momentum, eps, /*cudnn_enabled=*/true));
  });
}

char* torch_dropout(torch_tensor t, double p, int training, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::dropout(tensor(t), p, training != 0)); });
}

char* torch_embedding(torch_tensor weight, torch_tensor indices, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::embedding(tensor(weight), tensor(indices))); });
}

char* torch_cross_entropy(torch_tensor x, torch_tensor target, int reduction,
                          double label_smoothing, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::cross_entropy_loss(tensor(x), tensor(target), at::Tensor(), reduction,
                                       /*ignore_index=*/-100, label_smoothing));
  });
}
#endif
