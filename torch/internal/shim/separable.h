// What the loops of a separable convolution share with their callers.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "depthwise.h"

namespace shim {

// Images that lie channels last are matrices with a row for each pixel.
struct Sizes {
  int64_t rows, in, out;
  int64_t pixels;  // of one image

  Sizes(int64_t images, int64_t pixels, int64_t in, int64_t out)
      : rows(images * pixels), in(in), out(out), pixels(pixels) {}

  // A block of so many rows stays in the caches.
  int64_t blockRows() const { return std::max<int64_t>(24, 4096 / std::max(in, out) / 24 * 24); }
};

// share calls part(thread, from, to) once for each thread, with its rows: whole blocks.
template <class Part>
void share(const Sizes& s, int64_t threads, const Part& part) {
  const int64_t blockRows = s.blockRows(), blocks = (s.rows + blockRows - 1) / blockRows;
  at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; t++)
      part(t, blocks * t / threads * blockRows,
           std::min(s.rows, blocks * (t + 1) / threads * blockRows));
  });
}

template <class T>
std::vector<T> transposed(const T* w, int64_t rows, int64_t columns) {
  std::vector<T> r(rows * columns);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) r[j * rows + i] = w[i * columns + j];
  return r;
}

// eachImage splits the rows [from, to) by image and calls part(from, to, image) for each piece.
template <class Part>
void eachImage(int64_t from, int64_t to, int64_t pixels, const Part& part) {
  while (from < to) {
    const int64_t image = from / pixels, end = std::min(to, (image + 1) * pixels);
    part(from, end, image);
    from = end;
  }
}

// Moments of columns: mean, and the sum of squared differences from it.
struct Moments {
  int64_t count = 0;
  std::vector<double> mean, squares;

  explicit Moments(int64_t columns) : mean(columns), squares(columns) {}

  // add joins the moments of n more rows. Within loops for a processor with FMA it would round in
  // other places: noinline, so that it rounds alike wherever it is called.
  template <class T>
  [[gnu::noinline]] void add(int64_t n, const T* means, const T* sums) {
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

// leastOf is the least value of a result: 0 after a ReLU.
template <class T>
T leastOf(bool relu) {
  return relu ? T(0) : -std::numeric_limits<T>::infinity();
}

// The factors of a batch norm: three for a channel, and one for an image, which comes last.
template <class T>
struct Norm {
  std::vector<T> mean, scale, shift;  // out = (scale·y + shift)·factor, after the ReLU if any
  const T* factors;                   // one for each image, or null
  bool relu;

  T factor(int64_t image) const { return factors ? factors[image] : T(1); }
  T least() const { return leastOf<T>(relu); }
};

// A stage reads images x [n,h,w,in], normalised if there is a norm and then of max(·, 0) with
// relu. Its depthwise convolution, if there is one, comes before the 1x1 convolution.
template <class T>
struct Stage {
  Sizes s;  // of the 1x1 convolution
  const T* x;
  const Norm<T>* norm;  // or null
  bool relu;
  Depthwise d;
  const T *taps, *weight;  // taps: of the depthwise convolution, or null
};

// What arrives at a stage in backward: g, the gradient of its normalised y.
template <class T>
struct Arriving {
  const Norm<T> norm;
  const T *deviation, *y, *g;
  int64_t gRow;  // distance from one row of g to the next
};

// The results of backward; dx is null if it is not needed.
template <class T>
struct Gradients {
  T *dx, *dTaps, *dWeight, *dScale, *dShift;
};

}  // namespace shim
