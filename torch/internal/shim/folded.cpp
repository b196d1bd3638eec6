// A depthwise convolution, the 1x1 convolution after it, and what follows in evaluation: a shift, a
// sum. Neither the ReLU before it nor what lies between the two goes to memory.
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <c10/core/GradMode.h>


#include "count.h"
#include "guard.h"
#include "processor.h"
#include "folded.h"

#define LOOPS "folded_loops.h"
#include "each_processor.h"

using namespace shim;

#ifndef INTRA_OP_PARALLEL
#error "at::parallel_for is compiled for one thread: -fopenmp is missing"
#endif

namespace {

constexpr auto last = at::MemoryFormat::ChannelsLast;

template <class T>
constexpr Kernel<void(const Depthwise&, const FoldedOf<T>&)> foldedBy =
    FORMS(nullptr, folded<T>);

// The operands; weight and add may be undefined. out is written to.
struct Operands {
  at::Tensor x, weight, matrix, add, out;
  int64_t outs;
  bool relu;
  int64_t stride, dilation;

  Depthwise sizes() const {
    return {x.size(0), x.size(2), x.size(3), x.size(1), weight.defined() ? weight.size(2) : 1,
            dilation,  stride,    relu};
  }
  std::vector<int64_t> outSizes() const {
    const Depthwise d = sizes();
    return {d.n, outs, d.outH(), d.outW()};
  }
};

// pixelRow is the distance between pixels that lie in a row, image after image, channels last; or 0
// if they do not.
int64_t pixelRow(const at::Tensor& t) {
  const int64_t n = t.size(0), c = t.size(1), h = t.size(2), w = t.size(3);
  const int64_t row = w > 1 ? t.stride(3) : h > 1 ? t.stride(2) : n > 1 ? t.stride(0) : c;
  const bool rows = (c == 1 || t.stride(1) == 1) && (h == 1 || t.stride(2) == w * row) &&
                    (n == 1 || t.stride(0) == h * w * row) && row >= c;
  return rows ? row : 0;
}

at::Tensor inRows(const at::Tensor& t) {
  return t.defined() && pixelRow(t) == 0 ? t.contiguous(last) : t;
}

// composed is the same by libtorch's operators.
void composed(const Operands& o) {
  const Depthwise d = o.sizes();
  at::Tensor y = d.relu ? o.x.relu() : o.x;
  if (o.weight.defined())
    y = at::conv2d(y, o.weight, {}, at::IntArrayRef({d.stride, d.stride}),
                   at::IntArrayRef({d.padding(), d.padding()}),
                   at::IntArrayRef({d.dilation, d.dilation}), d.c);
  const at::Tensor all = o.matrix.narrow(1, 0, o.outs);
  y = at::addmm(all[d.c], y.permute({0, 2, 3, 1}).reshape({d.n * d.outH() * d.outW(), d.c}), all.narrow(0, 0, d.c));
  y = y.view({d.n, d.outH(), d.outW(), o.outs}).permute({0, 3, 1, 2});
  at::Tensor out = o.out;
  out.copy_(o.add.defined() ? o.add + y : y);
}

// own is by our loops.
void own(const Operands& o) {
  const at::Tensor x = inRows(o.x), add = inRows(o.add);
  const at::Tensor weight = o.weight.defined() ? o.weight.contiguous() : o.weight;
  at::Tensor out = o.out;
  if (pixelRow(out) == 0)
    out = at::empty(o.outSizes(), x.options().memory_format(last));
  const Counted counted("shim::folded", {x, weight, o.matrix, add}, {out});
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "folded", [&] {
    const auto data = [](const at::Tensor& t) {
      return t.defined() ? t.data_ptr<scalar_t>() : nullptr;
    };
    foldedBy<scalar_t>.chosen()(
        o.sizes(), {data(x), pixelRow(x), data(weight), data(o.matrix), o.outs,
                    data(add), add.defined() ? pixelRow(add) : 0, data(out), pixelRow(out)});
  });
  if (!out.is_same(o.out)) at::Tensor(o.out).copy_(out);
}

constexpr Kernel<decltype(composed)> foldedForms = {composed, own, own, own};

// fit tells whether the loops take these tensors.
bool fit(const Operands& o) {
  const auto type = o.x.scalar_type();
  const auto same = [&](const at::Tensor& t) {
    return !t.defined() || (t.scalar_type() == type && t.device().is_cpu());
  };
  const bool convolved = !o.weight.defined() || ((o.weight.size(2) == 3 || o.weight.size(2) == 5) &&
                                                 o.stride <= 2 && o.dilation <= 2);
  return (type == at::kFloat || type == at::kDouble) && o.x.numel() > 0 && o.x.size(1) % 4 == 0 &&
         convolved && o.matrix.is_contiguous() && !at::autocast::is_autocast_enabled(at::kCPU) &&
         same(o.x) && same(o.weight) && same(o.matrix) && same(o.add) && same(o.out);
}

void check(const Operands& o) {
  TORCH_CHECK(o.x.dim() == 4, "wanted images [N,C,H,W], not ", o.x.sizes());
  const int64_t c = o.x.size(1);
  const bool depthwise = o.weight.defined();
  TORCH_CHECK(!depthwise || (o.weight.dim() == 4 && o.weight.size(0) == c &&
                             o.weight.size(1) == 1 && o.weight.size(2) == o.weight.size(3) &&
                             o.weight.size(2) % 2 == 1),
              "wanted a weight [", c, ",1,k,k] of odd k, not ", o.weight.sizes());
  TORCH_CHECK(depthwise || (o.stride == 1 && o.dilation == 1),
              "a stride or dilation needs a weight");
  constexpr int64_t most = 1 << 20;
  TORCH_CHECK(o.stride > 0 && o.dilation > 0 && o.stride <= most && o.dilation <= most, "stride ",
              o.stride, " and dilation ", o.dilation, ", wanted numbers from 1 to ", most);
  TORCH_CHECK(o.outs > 0 && o.outs <= most &&
                  o.matrix.sizes() == at::IntArrayRef({c + 1, foldedRow(o.outs)}),
              "wanted a folded matrix of ", c, " to ", o.outs, " channels, not ",
              o.matrix.sizes());
  TORCH_CHECK(!o.add.defined() || o.add.sizes() == at::IntArrayRef(o.outSizes()),
              "wanted to add images of ", o.outSizes(), ", not ", o.add.sizes());
  TORCH_CHECK(!o.out.defined() || o.out.sizes() == at::IntArrayRef(o.outSizes()),
              "wanted to write images of ", o.outSizes(), ", not ", o.out.sizes());
}

}  // namespace

char* torch_folded(torch_tensor x, torch_tensor depthwise, torch_tensor matrix, int64_t outs,
                      int64_t stride, int64_t dilation, int relu, torch_tensor add,
                      torch_tensor out, torch_tensor* ret) {
  return guard([&] {
    c10::NoGradGuard none;
    Operands o = {tensor(x), tensorOrNone(depthwise), tensor(matrix), tensorOrNone(add),
                  tensorOrNone(out), outs, relu != 0, stride, dilation};
    check(o);
    const bool made = !o.out.defined();
    if (made) o.out = at::empty(o.outSizes(), o.x.options().memory_format(last));
    foldedForms.chosen(fit(o))(o);
    if (made) *ret = wrap(o.out);
  });
}
