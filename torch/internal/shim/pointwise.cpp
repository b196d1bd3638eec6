// A 1x1 convolution and the batch norm after it. Forward and backward go over memory twice each;
// separate operators go over it six and nine times. tile.h computes the products.
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>

#include "count.h"
#include "guard.h"
#include "pointwise.h"
#include "processor.h"

#define LOOPS "pointwise_loops.h"
#include "each_processor.h"

using namespace shim;

#ifndef INTRA_OP_PARALLEL
#error "at::parallel_for is compiled for one thread: -fopenmp is missing"
#endif

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Optional = std::optional<at::Tensor>;

template <class T>
constexpr Kernel<Moments(const Sizes&, const T*, const T*, T*)> convolve =
    FORMS(nullptr, convolved<T>);
template <class T>
constexpr Kernel<void(const Sizes&, const Norm<T>&, const T*, T*)> normaliseBy =
    FORMS(nullptr, normalise<T>);
template <class T>
constexpr Kernel<void(const BackwardInputs<T>&, const Gradients<T>&)> gradients =
    FORMS(nullptr, backward<T>);

struct Options {
  bool relu;
  double momentum, eps;
};

// fit tells whether the loops above take these tensors.
bool fit(std::initializer_list<at::Tensor> ts, const at::Tensor& x, const at::Tensor& weight) {
  auto type = x.scalar_type();
  return (type == at::kFloat || type == at::kDouble) && x.numel() > 0 && x.size(1) % 4 == 0 &&
         weight.size(0) % 4 == 0 && !at::autocast::is_autocast_enabled(at::kCPU) &&
         std::all_of(ts.begin(), ts.end(), [&](const at::Tensor& t) {
           return !t.defined() || (t.scalar_type() == type && t.device().is_cpu());
         });
}

at::Tensor pixelsOf(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).reshape({x.size(0) * x.size(2) * x.size(3), x.size(1)});
}

at::Tensor imagesOf(const at::Tensor& pixels, const at::Tensor& like) {
  return pixels.view({like.size(0), like.size(2), like.size(3), pixels.size(1)})
      .permute({0, 3, 1, 2});
}

at::Tensor matrix(const at::Tensor& weight) { return weight.view({weight.size(0), -1}); }

// composed is the same by libtorch's operators, which have gradients of every order.
at::Tensor composed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& scale,
                    const at::Tensor& shift, const at::Tensor& mean, const at::Tensor& variance,
                    const at::Tensor& factors, const Options& o) {
  at::Tensor y = imagesOf(pixelsOf(x).mm(matrix(weight).t()), x);
  y = at::batch_norm(y, scale, shift, mean, variance, /*training=*/true, o.momentum, o.eps,
                     /*cudnn_enabled=*/true);
  if (o.relu) y.relu_();
  return factors.defined() ? y * factors.view({-1, 1, 1, 1}).to(y.scalar_type()) : y;
}

template <class T>
Norm<T> normOf(const at::Tensor& mean, const at::Tensor& deviation, const at::Tensor& scale,
               const at::Tensor& shift, const at::Tensor& factors, bool relu) {
  const T *m = mean.data_ptr<T>(), *d = deviation.data_ptr<T>(), *a = scale.data_ptr<T>(),
          *b = shift.data_ptr<T>();
  const T* f = factors.defined() ? factors.data_ptr<T>() : nullptr;
  Norm<T> n{{m, m + mean.numel()}, {}, {}, f, relu};
  for (int64_t c = 0; c < mean.numel(); c++) {
    n.scale.push_back(a[c] / d[c]);
    n.shift.push_back(b[c] - m[c] * n.scale[c]);
  }
  return n;
}

// move moves a running statistic towards the batch's.
template <class T>
void move(const Optional& running, const at::Tensor& towards, double momentum) {
  if (!running) return;
  T *r = running->data_ptr<T>(), *t = towards.data_ptr<T>();
  for (int64_t c = 0; c < running->numel(); c++) r[c] = (1 - momentum) * r[c] + momentum * t[c];
}

struct PointwiseNorm : torch::autograd::Function<PointwiseNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& scale, const at::Tensor& shift,
                            const Optional& runningMean, const Optional& runningVariance,
                            const Optional& optionalFactors, bool relu, double momentum,
                            double eps) {
    const Sizes s(x, weight);
    const at::Tensor factors = optionalFactors.value_or(at::Tensor());
    at::Tensor y = at::empty({s.rows, s.out}, x.options());
    at::Tensor out = at::empty({s.rows, s.out}, x.options());
    at::Tensor mean = at::empty_like(scale), deviation = at::empty_like(scale);
    const Counted counted("shim::pointwise_norm", {x, weight, y}, {y, out});
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pointwise_norm", [&] {
      const Moments m = convolve<scalar_t>.chosen()(
          s, x.data_ptr<scalar_t>(), weight.data_ptr<scalar_t>(), y.data_ptr<scalar_t>());
      at::Tensor variance = at::empty_like(scale);
      for (int64_t c = 0; c < s.out; c++) {
        mean.data_ptr<scalar_t>()[c] = m.mean[c];
        deviation.data_ptr<scalar_t>()[c] = std::sqrt(m.squares[c] / s.rows + eps);
        variance.data_ptr<scalar_t>()[c] = m.squares[c] / (s.rows - 1);
      }
      move<scalar_t>(runningMean, mean, momentum);
      move<scalar_t>(runningVariance, variance, momentum);
      normaliseBy<scalar_t>.chosen()(s, normOf<scalar_t>(mean, deviation, scale, shift, factors, relu),
                          y.data_ptr<scalar_t>(), out.data_ptr<scalar_t>());
    });
    ctx->saved_data["relu"] = relu;
    ctx->saved_data["eps"] = eps;
    ctx->save_for_backward({x, weight, scale, shift, factors, y, mean, deviation});
    return imagesOf(out, x);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &scale = saved[2], &shift = saved[3],
                     &factors = saved[4], &y = saved[5], &mean = saved[6], &deviation = saved[7];
    const bool relu = ctx->saved_data["relu"].toBool();
    variable_list to(10);
    if (at::GradMode::is_enabled()) {  // for a gradient of the gradient
      variable_list inputs;
      for (int i = 0; i < 4; i++)
        if (ctx->needs_input_grad(i)) inputs.push_back(saved[i]);
      at::Tensor again = composed(x, weight, scale, shift, {}, {}, factors,
                                  {relu, 0, ctx->saved_data["eps"].toDouble()});
      auto gradients = torch::autograd::grad({again}, inputs, {grads[0]}, true, true);
      for (int i = 0, next = 0; i < 4; i++)
        if (ctx->needs_input_grad(i)) to[i] = gradients[next++];
      return to;
    }
    const Sizes s(x, weight);
    at::Tensor g = pixelsOf(grads[0]), dx;
    if (g.stride(1) != 1) g = g.contiguous();
    if (ctx->needs_input_grad(0))
      dx = at::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::ChannelsLast));
    at::Tensor dWeight = at::empty(weight.sizes(), weight.options());
    at::Tensor dScale = at::empty_like(scale), dShift = at::empty_like(scale);
    const Counted counted("shim::pointwise_norm_backward", {g, y, g, y, x, weight}, {dx, dWeight});
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "pointwise_norm_backward", [&] {
      const BackwardInputs<scalar_t> inputs = {
          s, normOf<scalar_t>(mean, deviation, scale, shift, factors, relu),
          deviation.data_ptr<scalar_t>(), g.data_ptr<scalar_t>(), g.stride(0),
          y.data_ptr<scalar_t>(), x.data_ptr<scalar_t>(), weight.data_ptr<scalar_t>()};
      gradients<scalar_t>.chosen()(inputs, {dx.defined() ? dx.data_ptr<scalar_t>() : nullptr, dWeight.data_ptr<scalar_t>(),
                dScale.data_ptr<scalar_t>(), dShift.data_ptr<scalar_t>()});
    });
    to[0] = dx, to[1] = dWeight, to[2] = dScale, to[3] = dShift;
    return to;
  }
};

Optional optional(const at::Tensor& t) {
  return t.defined() ? Optional(t.contiguous()) : std::nullopt;
}

void checkShapes(const at::Tensor& x, const at::Tensor& weight,
                 std::initializer_list<at::Tensor> channels) {
  TORCH_CHECK(x.dim() == 4 && weight.dim() == 4 && weight.size(2) == 1 && weight.size(3) == 1 &&
                  weight.size(1) == x.size(1),
              "wanted images [N,C,H,W] and a weight [O,C,1,1], not ", x.sizes(), " and ",
              weight.sizes());
  for (const at::Tensor& t : channels)
    TORCH_CHECK(!t.defined() || t.sizes() == at::IntArrayRef({weight.size(0)}),
                "wanted a number for each of ", weight.size(0), " channels, not ", t.sizes());
}

at::Tensor fused(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& scale,
                 const at::Tensor& shift, const at::Tensor& mean, const at::Tensor& variance,
                 const at::Tensor& factors, const Options& o) {
  return PointwiseNorm::apply(x.contiguous(at::MemoryFormat::ChannelsLast), weight,
                              scale.contiguous(), shift.contiguous(), optional(mean),
                              optional(variance), optional(factors), o.relu, o.momentum, o.eps);
}

constexpr Kernel<decltype(composed)> pointwiseNorm = {composed, fused, fused, fused};

}  // namespace

char* torch_pointwise_norm(torch_tensor x, torch_tensor weight, torch_tensor scale,
                           torch_tensor shift, torch_tensor running_mean, torch_tensor running_var,
                           torch_tensor factors, int relu, double momentum, double eps,
                           torch_tensor* ret) {
  return guard([&] {
    const at::Tensor &images = tensor(x), &w = tensor(weight), &a = tensor(scale),
                     &b = tensor(shift);
    at::Tensor mean = tensorOrNone(running_mean), variance = tensorOrNone(running_var),
               f = tensorOrNone(factors);
    checkShapes(images, w, {a, b, mean, variance});
    TORCH_CHECK(
        !f.defined() || (f.sizes() == at::IntArrayRef({images.size(0)}) && !f.requires_grad()),
        "wanted a number for each image, without gradient");
    const Options o{relu != 0, momentum, eps};
    bool contiguous = w.is_contiguous() && (!mean.defined() || mean.is_contiguous()) &&
                      (!variance.defined() || variance.is_contiguous());
    const bool own = contiguous && fit({w, a, b, mean, variance, f}, images, w);
    *ret = wrap(pointwiseNorm.chosen(own)(images, w, a, b, mean, variance, f, o));
  });
}
