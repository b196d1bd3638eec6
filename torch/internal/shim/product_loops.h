// Products of matrices of float32 in tiles. each_processor.h includes these loops.
#include "tile.h"

// pack copies `count` rows, or columns, of a matrix into panels of `panel` of them, a term after the
// other. They are `next` apart, their terms `term`. The last panel may be filled in part.
template <int panel>
void pack(const float* from, int64_t next, int64_t term, int64_t count, int64_t terms, float* to) {
  if (next == 1) {  // read on along memory, through all panels
    for (int64_t k = 0; k < terms; k++, from += term) {
      for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(from + 4 * term + i);
      int64_t i = 0;
      for (; i + panel <= count; i += panel)
        std::memcpy(to + i * terms + k * panel, from + i, panel * sizeof(float));
      for (int64_t r = i; r < count; r++) to[i * terms + k * panel + r - i] = from[r];
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    float* at = to + i / panel * panel * terms + i % panel;
    for (int64_t k = 0; k < terms; k++) at[k * panel] = from[i * next + k * term];
  }
}

// Matrices of more columns are packed: parts of them, in the order in which tiles read them, lie in the
// caches then. Packing fewer takes longer than it gains.
constexpr int64_t mostUnpacked = 128;

// packedProduct computes `rows` rows by `columns` columns of p, the terms in the same order as
// multiply does in blocks of 256.
template <class P>
void packedProduct(const P& p, int64_t rows, int64_t columns) {
  constexpr int64_t blockRows = 240, blockTerms = 256, blockColumns = 256;
  constexpr int vectors = 2, lanes = wide<float>, tileRows = sumRegisters / vectors;
  constexpr int64_t tileColumns = vectors * lanes;
  static_assert(blockRows % tileRows == 0 && blockColumns % tileColumns == 0);
  static thread_local Numbers<float> left(blockRows * blockTerms), right(blockTerms * blockColumns);
  for (int64_t k = 0; k < p.terms; k += blockTerms)
    for (int64_t i = 0; i < rows; i += blockRows) {
      Product<float, true> part = {nullptr, 1, tileRows, nullptr, tileColumns, nullptr, p.outRow,
                                   std::min(blockTerms, p.terms - k), p.add || k > 0};
      const int64_t ownRows = std::min(blockRows, rows - i);
      pack<tileRows>(p.left + i * p.leftRow + k * p.leftTerm, p.leftRow, p.leftTerm, ownRows,
                     part.terms, left.data());
      for (int64_t j = 0; j < columns; j += blockColumns) {
        const int64_t ownColumns = std::min(blockColumns, columns - j);
        pack<tileColumns>(p.right + k * p.rightTerm + j, 1, p.rightTerm, ownColumns, part.terms,
                          right.data());
        for (int64_t c = 0; c < ownColumns; c += tileColumns)
          for (int64_t r = 0; r < ownRows; r += tileRows) {
            const int64_t height = std::min<int64_t>(tileRows, ownRows - r);
            const int64_t width = std::min(tileColumns, ownColumns - c);
            part.left = left.data() + r * part.terms;
            part.right = right.data() + c * part.terms;
            part.out = p.out + (i + r) * p.outRow + j + c;
            for (int64_t row = 0; row < height; row++)  // they come while sums are taken
              for (int64_t line = 0; line < width; line += 16)
                __builtin_prefetch(part.out + row * p.outRow + line, 1);
            if (height == tileRows && width == tileColumns)
              tile<decltype(part), tileRows, lanes, vectors, 0>(part);
            else
              multiply(part, height, width);
          }
      }
    }
}

// sumOf writes Σ x·w to out, or adds it there.
inline void sumOf(at::Tensor out, bool add, const std::vector<at::Tensor>& x,
                  const std::vector<at::Tensor>& w) {
  Counted counted("shim::sum_products", x, w);
  counted.adds(out, add);
  const int64_t rows = out.size(0), n = out.size(1), row = out.stride(0);
  if (n > mostUnpacked) {
    for (size_t i = 0; i < x.size(); i++)
      packedProduct(Product<float>{x[i].data_ptr<float>(), x[i].stride(0), 1, w[i].data_ptr<float>(),
                                   w[i].stride(0), out.data_ptr<float>(), row, w[i].size(0),
                                   add || i > 0},
                    rows, n);
    return;
  }
  // These rows of out stay in the first-level cache while all products are added, and that part
  // of w while all rows are multiplied by it.
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
  const auto packed = [&](const at::Tensor& b) { return b.size(1) > mostUnpacked && !symmetric(b); };
  for (size_t i = 0; i < bs.size(); i++)
    if (packed(bs[i]))
      packedProduct(Product<float, true>{a.data_ptr<float>(), 1, aRow, bs[i].data_ptr<float>(),
                                         bs[i].stride(0), outs[i].data_ptr<float>(),
                                         outs[i].stride(0), rows, true},
                    a.size(1), bs[i].size(1));
  for (int64_t from = 0; from < rows; from += block)
    for (size_t i = 0; i < bs.size(); i++) {
      if (packed(bs[i])) continue;
      const int64_t row = bs[i].stride(0);
      addGram(a.data_ptr<float>() + from * aRow, aRow, a.size(1),
              bs[i].data_ptr<float>() + from * row, row, bs[i].size(1),
              std::min(block, rows - from), symmetric(bs[i]), outs[i].data_ptr<float>(),
              outs[i].stride(0));
    }
  for (size_t i = 0; i < bs.size(); i++)
    if (symmetric(bs[i])) copyBelow(outs[i].data_ptr<float>(), a.size(1), outs[i].stride(0));
}
