// What a batch norm of pixels takes channel by channel, forward and backward, in blocks of rows
// that lie in the caches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "tile.h"

// Loops over channels become vector instructions.
#pragma GCC optimize("O3", "no-trapping-math")

namespace shim {

// Moments of columns: mean, and the sum of squared differences from it.
struct Moments {
  int64_t count = 0;
  std::vector<double> mean, squares;

  explicit Moments(int64_t columns) : mean(columns), squares(columns) {}

  // add joins those of n more rows.
  template <class T>
  void add(int64_t n, const T* means, const T* sums) {
    if (n == 0) return;
    const double part = double(n) / (count + n), between = part * count;
    for (size_t c = 0; c < mean.size(); c++) {
      const double difference = means[c] - mean[c];
      mean[c] += difference * part;
      squares[c] += sums[c] + difference * difference * between;
    }
    count += n;
  }
};

template <class T>
FOR_AVX512 void moments(const T* y, int64_t rows, int64_t columns, T* mean, T* squares) {
  std::fill(mean, mean + columns, T(0));
  std::fill(squares, squares + columns, T(0));
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) mean[c] += y[r * columns + c];
  for (int64_t c = 0; c < columns; c++) mean[c] /= rows;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) {
      const T d = y[r * columns + c] - mean[c];
      squares[c] += d * d;
    }
}

// leastOf is the least that numbers may be: 0 behind a ReLU.
template <class T>
T leastOf(bool relu) {
  return relu ? T(0) : -std::numeric_limits<T>::infinity();
}

// What a batch norm does to a channel, and to an image behind it.
template <class T>
struct Norm {
  std::vector<T> mean, scale, shift;  // out = (scale·y + shift)·factor, after the ReLU if any
  const T* factors;                   // of images, or none
  bool relu;

  T factor(int64_t image) const { return factors ? factors[image] : T(1); }
  T least() const { return leastOf<T>(relu); }
};

// normalised is out, of rows that belong to one image.
template <class T>
FOR_AVX512 void normalised(const T* y, T* out, int64_t rows, int64_t columns, const T* scale,
                           const T* shift, T factor, T least) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) {
      const T v = y[r * columns + c] * scale[c] + shift[c];
      out[r * columns + c] = (v < least ? least : v) * factor;  // a NaN stays one
    }
}

// What the gradient's loops read of some rows: g, behind ReLU and factor, and y.
template <class T>
struct Behind {
  const T* g;
  int64_t gRow;  // from a row to the next
  const T* y;
  int64_t rows, columns;
  const T *mean, *scale, *shift;
  T factor, least;
};

// sumsOf adds Σ g and Σ g·(y − mean) of n vectors of columns, from column c on; the sums stay in
// registers.
template <class T, class Vector, class In, int n>
FOR_AVX512 void sumsOf(const Behind<T>& b, int64_t c, T* sum, T* moment) {
  constexpr int64_t lanes = sizeof(Vector) / sizeof(T);
  const auto at = [c](const T* from, int v) {
    return reinterpret_cast<const In*>(from + c + lanes * v);
  };
  Vector sums[n], moments[n], mean[n], scale[n], shift[n];
#pragma GCC unroll 2
  for (int v = 0; v < n; v++) {
    sums[v] = moments[v] = Vector{};
    mean[v] = *at(b.mean, v), scale[v] = *at(b.scale, v), shift[v] = *at(b.shift, v);
  }
  for (int64_t r = 0; r < b.rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < n; v++) {
      const Vector y = *at(b.y + r * b.columns, v), g = *at(b.g + r * b.gRow, v) * b.factor;
      const Vector own = y * scale[v] + shift[v] <= b.least ? Vector{} : g;
      sums[v] += own;
      moments[v] += own * (y - mean[v]);
    }
  }
#pragma GCC unroll 2
  for (int v = 0; v < n; v++) {
    *reinterpret_cast<In*>(sum + c + lanes * v) += sums[v];
    *reinterpret_cast<In*>(moment + c + lanes * v) += moments[v];
  }
}

template <class T>
FOR_AVX512 void gradientSums(const Behind<T>& b, T* sum, T* moment) {
  using L = Lanes<T>;
  int64_t c = 0;
  for (; c + 2 * L::whole <= b.columns; c += 2 * L::whole)
    sumsOf<T, typename L::Whole, typename L::WholeIn, 2>(b, c, sum, moment);
  for (; c + L::whole <= b.columns; c += L::whole)
    sumsOf<T, typename L::Whole, typename L::WholeIn, 1>(b, c, sum, moment);
  for (; c < b.columns; c += 4)
    sumsOf<T, typename L::Four, typename L::FourIn, 1>(b, c, sum, moment);
}

// gradient is that of y: scale·g + constant + slope·(y − mean).
template <class T>
FOR_AVX512 void gradient(const Behind<T>& b, const T* constant, const T* slope, T* __restrict dy) {
  // Copies, since dy might be anything of the same type to the compiler.
  const T *g = b.g, *y = b.y, *mean = b.mean, *scale = b.scale, *shift = b.shift;
  const T factor = b.factor, least = b.least;
  const int64_t rows = b.rows, columns = b.columns, gRow = b.gRow;
  for (int64_t r = 0; r < rows; r++, g += gRow, y += columns, dy += columns)
    for (int64_t c = 0; c < columns; c++) {
      const T own = y[c] * scale[c] + shift[c] <= least ? T(0) : g[c] * factor;
      dy[c] = scale[c] * own + constant[c] + slope[c] * (y[c] - mean[c]);
    }
}

}  // namespace shim
