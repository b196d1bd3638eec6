// Sums of tensors, each times factors: one pass over memory in place of one for each term.
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/mul.h>

#include <algorithm>

#include "count.h"
#include "guard.h"
#include "processor.h"

namespace shim {

// A term of a sum: y times factors that repeat.
template <class T>
struct Scaled {
  const T *y, *share;
  int64_t period;  // numbers of share
};

}  // namespace shim

#define LOOPS "sum_loops.h"
#include "each_processor.h"

using namespace shim;

namespace {

using Tensors = std::vector<at::Tensor>;

template <class T>
constexpr Kernel<void(const std::vector<Scaled<T>>&, bool, int64_t, T*)> sumOfScaled =
    FORMS(nullptr, scaledSum<T>);

void composed(at::Tensor out, bool add, const Tensors& ys, const Tensors& shares) {
  for (size_t i = 0; i < ys.size(); i++) {
    std::vector<int64_t> rows = out.sizes().vec();
    at::Tensor share = shares[i].reshape({-1});
    if (share.numel() > 1) rows = {out.numel() / share.numel(), share.numel()};
    at::Tensor to = out.view(rows);
    const at::Tensor y = ys[i].reshape(rows);
    if (add || i > 0)
      to.addcmul_(y, share);
    else
      at::mul_out(to, y, share);
  }
}

void own(at::Tensor out, bool add, const Tensors& ys, const Tensors& shares) {
  Tensors reads = ys;
  if (add) reads.push_back(out);
  const Counted counted("shim::scaled_sum", reads, {out});
  AT_DISPATCH_FLOATING_TYPES(out.scalar_type(), "scaled_sum", [&] {
    std::vector<Scaled<scalar_t>> terms;
    for (size_t i = 0; i < ys.size(); i++)
      terms.push_back({ys[i].data_ptr<scalar_t>(), shares[i].data_ptr<scalar_t>(), shares[i].numel()});
    sumOfScaled<scalar_t>.chosen()(terms, add, out.numel(), out.data_ptr<scalar_t>());
  });
}

constexpr Kernel<decltype(composed)> scaledSums = {composed, own, own, own};

}  // namespace

char* torch_scaled_sum(torch_tensor out, int add, const torch_tensor* ys,
                       const torch_tensor* shares, int64_t n) {
  return guard([&] {
    const at::Tensor& sum = tensor(out);
    const Tensors y = tensors(ys, n), share = tensors(shares, n);
    const auto fits = [&](const at::Tensor& t) {
      return t.device().is_cpu() && t.is_contiguous() && !t.requires_grad();
    };
    bool own = (sum.scalar_type() == at::kFloat || sum.scalar_type() == at::kDouble) && fits(sum);
    for (int64_t i = 0; i < n; i++) {
      TORCH_CHECK(y[i].numel() == sum.numel() && share[i].numel() > 0 &&
                      sum.numel() % share[i].numel() == 0 &&
                      y[i].scalar_type() == sum.scalar_type() &&
                      share[i].scalar_type() == sum.scalar_type(),
                  "terms ", y[i].sizes(), " and factors ", share[i].sizes(),
                  " do not fit a sum ", sum.sizes(), ", or types differ");
      own = own && fits(y[i]) && fits(share[i]);
    }
    scaledSums.chosen(own)(sum, add != 0, y, share);
  });
}
