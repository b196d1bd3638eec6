// Products of matrices of float32 in tiles. each_processor.h includes these loops.
#include "tile.h"

// sumOf writes Σ x·w to out, or adds it there.
inline void sumOf(at::Tensor out, bool add, const std::vector<at::Tensor>& x,
                  const std::vector<at::Tensor>& w) {
  Counted counted("shim::sum_products", x, w);
  counted.adds(out, add);
  // These rows of out stay in the first-level cache while all products are added, and that part
  // of w while all rows are multiplied by it.
  const int64_t rows = out.size(0), n = out.size(1), row = out.stride(0);
  const int64_t blockRows = n <= 64 ? 8192 / n : 256;
  constexpr int64_t blockTerms = 256, blockColumns = 64;
  for (int64_t from = 0; from < rows; from += blockRows)
    for (size_t i = 0; i < x.size(); i++) {
      const int64_t terms = w[i].size(0), xRow = x[i].stride(0), wRow = w[i].stride(0);
      for (int64_t c = 0; c < n; c += blockColumns)
        for (int64_t k = 0; k < terms; k += blockTerms) {
          const Product<float> p = {x[i].data_ptr<float>() + from * xRow + k, xRow, 1,
                                    w[i].data_ptr<float>() + k * wRow + c, wRow,
                                    out.data_ptr<float>() + from * row + c, row,
                                    std::min(blockTerms, terms - k), add || i > 0 || k > 0};
          multiply(p, std::min(blockRows, rows - from), std::min(blockColumns, n - c));
        }
    }
}

// gramOf writes aᵀ·b to out, or adds it there.
inline void gramOf(at::Tensor out, bool add, const at::Tensor& a, const at::Tensor& b) {
  Counted counted("shim::gram", {a, a.is_same(b) ? at::Tensor() : b}, {});
  counted.adds(out, add);
  if (!add) out.zero_();
  const bool symmetric = !add && a.is_same(b);
  const int64_t n = out.stride(0);
  float* sums = out.data_ptr<float>();
  addGram(a.data_ptr<float>(), a.stride(0), a.size(1), b.data_ptr<float>(), b.stride(0), b.size(1),
          a.size(0), symmetric, sums, n);
  if (symmetric) copyBelow(sums, a.size(1), n);
}
