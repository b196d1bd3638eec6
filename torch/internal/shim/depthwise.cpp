// Depthwise convolutions whose padding keeps the size of an image at stride 1, and the ReLU before
// them. Images that lie channels last go through loops of our own (depthwise_loops.h), which compute
// the ReLU on the way and both gradients while an image lies in the caches.
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/threshold_backward.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "count.h"
#include "depthwise.h"
#include "guard.h"
#include "processor.h"

#define LOOPS "depthwise_loops.h"
#include "each_processor.h"

using namespace shim;

#ifndef INTRA_OP_PARALLEL
#error "at::parallel_for is compiled for one thread: -fopenmp is missing"
#endif

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <class T>
constexpr Kernel<void(const Depthwise&, const ForwardOf<T>&)> forwards =
    FORMS(nullptr, depthwiseForward<T>);
template <class T>
constexpr Kernel<void(const Depthwise&, const BackwardOf<T>&)> backwards =
    FORMS(nullptr, depthwiseBackward<T>);
template <class T>
constexpr Kernel<void(const T*, T*, int64_t, int64_t)> sums = FORMS(nullptr, reluSum<T>);

struct Options {
  bool relu;
  int64_t stride, dilation;
  at::Tensor through;  // [c,c], or undefined

  int64_t padding(const at::Tensor& weight) const { return dilation * (weight.size(2) - 1) / 2; }
};

Depthwise sizes(const at::Tensor& x, const at::Tensor& weight, const Options& o) {
  return {x.size(0),      x.size(2),  x.size(3), x.size(1),
          weight.size(2), o.dilation, o.stride,  o.relu};
}

// fit tells whether the loops take these tensors.
bool fit(const at::Tensor& x, const at::Tensor& weight, const Options& o,
         std::initializer_list<at::Tensor> others) {
  const auto type = x.scalar_type();
  const auto own = [&](const at::Tensor& t) {
    return !t.defined() || (t.scalar_type() == type && t.device().is_cpu());
  };
  return (type == at::kFloat || type == at::kDouble) && x.numel() > 0 && x.size(1) % 4 == 0 &&
         (weight.size(2) == 3 || weight.size(2) == 5) && o.stride <= 2 && o.dilation <= 2 &&
         !at::autocast::is_autocast_enabled(at::kCPU) && own(x) && own(weight) &&
         own(o.through) &&
         std::all_of(others.begin(), others.end(), own);
}

at::Tensor images(const at::Tensor& t) { return t.contiguous(at::MemoryFormat::ChannelsLast); }
at::Tensor whole(const at::Tensor& t) { return t.defined() ? t.contiguous() : t; }

template <class T>
T* dataOf(const at::Tensor& t) {
  return t.defined() ? t.data_ptr<T>() : nullptr;
}

// The result of a convolution of x.
at::Tensor room(const at::Tensor& x, const Depthwise& d) {
  return at::empty({d.n, d.c, d.outH(), d.outW()},
                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
}

// pixels views images as a matrix with a row for each pixel, or copies them.
at::Tensor pixels(const at::Tensor& t) {
  return t.permute({0, 2, 3, 1}).reshape({t.size(0) * t.size(2) * t.size(3), t.size(1)});
}

// read is what a convolution of x reads.
at::Tensor read(const at::Tensor& x, const Options& o) {
  at::Tensor y = x;
  if (o.through.defined())
    y = pixels(x)
            .mm(o.through)
            .view({x.size(0), x.size(2), x.size(3), x.size(1)})
            .permute({0, 3, 1, 2});
  return o.relu ? y.relu() : y;
}

// composed is the convolution by libtorch's operators, which have gradients of every order.
at::Tensor composed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const Options& o) {
  const int64_t p = o.padding(weight);
  return at::conv2d(read(x, o), weight, bias, at::IntArrayRef({o.stride, o.stride}),
                    at::IntArrayRef({p, p}), at::IntArrayRef({o.dilation, o.dilation}),
                    weight.size(0));
}

at::Tensor own(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
               const Options& o, const at::Tensor& gram = {}) {
  const at::Tensor from = images(x), w = weight.contiguous(), through = whole(o.through),
                   b = whole(bias);
  const Depthwise d = sizes(from, w, o);
  at::Tensor y = room(from, d);
  const Counted counted("shim::depthwise", {from, w, through}, {y});
  AT_DISPATCH_FLOATING_TYPES(from.scalar_type(), "depthwise", [&] {
    forwards<scalar_t>.chosen()(
        d, {from.data_ptr<scalar_t>(), w.data_ptr<scalar_t>(), dataOf<scalar_t>(through),
            dataOf<scalar_t>(b), y.data_ptr<scalar_t>(), dataOf<scalar_t>(gram)});
  });
  return y;
}

// One of the convolutions of x: the gradient of its result is the images dy, or where that is undefined
// Σ pixels·matrices. dWeight, where the gradient of its weight goes, may be undefined.
struct Way {
  at::Tensor dy;
  std::vector<at::Tensor> pixels, matrices;
  at::Tensor weight, dWeight;
  Options o;
};

// Where the gradient of x goes, unless undefined; it can be added. gram is dxᵀ·beside, and sums are those
// of dx, over pixels.
struct Gradients {
  at::Tensor x, beside, gram, sums;
  bool add;
};

void composedWay(const Way& from, const at::Tensor& x, const Gradients& to, bool add) {
  const Options& o = from.o;
  at::Tensor g = from.dy;
  if (!g.defined()) {
    at::Tensor sum = at::mm(from.pixels[0], from.matrices[0]);
    for (size_t i = 1; i < from.pixels.size(); i++) sum.addmm_(from.pixels[i], from.matrices[i]);
    const Depthwise d = sizes(x, from.weight, o);
    g = sum.view({d.n, d.outH(), d.outW(), d.c}).permute({0, 3, 1, 2});
  }
  const int64_t p = o.padding(from.weight);
  const at::Tensor rectified = read(x, o);
  const std::vector<int64_t> strides(2, o.stride), paddings(2, p), dilations(2, o.dilation);
  const auto backward = [&](bool needX) {
    return at::convolution_backward(g, rectified, from.weight, c10::nullopt, strides, paddings,
                                    dilations, /*transposed=*/false, {0, 0}, from.weight.size(0),
                                    {needX, !needX, false});
  };
  if (from.dWeight.defined()) from.dWeight.copy_(std::get<1>(backward(false)));
  if (!to.x.defined()) return;
  // At stride 1 it is a convolution too, of which libtorch's loops are faster.
  at::Tensor dx = o.stride == 1 ? at::conv2d(g, from.weight.flip({2, 3}), {}, strides, paddings,
                                             dilations, from.weight.size(0))
                                : std::get<0>(backward(true));
  at::Tensor result = to.x;
  if (o.relu && !add) {
    at::threshold_backward_out(result, dx, rectified, 0);
  } else {
    if (o.relu) dx = at::threshold_backward(dx, rectified, 0);
    add ? result.add_(dx) : result.copy_(dx);
  }
}

void composedBackward(const std::vector<Way>& ways, const at::Tensor& x, const Gradients& to) {
  for (size_t i = 0; i < ways.size(); i++) composedWay(ways[i], x, to, to.add || i > 0);
  at::Tensor gram = to.gram, sums = to.sums;
  if (gram.defined()) at::mm_out(gram, pixels(to.x).t(), pixels(to.beside));
  if (sums.defined()) sums.copy_(pixels(to.x).sum({0}, false, at::kDouble));
}

void ownBackward(const std::vector<Way>& ways, const at::Tensor& x, const Gradients& to) {
  const auto imagesOf = [](const at::Tensor& t) { return t.defined() ? images(t) : t; };
  const at::Tensor from = images(x), dx = imagesOf(to.x), beside = imagesOf(to.beside),
                   gram = whole(to.gram), sums = whole(to.sums),
                   through = whole(ways[0].o.through);
  std::vector<Way> own;
  std::vector<at::Tensor> reads = {from, through}, writes = {dx};
  if (beside.defined() && !beside.is_alias_of(from)) reads.push_back(beside);
  if (to.add) reads.push_back(dx);
  for (const Way& w : ways) {
    own.push_back({imagesOf(w.dy), {}, {}, w.weight.contiguous(), whole(w.dWeight), w.o});
    for (const at::Tensor& t : w.pixels) own.back().pixels.push_back(t.contiguous());
    for (const at::Tensor& t : w.matrices) own.back().matrices.push_back(t.contiguous());
    for (const at::Tensor& t : {own.back().dy, own.back().weight}) reads.push_back(t);
    reads.insert(reads.end(), own.back().pixels.begin(), own.back().pixels.end());
    writes.push_back(own.back().dWeight);
  }
  const Counted counted("shim::depthwise_backward", reads, writes);
  AT_DISPATCH_FLOATING_TYPES(from.scalar_type(), "depthwise_backward", [&] {
    BackwardOf<scalar_t> p = {};
    for (const Way& w : own) {
      p.parts.push_back({sizes(from, w.weight, w.o), dataOf<scalar_t>(w.dy), {},
                         dataOf<scalar_t>(w.weight), dataOf<scalar_t>(w.dWeight)});
      for (size_t i = 0; i < w.pixels.size(); i++)
        p.parts.back().products.push_back({dataOf<scalar_t>(w.pixels[i]),
                                           dataOf<scalar_t>(w.matrices[i]), w.pixels[i].size(1)});
    }
    p.x = dataOf<scalar_t>(from), p.through = dataOf<scalar_t>(through);
    p.dx = dataOf<scalar_t>(dx), p.add = to.add, p.beside = dataOf<scalar_t>(beside);
    p.gram = dataOf<scalar_t>(gram), p.sums = dataOf<double>(sums);
    backwards<scalar_t>.chosen()(p.parts[0].d, p);
  });
  const auto back = [](const at::Tensor& result, const at::Tensor& wanted) {
    if (result.defined() && !result.is_same(wanted)) wanted.copy_(result);
  };
  back(dx, to.x), back(gram, to.gram), back(sums, to.sums);
  for (size_t i = 0; i < ways.size(); i++) back(own[i].dWeight, ways[i].dWeight);
}

struct OwnFunction : torch::autograd::Function<OwnFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            bool relu, int64_t stride, int64_t dilation) {
    ctx->saved_data["relu"] = relu;
    ctx->saved_data["stride"] = stride;
    ctx->saved_data["dilation"] = dilation;
    ctx->save_for_backward({x, weight});
    return own(x, weight, {}, {relu, stride, dilation, {}});
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &g = grads[0];
    const Options o = {ctx->saved_data["relu"].toBool(), ctx->saved_data["stride"].toInt(),
                       ctx->saved_data["dilation"].toInt(), {}};
    const bool needs[] = {ctx->needs_input_grad(0), ctx->needs_input_grad(1)};
    variable_list to(5);
    if (at::GradMode::is_enabled()) {  // for a gradient of the gradient
      variable_list inputs;
      for (int i = 0; i < 2; i++)
        if (needs[i]) inputs.push_back(saved[i]);
      auto gradients =
          torch::autograd::grad({composed(x, weight, {}, o)}, inputs, {g}, true, true);
      for (int i = 0, next = 0; i < 2; i++)
        if (needs[i]) to[i] = gradients[next++];
      return to;
    }
    if (needs[0])
      to[0] = at::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::ChannelsLast));
    if (needs[1]) to[1] = at::empty(weight.sizes(), weight.options());
    ownBackward({{g, {}, {}, weight, to[1], o}}, x, {to[0], {}, {}, {}, false});
    return to;
  }
};

// With gram [c,c], yᵀ·y over pixels, it takes no part in autograd.
at::Tensor convolved(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     const Options& o, const at::Tensor& gram) {
  const auto follows = [](const at::Tensor& t) { return t.defined() && t.requires_grad(); };
  const bool graph = at::GradMode::is_enabled() && !gram.defined() &&
                     (follows(x) || follows(weight) || follows(bias) || follows(o.through));
  if (!graph) return own(x, weight, bias, o, gram);
  if (o.through.defined()) return composed(x, weight, bias, o);
  at::Tensor y = OwnFunction::apply(images(x), weight, o.relu, o.stride, o.dilation);
  return bias.defined() ? y + bias.view({1, -1, 1, 1}) : y;
}

at::Tensor composedWithGram(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const Options& o, const at::Tensor& gram) {
  at::Tensor y = composed(x, weight, bias, o);
  at::Tensor sums = gram;
  if (sums.defined()) at::mm_out(sums, pixels(y).t(), pixels(y));
  return y;
}

constexpr Kernel<decltype(convolved)> depthwise = {composedWithGram, convolved, convolved,
                                                   convolved};
constexpr Kernel<decltype(composedBackward)> depthwiseGradients = {composedBackward, ownBackward,
                                                                   ownBackward, ownBackward};

at::Tensor composedSum(const at::Tensor& x) { return x.relu().sum(0); }

at::Tensor ownSum(const at::Tensor& x) {
  at::Tensor out = at::empty({x.size(1)}, x.options());
  const Counted counted("shim::relu_sum", {x}, {out});
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "relu_sum", [&] {
    sums<scalar_t>.chosen()(x.data_ptr<scalar_t>(), out.data_ptr<scalar_t>(), x.size(0),
                            x.size(1));
  });
  return out;
}

constexpr Kernel<decltype(composedSum)> reluSums = {composedSum, ownSum, ownSum, ownSum};

void checkSquare(const at::Tensor& t, const at::Tensor& weight) {
  TORCH_CHECK(!t.defined() || t.sizes() == at::IntArrayRef({weight.size(0), weight.size(0)}),
              "wanted a matrix of ", weight.size(0), " by ", weight.size(0), " channels, not ",
              t.sizes());
}

}  // namespace

void shim::checkDepthwise(at::IntArrayRef x, const at::Tensor& weight, int64_t stride,
                          int64_t dilation) {
  TORCH_CHECK(x.size() == 4 && weight.dim() == 4 && weight.size(1) == 1 &&
                  weight.size(0) == x[1] && weight.size(2) == weight.size(3) &&
                  weight.size(2) % 2 == 1,
              "wanted images [N,C,H,W] and a weight [C,1,k,k] of odd k, not ", x, " and ",
              weight.sizes());
  // libtorch does not notice where larger ones overflow.
  constexpr int64_t most = 1 << 20;
  TORCH_CHECK(stride > 0 && dilation > 0 && stride <= most && dilation <= most, "stride ", stride,
              " and dilation ", dilation, ", wanted numbers from 1 to ", most);
}

at::Tensor shim::depthwiseOf(const at::Tensor& x, const at::Tensor& weight, bool relu,
                             int64_t stride, int64_t dilation) {
  const Options o = {relu, stride, dilation, {}};
  return depthwise.chosen(fit(x, weight, o, {}))(x, weight, {}, o, {});
}

char* torch_depthwise(torch_tensor x, torch_tensor through, torch_tensor weight, torch_tensor bias,
                      int relu, int64_t stride, int64_t dilation, torch_tensor gram,
                      torch_tensor* ret) {
  return guard([&] {
    const at::Tensor &from = tensor(x), &w = tensor(weight);
    const at::Tensor b = tensorOrNone(bias), sums = tensorOrNone(gram);
    const Options o = {relu != 0, stride, dilation, tensorOrNone(through)};
    checkDepthwise(from.sizes(), w, stride, dilation);
    checkSquare(o.through, w);
    TORCH_CHECK(!b.defined() || b.sizes() == at::IntArrayRef({w.size(0)}),
                "wanted a bias for each of ", w.size(0), " channels, not ", b.sizes());
    checkSquare(sums, w);
    const bool own = fit(from, w, o, {b, sums}) && (!sums.defined() || sums.is_contiguous());
    std::optional<c10::NoGradGuard> none;
    if (sums.defined()) none.emplace();
    *ret = wrap(depthwise.chosen(own)(from, w, b, o, sums));
  });
}

char* torch_depthwise_backward(const torch_tensor* gs, const torch_tensor* matrices,
                               const int64_t* products, const torch_tensor* weights,
                               const int64_t* dilations, const torch_tensor* d_weights, int64_t n,
                               torch_tensor x, torch_tensor through, int relu, int64_t stride,
                               torch_tensor dx, int add, torch_tensor beside, torch_tensor gram,
                               torch_tensor sums) {
  return guard([&] {
    const at::Tensor& from = tensor(x);
    const Gradients to = {tensorOrNone(dx), tensorOrNone(beside), tensorOrNone(gram),
                          tensorOrNone(sums), add != 0};
    std::vector<Way> ways;
    bool own = true;
    TORCH_CHECK(n > 0, "wanted a convolution at least");
    for (int64_t i = 0; i < n; i++) {
      Way w = {{}, {}, {}, tensor(weights[i]), tensorOrNone(d_weights[i]),
               {relu != 0, stride, dilations[i], tensorOrNone(through)}};
      checkDepthwise(from.sizes(), w.weight, stride, dilations[i]);
      checkSquare(w.o.through, w.weight);
      const Depthwise d = sizes(from, w.weight, w.o);
      if (products[i] == 0) {
        w.dy = tensor(*gs++);
        TORCH_CHECK(w.dy.sizes() == at::IntArrayRef({d.n, d.c, d.outH(), d.outW()}),
                    "a gradient of ", w.dy.sizes(), " does not fit images of ", from.sizes());
      } else {
        w.pixels = tensors(gs, products[i]), w.matrices = tensors(matrices, products[i]);
        gs += products[i], matrices += products[i];
      }
      own = own && fit(from, w.weight, w.o, {w.dy, to.x, w.dWeight, to.beside, to.gram});
      for (size_t j = 0; j < w.pixels.size(); j++) {
        const at::Tensor &a = w.pixels[j], &b = w.matrices[j];
        TORCH_CHECK(a.dim() == 2 && b.dim() == 2 && a.size(0) == d.n * d.outH() * d.outW() &&
                        a.size(1) == b.size(0) && b.size(1) == d.c,
                    "a product of ", a.sizes(), " and ", b.sizes(), " does not fit images of ",
                    from.sizes());
        own = own && fit(from, w.weight, w.o, {a, b}) && a.size(1) > 0;
      }
      TORCH_CHECK(!w.dWeight.defined() || w.dWeight.sizes() == w.weight.sizes(),
                  "a gradient of ", w.dWeight.sizes(), " does not fit a weight of ",
                  w.weight.sizes());
      ways.push_back(w);
    }
    const at::Tensor& weight = ways[0].weight;
    TORCH_CHECK(!to.x.defined() || to.x.sizes() == from.sizes(),
                "the gradient does not fit images of ", from.sizes());
    checkSquare(to.gram, weight);
    TORCH_CHECK(!to.sums.defined() || (to.x.defined() && to.sums.scalar_type() == at::kDouble &&
                                       to.sums.sizes() == at::IntArrayRef({weight.size(0)}) &&
                                       to.sums.device() == from.device()),
                "sums need the gradient of x and room for ", weight.size(0),
                " numbers of float64");
    TORCH_CHECK(!to.gram.defined() || (to.x.defined() && to.beside.defined() &&
                                       to.beside.sizes() == from.sizes()),
                "a Gram matrix needs the gradient of x and images of its size");
    c10::NoGradGuard none;
    depthwiseGradients.chosen(own)(ways, from, to);
  });
}

char* torch_relu_sum(torch_tensor x, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& rows = tensor(x);
    TORCH_CHECK(rows.dim() == 2, "wanted a matrix, not ", rows.sizes());
    const bool own = (rows.scalar_type() == at::kFloat || rows.scalar_type() == at::kDouble) &&
                     rows.device().is_cpu() && rows.is_contiguous() && rows.numel() > 0 &&
                     !(at::GradMode::is_enabled() && rows.requires_grad());
    *ret = wrap(reluSums.chosen(own)(rows));
  });
}
