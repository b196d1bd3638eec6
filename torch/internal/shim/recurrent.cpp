// The elementwise part of recurrent networks. Forward and backward each go over memory once;
// separate operators would each read and write all of it.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <cstdint>

#include "count.h"
#include "guard.h"
#include "processor.h"

namespace shim {

// The operands of a node: states [count,rows,units], products [count,rows,2·units], mix [count,4].
template <class T>
struct Node {
  const T* states;
  T* products;
  const T* mix;
  int64_t count, rows, units;

  const T* state(int64_t j, int64_t row) const { return states + (j * rows + row) * units; }
  T* gate(int64_t j, int64_t row) const { return products + (j * rows + row) * 2 * units; }
};

}  // namespace shim

#define LOOPS "recurrent_loops.h"
#include "each_processor.h"

using namespace shim;

namespace {

template <class T>
constexpr Kernel<void(const Node<T>&, T*)> gatedMixture =
    FORMS(simd128::forward<T>, forward<T>);
template <class T>
constexpr Kernel<void(const Node<T>&, const T*, T*, double*)> gatedMixtureBackward =
    FORMS(simd128::backward<T>, backward<T>);
template <class T>
constexpr Kernel<double(T*, const T*, int64_t, int64_t)> softmaxCrossEntropy =
    FORMS(simd128::crossEntropy<T>, crossEntropy<T>);

template <class T>
Node<T> node(const at::Tensor& states, const at::Tensor& products, const at::Tensor& mix) {
  return {states.data_ptr<T>(), products.data_ptr<T>(), mix.data_ptr<T>(),
          states.size(0),       states.size(1),         states.size(2)};
}

void check(const at::Tensor& node, const at::Tensor& states, const at::Tensor& products,
           const at::Tensor& mix) {
  TORCH_CHECK(states.dim() == 3, "states: wanted [states,rows,units], got ", states.sizes());
  int64_t n = states.size(0), rows = states.size(1), units = states.size(2);
  TORCH_CHECK(products.sizes() == at::IntArrayRef({n, rows, 2 * units}), "products: ",
              products.sizes(), " does not fit states ", states.sizes());
  TORCH_CHECK(mix.sizes() == at::IntArrayRef({n, 4}), "mix: ", mix.sizes(),
              " does not fit states ", states.sizes());
  TORCH_CHECK(node.sizes() == at::IntArrayRef({rows, units}), "node: ", node.sizes(),
              " does not fit states ", states.sizes());
  for (const at::Tensor& t : {node, states, products, mix}) {
    TORCH_CHECK(t.is_contiguous() && t.device().is_cpu() && t.scalar_type() == node.scalar_type(),
                "wanted contiguous tensors of one type on the CPU");
  }
}

}  // namespace

char* torch_gated_mixture(torch_tensor out, torch_tensor states, torch_tensor products,
                          torch_tensor mix) {
  return guard([&] {
    at::Tensor t = tensor(out), s = tensor(states), ch = tensor(products), p = tensor(mix);
    check(t, s, ch, p);
    const Counted counted("shim::gated_mixture", {s, ch}, {t, ch.narrow(2, 0, t.size(1))});
    if (t.scalar_type() == at::kDouble)
      gatedMixture<double>.chosen()(node<double>(s, ch, p), t.data_ptr<double>());
    else
      gatedMixture<float>.chosen()(node<float>(s, ch, p), t.data_ptr<float>());
  });
}

char* torch_gated_mixture_backward(torch_tensor d, torch_tensor states, torch_tensor products,
                                   torch_tensor mix, torch_tensor d_states, torch_tensor d_mix) {
  return guard([&] {
    at::Tensor t = tensor(d), s = tensor(states), ch = tensor(products), p = tensor(mix),
               ds = tensor(d_states), dp = tensor(d_mix);
    check(t, s, ch, p);
    TORCH_CHECK(ds.sizes() == s.sizes() && ds.is_contiguous() &&
                    ds.scalar_type() == t.scalar_type(),
                "dStates: wanted one like states ", s.sizes());
    TORCH_CHECK(dp.sizes() == p.sizes() && dp.is_contiguous() && dp.scalar_type() == at::kDouble,
                "dMix: wanted a float64 one of mix's shape ", p.sizes());
    const Counted counted("shim::gated_mixture_backward", {t, s, ch, ds}, {ch, ds});
    double* sums = dp.data_ptr<double>();
    if (t.scalar_type() == at::kDouble)
      gatedMixtureBackward<double>.chosen()(node<double>(s, ch, p), t.data_ptr<double>(),
                                            ds.data_ptr<double>(), sums);
    else
      gatedMixtureBackward<float>.chosen()(node<float>(s, ch, p), t.data_ptr<float>(),
                                           ds.data_ptr<float>(), sums);
  });
}

namespace {

template <class T>
double crossEntropies(const at::Tensor& logits, const at::Tensor& bias, const at::Tensor& labels) {
  const int64_t rows = logits.size(0), n = logits.size(1);
  const int64_t* label = labels.data_ptr<int64_t>();
  T* x = logits.data_ptr<T>();
  const T* b = bias.defined() ? bias.data_ptr<T>() : nullptr;
  const auto crossEntropyOf = softmaxCrossEntropy<T>.chosen();
  double sum = 0;
  for (int64_t row = 0; row < rows; row++, x += n) {
    TORCH_CHECK(label[row] >= 0 && label[row] < n, "label ", label[row], " of row ", row,
                " is none of ", n, " classes");
    sum += crossEntropyOf(x, b, n, label[row]);
  }
  return sum;
}

}  // namespace

char* torch_softmax_cross_entropy(torch_tensor logits, torch_tensor bias, torch_tensor labels,
                                  torch_tensor loss) {
  return guard([&] {
    at::Tensor x = tensor(logits), b = tensorOrNone(bias), y = tensor(labels), sum = tensor(loss);
    TORCH_CHECK(x.dim() == 2 && x.size(1) > 0, "logits: wanted [rows,classes], got ", x.sizes());
    TORCH_CHECK(y.sizes() == at::IntArrayRef({x.size(0)}) && y.scalar_type() == at::kLong &&
                    y.is_contiguous() && y.device().is_cpu(),
                "labels: wanted int64 of shape [", x.size(0), "], got ", y.sizes());
    TORCH_CHECK(sum.numel() == 1 && sum.scalar_type() == at::kDouble && sum.device().is_cpu(),
                "loss: wanted one number of float64");
    TORCH_CHECK(x.is_contiguous() && x.device().is_cpu(), "logits: wanted contiguous on the CPU");
    TORCH_CHECK(!b.defined() || (b.sizes() == at::IntArrayRef({x.size(1)}) && b.is_contiguous() &&
                                 b.device().is_cpu() && b.scalar_type() == x.scalar_type()),
                "bias: wanted one of the logits' type for each class");
    TORCH_CHECK(x.scalar_type() == at::kDouble || x.scalar_type() == at::kFloat,
                "logits: wanted float32 or float64");
    const Counted counted("shim::softmax_cross_entropy", {x, y}, {x});
    *sum.data_ptr<double>() += x.scalar_type() == at::kDouble ? crossEntropies<double>(x, b, y)
                                                              : crossEntropies<float>(x, b, y);
  });
}
