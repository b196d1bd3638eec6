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
                                    std::min(blockTerms, terms - k), add || i > 0 || k > 0, c == 0};
          multiply(p, std::min(blockRows, rows - from), std::min(blockColumns, n - c));
        }
    }
}

// gramOf writes aᵀ·bs[i] to outs[i], or adds it there. A block of a stays in the first-level cache for
// all of bs.
inline void gramOf(const std::vector<at::Tensor>& outs, bool add, const at::Tensor& a,
                   const std::vector<at::Tensor>& bs) {
  const int64_t rows = a.size(0), aRow = a.stride(0), block = bs.size() == 1 ? rows : gramRows;
  const auto symmetric = [&](const at::Tensor& b) { return !add && a.is_same(b); };
  if (!add)
    for (at::Tensor out : outs) out.zero_();
  for (int64_t from = 0; from < rows; from += block)
    for (size_t i = 0; i < bs.size(); i++) {
      const int64_t row = bs[i].stride(0);
      addGram(a.data_ptr<float>() + from * aRow, aRow, a.size(1),
              bs[i].data_ptr<float>() + from * row, row, bs[i].size(1),
              std::min(block, rows - from), symmetric(bs[i]), outs[i].data_ptr<float>(),
              outs[i].stride(0));
    }
  for (size_t i = 0; i < bs.size(); i++)
    if (symmetric(bs[i])) copyBelow(outs[i].data_ptr<float>(), a.size(1), outs[i].stride(0));
}
