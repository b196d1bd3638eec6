// The loops of a depthwise convolution and the 1x1 convolution after it, without a graph. A few rows of an image go through all of it while they lie in
// the first-level cache. each_processor.h includes these loops.
#include "depthwise_rows.h"

// What happens to pixels: left [pixels,terms] times right, plus shift, plus add.
template <class T>
struct Panel {
  const T* left;
  int64_t leftRow;
  const T* right;
  int64_t rightRow, terms;
  const T* shift;
  const T* add;  // or null
  int64_t addRow;
  T* out;
  int64_t outRow;
  int64_t columns;  // of out, from here to its end
};

// panelTile computes `rows` pixels by `vectors` vectors of columns. Those beyond the last column are
// computed, but not stored.
template <class T, int rows, int vectors>
inline void panelTile(const Panel<T>& p) {
  constexpr int lanes = wide<T>;
  using Vector = typename Lanes<T, lanes>::Vector;
  using Loaded = typename Lanes<T, lanes>::Loaded;
  Vector sums[rows][vectors];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sums[r][v] = Vector{};
  const int64_t leftRow = p.leftRow, rightRow = p.rightRow;
  const T *a = p.left, *b = p.right;
  for (int64_t k = p.terms; k > 0; k--, a++, b += rightRow) {
    Vector y[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) y[v] = *reinterpret_cast<const Loaded*>(b + lanes * v);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const T x = a[r * leftRow];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) sums[r][v] += x * y[v];
    }
  }
  // Local copies: the compiler has to assume that a store to out changes members of p.
  const T* add = p.add;
  T* out = p.out;
  const int64_t addRow = p.addRow, outRow = p.outRow, columns = p.columns;
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++) {
    const Vector shift = *reinterpret_cast<const Loaded*>(p.shift + lanes * v);
    const int64_t tail = columns - lanes * v;
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const Vector sum = sums[r][v] + shift;
      T* to = out + r * outRow + lanes * v;
      const T* more = add + r * addRow + lanes * v;
      if (tail >= lanes) {
        auto* at = reinterpret_cast<Loaded*>(to);
        *at = add ? *reinterpret_cast<const Loaded*>(more) + sum : sum;
      } else {
        for (int64_t i = 0; i < tail; i++) to[i] = add ? more[i] + sum[i] : sum[i];
      }
    }
  }
}

template <int n, int vectors, class T>
inline void panelTiles(Panel<T>& p, int64_t& pixels) {
  for (; pixels >= n; pixels -= n) {
    panelTile<T, n, vectors>(p);
    p.left += n * p.leftRow;
    p.out += n * p.outRow;
    if (p.add) p.add += n * p.addRow;
  }
}

template <int vectors, class T>
void panelStrip(Panel<T> p, int64_t pixels) {
  panelTiles<std::min(12, sumRegisters / vectors), vectors>(p, pixels);
  panelTiles<4, vectors>(p, pixels);
  panelTiles<1, vectors>(p, pixels);
}

// panel computes all columns, in strips of a few vectors.
template <class T>
void panel(Panel<T> p, int64_t pixels) {
  constexpr int64_t lanes = wide<T>;
  const int64_t vectors = (p.columns + lanes - 1) / lanes;
  const int64_t strips = (vectors + mostVectors - 1) / mostVectors;
  for (int64_t s = 0; s < strips; s++) {
    const int64_t own = vectors * (s + 1) / strips - vectors * s / strips;
    switch (own) {
      case 1: panelStrip<1>(p, pixels); break;
      case 2: panelStrip<2>(p, pixels); break;
      case 3: if constexpr (mostVectors > 2) panelStrip<3>(p, pixels); break;
      default: if constexpr (mostVectors > 2) panelStrip<4>(p, pixels);
    }
    p.right += own * lanes, p.shift += own * lanes, p.out += own * lanes;
    p.columns -= own * lanes;
    if (p.add) p.add += own * lanes;
  }
}

// panelAt is the panel of the result's pixels from `pixel` on.
template <class T>
Panel<T> panelAt(const Depthwise& d, const FoldedOf<T>& p, int64_t pixel, const T* left,
                 int64_t leftRow) {
  const int64_t row = foldedRow(p.outs);
  return {left, leftRow, p.matrix, row, d.c, p.matrix + d.c * row,
          p.add ? p.add + pixel * p.addRow : nullptr, p.addRow,
          p.out + pixel * p.outRow, p.outRow, p.outs};
}

// foldedRows is without the depthwise convolution.
template <class T>
void foldedRows(const Depthwise& d, const FoldedOf<T>& p) {
  const int64_t pixels = d.n * d.h * d.w;
  const int64_t block = std::max<int64_t>(24, 4096 / std::max(d.c, p.outs) / 24 * 24);
  at::parallel_for(0, (pixels + block - 1) / block, 1, [&](int64_t first, int64_t last) {
    Numbers<T> room(d.relu ? block * d.c : 0);
    for (int64_t from = first * block; from < std::min(pixels, last * block); from += block) {
      const int64_t own = std::min(block, pixels - from);
      const T* left = p.x + from * p.xRow;
      int64_t leftRow = p.xRow;
      if (d.relu) {
        if (p.xRow == d.c)
          rectify(left, room.data(), own * d.c, true);
        else
          for (int64_t i = 0; i < own; i++)
            rectify(left + i * p.xRow, room.data() + i * d.c, d.c, true);
        left = room.data(), leftRow = d.c;
      }
      panel(panelAt(d, p, from, left, leftRow), own);
    }
  });
}

// A Band is a few rows of a result: how many, and the convolution that gives them from a frame of
// their own.
struct Band {
  int64_t rows, ofImage;
  Depthwise d;

  Band(const Depthwise& whole, int64_t threads) : rows(together), d(whole) {
    // Enough pixels for whole tiles, unless a thread would have nothing to do.
    const int64_t least = together * apart(whole);
    if (whole.n >= threads)
      for (rows = least; rows * whole.outW() < 64 && rows < whole.outH();) rows += least;
    ofImage = (whole.outH() + rows - 1) / rows;
    d.h = (rows - 1) * whole.stride + 1;
  }
};

// fill writes the rows of an image that the rows [from, ...) of the result read to the frame.
template <class T>
void fill(Frame<T>& f, const Depthwise& whole, const Band& band, const T* x, int64_t xRow,
          int64_t from) {
  const int64_t top = from * whole.stride - f.padding;  // the image's row that is the frame's first
  for (int64_t i = 0; i < band.d.h + 2 * f.padding; i++) {
    T* to = f.numbers.data() + i * f.row;
    const int64_t y = top + i;
    if (y < 0 || y >= whole.h) {
      std::fill(to, to + f.row, T(0));
    } else if (xRow == f.c) {
      f.set(i - f.padding, x + y * whole.w * xRow, whole.relu);
    } else {
      const T* pixel = x + y * whole.w * xRow;
      for (int64_t column = f.padding; column < f.padding + whole.w; column++, pixel += xRow)
        rectify(pixel, to + f.place(column), f.c, whole.relu);
    }
  }
}

template <class T, int k>
void foldedOfSize(const Depthwise& d, const FoldedOf<T>& p) {
  const Taps<T> w(p.weight, k * k, d.c, false);
  const Band band(d, at::get_num_threads());
  at::parallel_for(0, d.n * band.ofImage, 1, [&](int64_t first, int64_t last) {
    Frame<T> f(band.d);
    Numbers<T> room(band.rows * d.outRow());
    for (int64_t i = first; i < last; i++) {
      const int64_t n = i / band.ofImage, from = i % band.ofImage * band.rows;
      fill(f, d, band, p.x + n * d.h * d.w * p.xRow, p.xRow, from);
      convolveImage<T, k>(f, band.d, w, {room.data(), 0, d.c, nullptr, nullptr, false},
                          [](int64_t) {});
      panel(panelAt<T>(d, p, (n * d.outH() + from) * d.outW(), room.data(), d.c),
            std::min(band.rows, d.outH() - from) * d.outW());
    }
  });
}

// folded writes the convolution of x.
template <class T>
void folded(const Depthwise& d, const FoldedOf<T>& p) {
  if (!p.weight)
    foldedRows(d, p);
  else
    d.size == 3 ? foldedOfSize<T, 3>(d, p) : foldedOfSize<T, 5>(d, p);
}
