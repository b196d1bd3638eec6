// Matrix products of many rows by few columns, and of their transposes. MKL, which libtorch's
// mm calls, packs its operands first; where they are that narrow, this takes as long as the
// product.
#include <ATen/native/CPUBlas.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "guard.h"
#include "processor.h"

using namespace shim;

namespace {

// Whether the loops below are for all of ts, matrices whose rows are contiguous.
bool narrow(std::initializer_list<at::Tensor> ts) {
  return avx512() && std::all_of(ts.begin(), ts.end(), [](const at::Tensor& t) {
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

// product adds x·w to rows of out, or writes it there, in pieces whose operands stay in the
// caches: brgemm is the kernel of oneDNN that packs nothing. Few rows take longer to read a large
// w than to multiply by it, so theirs are read as they lie in memory.
void product(const at::Tensor& out, bool add, const at::Tensor& x, const at::Tensor& w,
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

// 16 numbers, also where they are not aligned.
using Vector [[gnu::vector_size(64)]] = float;
using Loaded [[gnu::vector_size(64), gnu::aligned(4), gnu::may_alias]] = float;
using Numbers [[gnu::vector_size(64)]] = int32_t;
constexpr int64_t lanes = 16;

struct Matrix {
  float* data;
  int64_t columns, stride;

  explicit Matrix(const at::Tensor& t)
      : data(t.data_ptr<float>()), columns(t.size(1)), stride(t.stride(0)) {}
};

// Rows of a tile of vectors columns: its sums stay in registers.
constexpr int rowsOf(int vectors) { return vectors == 1 ? 16 : vectors < 4 ? 8 : 4; }

// tile adds aᵀ·b, over as many rows of both as said, to those columns of a from row on and of b
// from column on. The first skipRows and skipColumns of them are there already.
template <int vectors>
FOR_AVX512 void tile(const Matrix& out, const float* a, int64_t strideA, const float* b,
                     int64_t strideB, int64_t count, int64_t row, int64_t column, int64_t skipRows,
                     int32_t skipColumns) {
  constexpr int rows = rowsOf(vectors);
  Vector sums[rows][vectors];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sums[r][v] = Vector{};
  for (a += row, b += column; count > 0; count--, a += strideA, b += strideB) {
    Vector y[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) y[v] = *reinterpret_cast<const Loaded*>(b + lanes * v);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) sums[r][v] += a[r] * y[v];
  }
  float* to = out.data + row * out.stride + column;
  constexpr Numbers numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
    if (r < skipRows) continue;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      // A variable of type auto would lose the alignment of Loaded.
      Loaded* sum = reinterpret_cast<Loaded*>(to + r * out.stride + lanes * v);
      *sum += numbers < skipColumns ? Vector{} : sums[r][v];
    }
  }
}

// tiles are those of a's columns [row, row+16). At the end of a's columns, and of b's, a tile
// begins earlier, and what it has in common with the one before is skipped.
template <int vectors>
FOR_AVX512 void tiles(const Matrix& out, const Matrix& a, const Matrix& b, int64_t from,
                      int64_t count, int64_t row, int64_t column, int32_t skipColumns) {
  constexpr int rows = rowsOf(vectors);
  for (int64_t end = std::min(row + lanes, a.columns); row < end; row += rows) {
    int64_t at = std::min(row, a.columns - rows);
    tile<vectors>(out, a.data + from * a.stride, a.stride, b.data + from * b.stride, b.stride,
                  count, at, column, row - at, skipColumns);
  }
}

// gram adds aᵀ·b to out, where each has 16 columns at least. If symmetric, a and b are the same.
FOR_AVX512 void gram(const Matrix& out, const Matrix& a, const Matrix& b, int64_t rows,
                     bool symmetric) {
  constexpr int64_t together = 256;  // rows, which the tiles find in the cache
  for (int64_t from = 0; from < rows; from += together) {
    int64_t count = std::min(together, rows - from);
    for (int64_t row = 0; row < a.columns; row += lanes)
      for (int64_t column = symmetric ? row : 0, left; (left = b.columns - column) > 0;) {
        int64_t vectors = std::min<int64_t>(4, left / lanes);
        switch (vectors) {
          case 0: tiles<1>(out, a, b, from, count, row, b.columns - lanes, lanes - left); break;
          case 1: tiles<1>(out, a, b, from, count, row, column, 0); break;
          case 2: tiles<2>(out, a, b, from, count, row, column, 0); break;
          case 3: tiles<3>(out, a, b, from, count, row, column, 0); break;
          default: tiles<4>(out, a, b, from, count, row, column, 0);
        }
        column += std::max<int64_t>(1, vectors) * lanes;
      }
  }
}

}  // namespace

char* torch_sum_products(torch_tensor out, int add, const torch_tensor* xs, const torch_tensor* ws,
                         int64_t n) {
  return guard([&] {
    at::Tensor sum = tensor(out);
    std::vector<at::Tensor> x = tensors(xs, n), w = tensors(ws, n);
    TORCH_CHECK(n > 0 && sum.dim() == 2, "wanted at least one product, and a matrix to write to");
    bool fast = true;
    for (int64_t i = 0; i < n; i++) {
      TORCH_CHECK(x[i].dim() == 2 && w[i].dim() == 2, "wanted matrices");
      check(sum, x[i], w[i], x[i].size(0), x[i].size(1), w[i].size(0));
      fast = fast && narrow({sum, x[i], w[i]});
    }
    if (!fast) {
      for (int64_t i = 0; i < n; i++)
        if (i == 0 && !add)
          at::mm_out(sum, x[i], w[i]);
        else
          at::addmm_out(sum, sum, x[i], w[i]);
      return;
    }
    // Rows of out stay in the first-level cache for all products.
    const int64_t m = sum.size(0), rows = sum.size(1) <= 64 ? 8192 / sum.size(1) : 256;
    for (int64_t from = 0; from < m; from += rows)
      for (int64_t i = 0; i < n; i++)
        product(sum, add || i > 0, x[i], w[i], from, std::min(rows, m - from));
  });
}

char* torch_gram(torch_tensor out, int add, torch_tensor a, torch_tensor b) {
  return guard([&] {
    at::Tensor sum = tensor(out), x = tensor(a), y = tensor(b);
    TORCH_CHECK(x.dim() == 2 && y.dim() == 2 && sum.dim() == 2, "wanted matrices");
    check(sum, x, y, x.size(1), x.size(0), y.size(0));
    if (!narrow({sum, x, y}) || x.size(1) < lanes || y.size(1) < lanes) {
      if (add)
        at::addmm_out(sum, sum, x.t(), y);
      else
        at::mm_out(sum, x.t(), y);
      return;
    }
    if (!add) sum.zero_();
    bool symmetric = !add && x.is_same(y);
    gram(Matrix(sum), Matrix(x), Matrix(y), x.size(0), symmetric);
    if (symmetric) {
      float* s = sum.data_ptr<float>();
      for (int64_t i = 0, n = sum.size(0); i < n; i++)
        for (int64_t j = 0; j < i; j++) s[i * sum.stride(0) + j] = s[j * sum.stride(0) + i];
    }
  });
}
