// The loops of a 1x1 convolution and of a batch norm of pixels, forward and backward. Each goes over a
// block of rows that lies in the caches, channel by channel. each_processor.h includes these loops,
// after tile.h.
// The product of rows x and wᵀ [in,out].
template <class T>
Product<T> product(const Sizes& s, const T* x, const T* w, T* out) {
  return {x, s.in, 1, w, s.out, out, s.out, s.in, false};
}

// moments computes mean and squares of the columns of y.
template <class T>
void moments(const T* y, int64_t rows, int64_t columns, T* mean, T* squares) {
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

// normalised writes out, for rows of one image.
template <class T>
void normalised(const T* y, T* out, int64_t rows, int64_t columns, const T* scale,
                           const T* shift, T factor, T least) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) {
      const T v = y[r * columns + c] * scale[c] + shift[c];
      out[r * columns + c] = (v < least ? least : v) * factor;  // a NaN stays one
    }
}

// The input of the gradient's loops for some rows of one image: g, the gradient after ReLU and
// factor, and y.
template <class T>
struct GradientRows {
  const T* g;
  int64_t gRow;  // distance from one row to the next
  const T* y;
  int64_t rows, columns;
  const T *mean, *scale, *shift;
  T factor, least;
};

// sumsOf adds Σ g and Σ g·(y − mean) over the rows, for n vectors of columns from column c on. The
// sums stay in registers.
template <class T, int lanes, int n>
void sumsOf(const GradientRows<T>& b, int64_t c, T* sum, T* moment) {
  using Vector = typename Lanes<T, lanes>::Vector;
  using Loaded = typename Lanes<T, lanes>::Loaded;
  const auto at = [c](const T* from, int v) {
    return reinterpret_cast<const Loaded*>(from + c + lanes * v);
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
    *reinterpret_cast<Loaded*>(sum + c + lanes * v) += sums[v];
    *reinterpret_cast<Loaded*>(moment + c + lanes * v) += moments[v];
  }
}

template <class T>
void gradientSums(const GradientRows<T>& b, T* sum, T* moment) {
  int64_t c = 0;
  for (; c + 2 * wide<T> <= b.columns; c += 2 * wide<T>) sumsOf<T, wide<T>, 2>(b, c, sum, moment);
  for (; c + wide<T> <= b.columns; c += wide<T>) sumsOf<T, wide<T>, 1>(b, c, sum, moment);
  for (; c < b.columns; c += 4) sumsOf<T, 4, 1>(b, c, sum, moment);
}

// gradient writes the gradient of y: scale·g + constant + slope·(y − mean).
template <class T>
void gradient(const GradientRows<T>& b, const T* constant, const T* slope,
                         T* __restrict dy) {
  // Local copies: the compiler has to assume that a store to dy changes members of b.
  const T *g = b.g, *y = b.y, *mean = b.mean, *scale = b.scale, *shift = b.shift;
  const T factor = b.factor, least = b.least;
  const int64_t rows = b.rows, columns = b.columns, gRow = b.gRow;
  for (int64_t r = 0; r < rows; r++, g += gRow, y += columns, dy += columns)
    for (int64_t c = 0; c < columns; c++) {
      const T own = y[c] * scale[c] + shift[c] <= least ? T(0) : g[c] * factor;
      dy[c] = scale[c] * own + constant[c] + slope[c] * (y[c] - mean[c]);
    }
}
