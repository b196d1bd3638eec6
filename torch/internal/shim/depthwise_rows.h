// The depthwise convolution of an image. It is copied into a frame of zeros, from which every tap of a
// kernel reads without a look at the borders; there a row is one long vector of pixels and channels.
// each_processor.h includes these loops.
#include "tile.h"

// rectify copies n numbers, of max(·, 0) with relu.
template <class T>
inline void rectify(const T* __restrict from, T* __restrict to, int64_t n, bool relu) {
  if (relu)
    for (int64_t i = 0; i < n; i++) to[i] = from[i] < 0 ? T(0) : from[i];  // a NaN stays one
  else
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
}

// A Frame holds one image with zeros around it. Its columns are split into as many planes as the
// stride says, by remainder: the pixels that a tap reads are neighbours.
template <class T>
struct Frame {
  int64_t columns, c, padding, planes;
  int64_t plane, row;  // numbers of a plane, of a row
  Numbers<T> numbers;

  explicit Frame(const Depthwise& d) : Frame(d, d.padding()) {}

  // With more padding than a convolution has, several share a frame.
  Frame(const Depthwise& d, int64_t padding)
      : columns(d.w),
        c(d.c),
        padding(padding),
        planes(d.stride),
        plane((d.w + 2 * padding + planes - 1) / planes * c),
        row(plane * planes),
        numbers((d.h + 2 * padding) * row) {}

  const T* from(int64_t y) const { return numbers.data() + y * row; }  // zeros above count too

  // place is where the pixel of a column is in a row; zeros on the left count too.
  int64_t place(int64_t x) const { return x % planes * plane + x / planes * c; }

  // set copies row y of an image. Its pixels come `apart` columns apart.
  void set(int64_t y, const T* pixels, bool relu, int64_t apart = 1) {
    T* to = numbers.data() + (y + padding) * row;
    if (planes == 1 && apart == 1) {
      rectify(pixels, to + padding * c, columns * c, relu);
      return;
    }
    for (int64_t x = padding; x < padding + columns; x += apart, pixels += c)
      rectify(pixels, to + place(x), c, relu);
  }
};

// The weights [c,k,k] as [k·k][c + a vector]: a row repeats its first numbers at its end, so that a
// vector can begin at any channel. With turned the kernel is rotated by 180°.
template <class T>
struct Taps {
  int64_t row;
  Numbers<T> numbers;

  Taps(const T* weight, int64_t taps, int64_t c, bool turned)
      : row(c + wide<T>), numbers(taps * row) {
    for (int64_t t = 0; t < taps; t++) {
      T* to = numbers.data() + t * row;
      for (int64_t i = 0; i < c; i++) to[i] = weight[i * taps + (turned ? taps - 1 - t : t)];
      for (int64_t i = c; i < row; i++) to[i] = to[i - c];
    }
  }
};

// Where the taps of row y of a result read: the first of the rows, their distance, and the place of each
// column of taps.
template <class T, int k>
struct Source {
  const T* first;
  int64_t row;
  int64_t taps[k];

  Source(const Frame<T>& f, const Depthwise& d, int64_t y) : row(f.row * d.dilation) {
    const int64_t more = f.padding - d.padding();
    first = f.from(y * d.stride + more);
    for (int b = 0; b < k; b++) taps[b] = f.place(b * d.dilation + more);
  }
};

// Rows that are computed together, `row` numbers apart, and what else becomes of the sums: they start
// at bias [c + a vector], are 0 where mask is not positive, and are added to out with add.
template <class T>
struct Rows {
  T* out;
  int64_t row, c;
  const T *bias, *mask;  // or null; mask lies as out
  bool add;
  bool apart = false;  // out and mask are not in the caches yet
};

// convolveRows computes the numbers from `from` on in vectors of `lanes`, as far as whole ones go, and
// returns where it ends. Neighbours among the rows read `step` rows apart.
template <class T, int k, int rows, int step, int lanes>
inline int64_t convolveRows(const Source<T, k>& s, const Taps<T>& w, const Rows<T>& to,
                            int64_t from, int64_t end) {
  using Vector = typename Lanes<T, lanes>::Vector;
  using Loaded = typename Lanes<T, lanes>::Loaded;
  constexpr int reads = (rows - 1) * step + k;
  // Local copies: the compiler has to assume that a store to out changes members.
  const T *numbers = w.numbers.data(), *bias = to.bias, *mask = to.mask, *frame = s.first;
  const int64_t wRow = w.row, outRow = to.row, frameRow = s.row, c = to.c;
  const bool add = to.add, apart = to.apart;
  T* out = to.out;
  int64_t i = from;
  for (int64_t channel = from % c; i + lanes <= end; i += lanes) {
    if (apart) {  // those of the rows below
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) {
        __builtin_prefetch(out + (rows + r) * outRow + i, 1, 2);
        if (mask) __builtin_prefetch(mask + (rows + r) * outRow + i, 0, 2);
      }
    }
    Vector sums[rows];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
      sums[r] = bias ? *reinterpret_cast<const Loaded*>(bias + channel) : Vector{};
    const T* at = numbers + channel;
#pragma GCC unroll 5
    for (int b = 0; b < k; b++, at += wRow) {
      Vector weights[k];
#pragma GCC unroll 5
      for (int a = 0; a < k; a++) weights[a] = *reinterpret_cast<const Loaded*>(at + a * k * wRow);
      const T* x = frame + s.taps[b] + i;
#pragma GCC unroll 16
      for (int m = 0; m < reads; m++) {
        const Vector value = *reinterpret_cast<const Loaded*>(x + m * frameRow);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
          if (m - r * step >= 0 && m - r * step < k) sums[r] += value * weights[m - r * step];
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      auto* y = reinterpret_cast<Loaded*>(out + r * outRow + i);
      Vector sum = sums[r];
      if (mask) {
        const Vector m = *reinterpret_cast<const Loaded*>(mask + r * outRow + i);
        sum = m <= 0 ? Vector{} : sum;
      }
      *y = add ? *y + sum : sum;
    }
    channel += lanes;
    while (channel >= c) channel -= c;
  }
  return i;
}

template <class T, int k, int rows, int step>
inline void convolve(const Source<T, k>& s, const Taps<T>& w, const Rows<T>& to, int64_t numbers) {
  const int64_t done = convolveRows<T, k, rows, step, wide<T>>(s, w, to, 0, numbers);
  convolveRows<T, k, rows, step, 4>(s, w, to, done, numbers);
}

constexpr int together = 4;  // rows that share what they read

// eachBlock calls many(y) for blocks of rows of a result that share what they read, and one(y) for
// the rows that remain. Those of a block lie apart() rows apart.
inline int64_t apart(const Depthwise& d) { return d.stride == 1 ? d.dilation : 1; }

template <class Need, class Many, class One>
inline void eachBlock(const Depthwise& d, const Need& need, const Many& many, const One& one) {
  const int64_t rows = together * apart(d), reach = d.dilation * (d.size - 1) + 1;
  int64_t y = 0;
  for (; y + rows <= d.outH(); y += rows) {
    need((y + rows - 1) * d.stride + reach);
    for (int64_t phase = 0; phase < apart(d); phase++) many(y + phase);
  }
  for (; y < d.outH(); y++) {
    need(y * d.stride + reach);
    one(y);
  }
}

// convolveImage writes the image that the frame gives. need(y) fills the frame as far as row y of one with
// the convolution's own padding.
template <class T, int k, class Need>
void convolveImage(const Frame<T>& f, const Depthwise& d, const Taps<T>& w, const Rows<T>& to,
                   const Need& need) {
  const auto source = [&](int64_t y) { return Source<T, k>(f, d, y); };
  const auto rows = [&](int64_t y) {
    Rows<T> r = to;
    r.row = apart(d) * d.outRow();
    r.out += y * d.outRow();
    if (r.mask) r.mask += y * d.outRow();
    return r;
  };
  const auto one = [&](int64_t y) { convolve<T, k, 1, 1>(source(y), w, rows(y), d.outRow()); };
  if (d.stride == 2 && d.dilation == 1)
    eachBlock(
        d, need,
        [&](int64_t y) { convolve<T, k, together, 2>(source(y), w, rows(y), d.outRow()); }, one);
  else
    eachBlock(
        d, need,
        [&](int64_t y) { convolve<T, k, together, 1>(source(y), w, rows(y), d.outRow()); }, one);
}
