// Stages of a separable convolution in training: ReLU, depthwise convolution, 1x1 convolution and batch
// norm, of which ReLU and depthwise convolution may be missing. The graph keeps the images x and each
// stage's result before its batch norm. Backward computes what lies between once more, image by image
// while an image lies in the caches (separable_rows.h).
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
#include <functional>
#include <optional>

#include "count.h"
#include "guard.h"
#include "separable.h"
#include "processor.h"

#define LOOPS "separable_loops.h"
#include "each_processor.h"

using namespace shim;

#ifndef INTRA_OP_PARALLEL
#error "at::parallel_for is compiled for one thread: -fopenmp is missing"
#endif

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <class T>
constexpr Kernel<Moments(const Stage<T>&, T*)> convolve = FORMS(nullptr, convolved<T>);
template <class T>
constexpr Kernel<void(const Sizes&, const Norm<T>&, const T*, T*)> normaliseBy =
    FORMS(nullptr, normalise<T>);
template <class T>
constexpr Kernel<void(const Stage<T>&, const Arriving<T>&, const Gradients<T>&)> gradients =
    FORMS(nullptr, backward<T>);

// The tensors and options of a stage. taps, of the depthwise convolution, and the running statistics
// may be undefined.
struct Layer {
  at::Tensor taps, weight, scale, shift, runningMean, runningVariance;
  bool relu;
  int64_t stride, dilation;

  void eachWeight(const std::function<void(at::Tensor&)>& each) {
    if (taps.defined()) each(taps);
    each(weight), each(scale), each(shift);
  }
};

using Layers = std::vector<Layer>;

// What follows the last batch norm, and the options of all of them.
struct Tail {
  at::Tensor factors;  // of images, or undefined
  double momentum, eps;
};

// fit tells whether the loops above take these tensors.
bool fit(const at::Tensor& x, const Layers& layers, const Tail& tail) {
  const auto type = x.scalar_type();
  const auto own = [&](const at::Tensor& t) {
    return !t.defined() || (t.scalar_type() == type && t.device().is_cpu());
  };
  const auto whole = [&](const at::Tensor& t) { return own(t) && (!t.defined() || t.is_contiguous()); };
  return (type == at::kFloat || type == at::kDouble) && x.numel() > 0 && own(x) &&
         own(tail.factors) && !at::autocast::is_autocast_enabled(at::kCPU) &&
         std::all_of(layers.begin(), layers.end(), [&](const Layer& l) {
           const bool convolved = !l.taps.defined() ||
                                  ((l.taps.size(2) == 3 || l.taps.size(2) == 5) && l.stride <= 2 &&
                                   l.dilation <= 2 && own(l.taps));
           return convolved && l.weight.size(0) % 4 == 0 && l.weight.size(1) % 4 == 0 &&
                  own(l.weight) && own(l.scale) && own(l.shift) && whole(l.runningMean) &&
                  whole(l.runningVariance);
         });
}

at::Tensor pixelsOf(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).reshape({x.size(0) * x.size(2) * x.size(3), x.size(1)});
}

at::Tensor imagesOf(const at::Tensor& pixels, const at::Tensor& like) {
  return pixels.view({like.size(0), like.size(2), like.size(3), pixels.size(1)})
      .permute({0, 3, 1, 2});
}

// composed is a stage without a depthwise convolution by libtorch's operators, which have gradients of
// every order.
at::Tensor composed(const at::Tensor& x, const Layer& l, const Tail& tail) {
  const at::Tensor weight = l.weight.view({l.weight.size(0), -1});
  at::Tensor y = imagesOf(pixelsOf(l.relu ? x.relu() : x).mm(weight.t()), x);
  y = at::batch_norm(y, l.scale, l.shift, l.runningMean, l.runningVariance, /*training=*/true,
                     tail.momentum, tail.eps, /*cudnn_enabled=*/true);
  return tail.factors.defined() ? y * tail.factors.view({-1, 1, 1, 1}).to(y.scalar_type()) : y;
}

template <class T>
T* dataOf(const at::Tensor& t) {
  return t.defined() ? t.data_ptr<T>() : nullptr;
}

// y has the images of a stage's result. norm is that of the images x, or null.
template <class T>
Stage<T> stageOf(const Layer& l, const at::Tensor& x, const Norm<T>* norm, const at::Tensor& y) {
  const Depthwise d = {x.size(0),  x.size(2), x.size(3), x.size(1), l.taps.defined() ? l.taps.size(2) : 1,
                       l.dilation, l.stride,  l.relu};
  return {Sizes(y.size(0), y.size(2) * y.size(3), x.size(1), y.size(1)), x.data_ptr<T>(), norm,
          l.relu, d, dataOf<T>(l.taps), l.weight.data_ptr<T>()};
}

template <class T>
Norm<T> normOf(const at::Tensor& mean, const at::Tensor& deviation, const Layer& l,
               const at::Tensor& factors, bool relu) {
  const T *m = mean.data_ptr<T>(), *d = deviation.data_ptr<T>(), *a = l.scale.data_ptr<T>(),
          *b = l.shift.data_ptr<T>();
  Norm<T> n{{m, m + mean.numel()}, {}, {}, dataOf<T>(factors), relu};
  for (int64_t c = 0; c < mean.numel(); c++) {
    n.scale.push_back(a[c] / d[c]);
    n.shift.push_back(b[c] - m[c] * n.scale[c]);
  }
  return n;
}

// move moves a running statistic towards the batch's.
template <class T>
void move(const at::Tensor& running, const at::Tensor& towards, double momentum) {
  if (!running.defined()) return;
  T *r = running.data_ptr<T>(), *t = towards.data_ptr<T>();
  for (int64_t c = 0; c < running.numel(); c++) r[c] = (1 - momentum) * r[c] + momentum * t[c];
}

at::Tensor emptyImages(int64_t n, int64_t c, int64_t h, int64_t w, const at::Tensor& like) {
  return at::empty({n, c, h, w}, like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

// What the graph keeps of a stage: y, its result before the batch norm, and the statistics of y.
struct Kept {
  at::Tensor y, mean, deviation;
};

// advance computes y from the images x, and the batch's statistics.
template <class T>
Kept advance(const Layer& l, const at::Tensor& x, const Norm<T>* norm, const Tail& tail) {
  const auto side = [&](int64_t n) { return (n - 1) / l.stride + 1; };
  const Kept k = {emptyImages(x.size(0), l.weight.size(0), side(x.size(2)), side(x.size(3)), x),
                  at::empty_like(l.scale), at::empty_like(l.scale)};
  const Counted counted("shim::separable", {x, l.taps, l.weight}, {k.y});
  const Stage<T> stage = stageOf(l, x, norm, k.y);
  const Moments m = convolve<T>.chosen()(stage, k.y.template data_ptr<T>());
  const at::Tensor variance = at::empty_like(l.scale);
  for (int64_t c = 0; c < stage.s.out; c++) {
    k.mean.template data_ptr<T>()[c] = m.mean[c];
    k.deviation.template data_ptr<T>()[c] = std::sqrt(m.squares[c] / stage.s.rows + tail.eps);
    variance.template data_ptr<T>()[c] = m.squares[c] / (stage.s.rows - 1);
  }
  move<T>(l.runningMean, k.mean, tail.momentum);
  move<T>(l.runningVariance, variance, tail.momentum);
  return k;
}

at::Tensor chained(const at::Tensor& x, const Layers& layers, const Tail& tail);
at::Tensor operators(const at::Tensor& x, const Layers& layers, const Tail& tail);

struct Separable : torch::autograd::Function<Separable> {
  // weights are those of the layers, which autograd follows here.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList weights,
                            const Layers& layers, const Tail& tail) {
    const size_t n = layers.size();
    std::vector<Kept> kept;
    at::Tensor out;
    kept.reserve(n);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "separable", [&] {
      std::optional<Norm<scalar_t>> norm;
      for (size_t i = 0; i < n; i++) {
        const at::Tensor& from = i == 0 ? x : kept[i - 1].y;
        kept.push_back(advance<scalar_t>(layers[i], from, norm ? &*norm : nullptr, tail));
        const bool last = i + 1 == n;
        norm = normOf<scalar_t>(kept[i].mean, kept[i].deviation, layers[i],
                                last ? tail.factors : at::Tensor(),
                                !last && layers[i + 1].relu);
      }
      const at::Tensor& y = kept.back().y;
      out = emptyImages(y.size(0), y.size(1), y.size(2), y.size(3), x);
      const Counted counted("shim::normalise", {y}, {out});
      normaliseBy<scalar_t>.chosen()(
          Sizes(y.size(0), y.size(2) * y.size(3), y.size(1), y.size(1)), *norm,
          y.data_ptr<scalar_t>(), out.data_ptr<scalar_t>());
    });
    std::vector<int64_t> options;
    variable_list saved = {x, tail.factors};
    for (const Layer& l : layers) {
      options.insert(options.end(), {l.relu, l.stride, l.dilation});
      saved.insert(saved.end(), {l.taps, l.weight, l.scale, l.shift});
    }
    for (const Kept& k : kept) saved.insert(saved.end(), {k.y, k.mean, k.deviation});
    ctx->saved_data["options"] = options;
    ctx->saved_data["eps"] = tail.eps;
    ctx->save_for_backward(saved);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto options = ctx->saved_data["options"].toIntVector();
    const size_t n = options.size() / 3;
    const Tail tail = {saved[1], 0, ctx->saved_data["eps"].toDouble()};
    Layers layers;
    std::vector<Kept> kept;
    for (size_t i = 0; i < n; i++) {
      const at::Tensor *w = &saved[2 + 4 * i], *k = &saved[2 + 4 * n + 3 * i];
      const int64_t* o = &options[3 * i];
      layers.push_back({w[0], w[1], w[2], w[3], {}, {}, o[0] != 0, o[1], o[2]});
      kept.push_back({k[0], k[1], k[2]});
    }
    if (at::GradMode::is_enabled()) return withGraph(ctx, saved[0], layers, tail, grads[0]);
    variable_list back;  // last to first
    at::Tensor g = grads[0];
    for (size_t i = n; i-- > 0;) {
      const bool needX = i > 0 || ctx->needs_input_grad(0);
      g = step(layers, kept, i, i > 0 ? kept[i - 1].y : saved[0], tail, g, needX, back);
    }
    variable_list to = {g};
    to.insert(to.end(), back.rbegin(), back.rend());
    to.resize(to.size() + 2);  // layers and tail
    return to;
  }

  // step appends the gradients of stage i's weights, the last one first, and returns that of its
  // input x.
  static at::Tensor step(const Layers& layers, const std::vector<Kept>& kept, size_t i,
                         const at::Tensor& x, const Tail& tail, const at::Tensor& grad, bool needX,
                         variable_list& back) {
    const Layer& l = layers[i];
    const Kept& k = kept[i];
    const bool last = i + 1 == layers.size();
    at::Tensor g = pixelsOf(grad), dx, dTaps;
    if (g.stride(1) != 1) g = g.contiguous();
    if (needX) dx = emptyImages(x.size(0), x.size(1), x.size(2), x.size(3), x);
    if (l.taps.defined()) dTaps = at::empty(l.taps.sizes(), l.taps.options());
    const at::Tensor dWeight = at::empty(l.weight.sizes(), l.weight.options()),
                     dScale = at::empty_like(l.scale), dShift = at::empty_like(l.shift);
    const Counted counted("shim::separable_backward", {g, k.y, g, k.y, x, l.weight, l.taps},
                          {dx, dWeight, dTaps});
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "separable_backward", [&] {
      std::optional<Norm<scalar_t>> norm;
      if (i > 0)
        norm = normOf<scalar_t>(kept[i - 1].mean, kept[i - 1].deviation, layers[i - 1], {}, l.relu);
      const Arriving<scalar_t> from = {
          normOf<scalar_t>(k.mean, k.deviation, l, last ? tail.factors : at::Tensor(),
                           !last && layers[i + 1].relu),
          k.deviation.data_ptr<scalar_t>(), k.y.data_ptr<scalar_t>(), g.data_ptr<scalar_t>(),
          g.stride(0)};
      gradients<scalar_t>.chosen()(
          stageOf(l, x, norm ? &*norm : nullptr, k.y), from,
          {dataOf<scalar_t>(dx), dataOf<scalar_t>(dTaps), dWeight.data_ptr<scalar_t>(),
           dScale.data_ptr<scalar_t>(), dShift.data_ptr<scalar_t>()});
    });
    back.insert(back.end(), {dShift, dScale, dWeight});
    if (dTaps.defined()) back.push_back(dTaps);
    return dx;
  }

  // withGraph gives gradients that have gradients.
  static variable_list withGraph(AutogradContext* ctx, const at::Tensor& x, Layers& layers,
                                 const Tail& tail, const at::Tensor& g) {
    variable_list all = {x}, needed;
    for (Layer& l : layers) l.eachWeight([&](at::Tensor& w) { all.push_back(w); });
    for (size_t i = 0; i < all.size(); i++)
      if (ctx->needs_input_grad(i)) needed.push_back(all[i]);
    const auto of = torch::autograd::grad({operators(x, layers, tail)}, needed, {g}, true, true);
    variable_list to(all.size() + 2);  // layers and tail too
    for (size_t i = 0, next = 0; i < all.size(); i++)
      if (ctx->needs_input_grad(i)) to[i] = of[next++];
    return to;
  }
};

at::Tensor fused(const at::Tensor& x, const Layers& layers, const Tail& tail) {
  Layers own = layers;
  variable_list weights;
  for (Layer& l : own)
    l.eachWeight([&](at::Tensor& w) { weights.push_back(w = w.contiguous()); });
  Tail end = tail;
  if (end.factors.defined()) end.factors = end.factors.contiguous();
  return Separable::apply(x.contiguous(at::MemoryFormat::ChannelsLast), at::TensorList(weights),
                          own, end);
}

constexpr Kernel<decltype(chained)> separable = {chained, fused, fused, fused};

// eachStage computes the stages one after the other: depthwise convolutions by themselves, the rest of
// a stage by `rest`.
template <class Rest>
at::Tensor eachStage(const at::Tensor& x, const Layers& layers, const Tail& tail, const Rest& rest) {
  at::Tensor y = x;
  for (size_t i = 0; i < layers.size(); i++) {
    Layer l = layers[i];
    if (l.taps.defined()) {
      y = depthwiseOf(y, l.taps, l.relu, l.stride, l.dilation);
      l.taps = at::Tensor();
      l.relu = false, l.stride = l.dilation = 1;
    }
    const Tail none = {{}, tail.momentum, tail.eps};
    y = rest(y, l, i + 1 == layers.size() ? tail : none);
  }
  return y;
}

at::Tensor operators(const at::Tensor& x, const Layers& layers, const Tail& tail) {
  return eachStage(x, layers, tail, composed);
}

// chained takes loops for what they fit.
at::Tensor chained(const at::Tensor& x, const Layers& layers, const Tail& tail) {
  return eachStage(x, layers, tail, [](const at::Tensor& y, const Layer& l, const Tail& end) {
    const bool own = processor() != Processor::none && !operatorsOnly() && fit(y, {l}, end);
    return own ? fused(y, {l}, end) : composed(y, l, end);
  });
}

void check(const at::Tensor& x, const Layers& layers, const Tail& tail) {
  std::vector<int64_t> images = x.sizes().vec();
  for (const Layer& l : layers) {
    if (l.taps.defined()) {
      checkDepthwise(images, l.taps, l.stride, l.dilation);
      for (int side = 2; side < 4; side++)
        if (images[side] > 0) images[side] = (images[side] - 1) / l.stride + 1;
    }
    const at::Tensor& w = l.weight;
    TORCH_CHECK(images.size() == 4 && w.dim() == 4 && w.size(2) == 1 && w.size(3) == 1 &&
                    w.size(1) == images[1],
                "wanted images [N,C,H,W] and a weight [O,C,1,1], not ", images, " and ", w.sizes());
    for (const at::Tensor& t : {l.scale, l.shift, l.runningMean, l.runningVariance})
      TORCH_CHECK(!t.defined() || t.sizes() == at::IntArrayRef({w.size(0)}),
                  "wanted a number for each of ", w.size(0), " channels, not ", t.sizes());
    images[1] = w.size(0);
    TORCH_CHECK(images[0] * images[2] * images[3] != 1,
                "training needs more than one value per channel");
  }
  const at::Tensor& f = tail.factors;
  TORCH_CHECK(!f.defined() || (f.sizes() == at::IntArrayRef({x.size(0)}) && !f.requires_grad()),
              "wanted a number for each image, without gradient");
}

}  // namespace

char* torch_separable(torch_tensor x, const torch_tensor* weights, const int64_t* options,
                      int64_t n, torch_tensor factors, double momentum, double eps,
                      torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& images = tensor(x);
    Layers layers;
    for (int64_t i = 0; i < n; i++, weights += 6, options += 3)
      layers.push_back({tensorOrNone(weights[0]), tensor(weights[1]), tensor(weights[2]),
                        tensor(weights[3]), tensorOrNone(weights[4]), tensorOrNone(weights[5]),
                        options[0] != 0, options[1], options[2]});
    const Tail tail = {tensorOrNone(factors), momentum, eps};
    check(images, layers, tail);
    *ret = wrap(separable.chosen(fit(images, layers, tail))(images, layers, tail));
  });
}
