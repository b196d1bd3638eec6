// Matrix products of many rows by few columns, and of their transposes. libtorch's mm calls MKL,
// which copies its operands into another layout first. For such narrow matrices the copy takes as
// long as the product.
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "count.h"
#include "guard.h"
#include "processor.h"

#define LOOPS "product_loops.h"
#include "each_processor.h"

using namespace shim;

namespace {

using Tensors = std::vector<at::Tensor>;

// fit tells whether our loops take these matrices: of float32, on the CPU, with contiguous rows.
bool fit(std::initializer_list<at::Tensor> ts) {
  return std::all_of(ts.begin(), ts.end(), [](const at::Tensor& t) {
    return t.scalar_type() == at::kFloat && t.device().is_cpu() && t.numel() > 0 &&
           t.stride(1) == 1 && !t.requires_grad();
  });
}

void check(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, int64_t rows,
           int64_t inner, int64_t innerToo) {
  TORCH_CHECK(inner == innerToo && out.sizes() == at::IntArrayRef({rows, b.size(1)}) &&
                  a.scalar_type() == out.scalar_type() && b.scalar_type() == out.scalar_type(),
              "a product of ", a.sizes(), " and ", b.sizes(), " does not fit ", out.sizes(),
              ", or types differ");
}

void libtorchSum(at::Tensor sum, bool add, const Tensors& x, const Tensors& w) {
  for (size_t i = 0; i < x.size(); i++)
    if (i == 0 && !add)
      at::mm_out(sum, x[i], w[i]);
    else
      at::addmm_out(sum, sum, x[i], w[i]);
}

#if defined(__x86_64__)
// brgemmProduct writes x·w to `rows` rows of out from row `from` on, or adds it there. It multiplies
// pieces that stay in the caches, by brgemm, a kernel of oneDNN for AVX-512 that copies nothing. With few rows
// it takes longer to read a large w than to multiply by it, so the pieces of w are whole rows.
void brgemmProduct(const at::Tensor& out, bool add, const at::Tensor& x, const at::Tensor& w,
             int64_t from, int64_t rows) {
  const int64_t n = w.size(1), k = w.size(0);
  const bool reads = rows <= 64 && n * k > 1 << 18;
  const int64_t columns = reads ? n : 64, terms = reads ? 32 : 1024;
  const float *a = x.data_ptr<float>() + from * x.stride(0), *b = w.data_ptr<float>();
  float* c = out.data_ptr<float>() + from * out.stride(0);
  for (int64_t i = 0; i < k; i += terms)
    for (int64_t j = 0; j < n; j += columns)
      at::native::cpublas::brgemm(rows, std::min(columns, n - j), std::min(terms, k - i),
                                  x.stride(0), w.stride(0), out.stride(0), add || i > 0, a + i,
                                  b + i * w.stride(0) + j, c + j);
}

// wideSum leaves products of few columns to our own loops: such products wait for memory, which the
// loops ask for ahead of time and brgemm does not.
void wideSum(at::Tensor sum, bool add, const Tensors& x, const Tensors& w) {
  if (sum.size(1) <= 64) return avx512::sumOf(sum, add, x, w);
  // These rows of out stay in the first-level cache while all products are added.
  const int64_t m = sum.size(0), blockRows = 256;
  for (int64_t from = 0; from < m; from += blockRows)
    for (size_t i = 0; i < x.size(); i++)
      brgemmProduct(sum, add || i > 0, x[i], w[i], from, std::min(blockRows, m - from));
}

constexpr Kernel<void(at::Tensor, bool, const Tensors&, const Tensors&)> sumProducts = {
    libtorchSum, simd128::sumOf, avx2::sumOf, wideSum};
#else
constexpr Kernel<void(at::Tensor, bool, const Tensors&, const Tensors&)> sumProducts =
    FORMS(libtorchSum, sumOf);
#endif

void libtorchGram(const Tensors& outs, bool add, const at::Tensor& a, const Tensors& bs) {
  for (size_t i = 0; i < bs.size(); i++) {
    at::Tensor out = outs[i];
    if (add)
      at::addmm_out(out, out, a.t(), bs[i]);
    else
      at::mm_out(out, a.t(), bs[i]);
  }
}

constexpr Kernel<void(const Tensors&, bool, const at::Tensor&, const Tensors&)> gram =
    FORMS(libtorchGram, gramOf);

}  // namespace

char* torch_sum_products(torch_tensor out, int add, const torch_tensor* xs, const torch_tensor* ws,
                         int64_t n) {
  return guard([&] {
    at::Tensor sum = tensor(out);
    const Tensors x = tensors(xs, n), w = tensors(ws, n);
    TORCH_CHECK(n > 0 && sum.dim() == 2, "wanted at least one product, and a matrix to write to");
    bool allFit = true;
    for (int64_t i = 0; i < n; i++) {
      TORCH_CHECK(x[i].dim() == 2 && w[i].dim() == 2, "wanted matrices");
      check(sum, x[i], w[i], x[i].size(0), x[i].size(1), w[i].size(0));
      allFit = allFit && fit({sum, x[i], w[i]});
    }
    const auto form = sumProducts.chosen(allFit);
    Counted counted("shim::sum_products", x, w, form != libtorchSum);
    counted.adds(sum, add);
    form(sum, add, x, w);
  });
}

char* torch_gram(torch_tensor out, int add, torch_tensor a, const torch_tensor* bs, int64_t n) {
  return guard([&] {
    at::Tensor sum = tensor(out), x = tensor(a);
    const Tensors ys = tensors(bs, n);
    TORCH_CHECK(n > 0 && x.dim() == 2 && (sum.dim() == 3 ? sum.size(0) == n : n == 1),
                "wanted matrices, and a result for each");
    const Tensors sums = sum.dim() == 3 ? sum.unbind() : Tensors{sum};
    Tensors reads = {x};
    bool own = x.size(1) >= 16;
    for (int64_t i = 0; i < n; i++) {
      const at::Tensor& y = ys[i];
      TORCH_CHECK(y.dim() == 2 && sums[i].dim() == 2, "wanted matrices");
      check(sums[i], x, y, x.size(1), x.size(0), y.size(0));
      own = own && y.size(1) >= 16 && fit({sums[i], x, y});
      if (!x.is_same(y)) reads.push_back(y);
    }
    const auto form = gram.chosen(own);
    Counted counted("shim::gram", reads, {}, form != libtorchGram);
    counted.adds(sum, add);
    form(sums, add, x, ys);
  });
}
