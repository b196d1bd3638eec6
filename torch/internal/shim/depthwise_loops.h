// The loops of depthwise convolutions: forward, and both gradients while an image lies in the caches.
// each_processor.h includes these loops.
#include "depthwise_rows.h"

// Sums over pixels are parts of groups of images first. These do not depend on the number of threads.
template <class T>
struct Parts {
  int64_t images, groups, numbers;
  Numbers<T> parts;

  // numbers is 0 where there is nothing to sum.
  Parts(const Depthwise& d, int64_t numbers)
      : images(std::max<int64_t>(1, 512 / (d.outH() * d.outW()))),
        groups((d.n + images - 1) / images),
        numbers(numbers),
        parts(groups * numbers) {}

  T* of(int64_t group) { return parts.data() + group * numbers; }

  T sum(int64_t i) const {
    double sum = 0;
    for (int64_t g = 0; g < groups; g++) sum += parts[g * numbers + i];
    return sum;
  }
};

// Images are those that a convolution reads: x, or x·through.
template <class T>
class Images {
 public:
  Images(const Depthwise& d, const T* x, const T* through)
      : d(d), x(x), through(through), room(through ? d.image() : 0) {}

  // of gives image n, as far as the next call.
  const T* of(int64_t n) {
    const T* image = x + n * d.image();
    if (!through) return image;
    multiply(Product<T>{image, d.c, 1, through, d.c, room.data(), d.c, d.c, false, true}, d.h * d.w,
             d.c);
    return room.data();
  }

 private:
  const Depthwise& d;
  const T *x, *through;
  Numbers<T> room;
};

template <class T, int k>
void forwardOfSize(const Depthwise& d, const ForwardOf<T>& p) {
  const Taps<T> w(p.weight, k * k, d.c, false);
  Numbers<T> bias;
  if (p.bias)
    for (int64_t i = 0; i < w.row; i++) bias.push_back(p.bias[i % d.c]);
  Parts<T> grams(d, p.gram ? d.c * d.c : 0);
  at::parallel_for(0, grams.groups, 1, [&](int64_t first, int64_t last) {
    Frame<T> f(d);
    Images<T> images(d, p.x, p.through);
    for (int64_t n = first * grams.images; n < std::min(d.n, last * grams.images); n++) {
      const T* x = images.of(n);
      T* y = p.y + n * d.outImage();
      int64_t next = 0;
      const auto need = [&](int64_t y) {
        for (; next < std::min(d.h, y - f.padding); next++) {
          ahead(x + next * d.row(), d.row());
          f.set(next, x + next * d.row(), d.relu);
        }
      };
      const T* b = p.bias ? bias.data() : nullptr;
      convolveImage<T, k>(f, d, w, {y, 0, d.c, b, nullptr, false, true}, need);
      if (p.gram)
        addGram(y, d.c, d.c, y, d.c, d.c, d.outH() * d.outW(), true, grams.of(n / grams.images),
                d.c);
    }
  });
  if (!p.gram) return;
  for (int64_t i = 0; i < d.c * d.c; i++) p.gram[i] = grams.sum(i);
  copyBelow(p.gram, d.c, d.c);
}

// depthwiseForward writes the convolution of x.
template <class T>
void depthwiseForward(const Depthwise& d, const ForwardOf<T>& p) {
  d.size == 3 ? forwardOfSize<T, 3>(d, p) : forwardOfSize<T, 5>(d, p);
}

// weightRows adds to sums [k·k][period] what the rows of dy, dyRow numbers apart, give for `columns`
// columns of taps from column `first` on, at the numbers from, from + period and so on.
template <class T, int k, int rows, int step, int first, int columns, int lanes>
inline void weightRows(const Source<T, k>& s, const T* dy, int64_t dyRow, T* sums, int64_t period,
                       int64_t from, int64_t end) {
  using Vector = typename Lanes<T, lanes>::Vector;
  using Loaded = typename Lanes<T, lanes>::Loaded;
  constexpr int reads = (rows - 1) * step + k;
  // Short sums of their own round less.
  Vector of[columns][k];
  T* to = sums + first * period + from % period;
#pragma GCC unroll 5
  for (int b = 0; b < columns; b++)
#pragma GCC unroll 5
    for (int a = 0; a < k; a++) of[b][a] = Vector{};
  for (int64_t i = from; i + lanes <= end; i += period) {
    Vector g[rows];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) g[r] = *reinterpret_cast<const Loaded*>(dy + r * dyRow + i);
#pragma GCC unroll 5
    for (int b = 0; b < columns; b++) {
      const T* x = s.first + s.taps[first + b] + i;
#pragma GCC unroll 16
      for (int m = 0; m < reads; m++) {
        const Vector value = *reinterpret_cast<const Loaded*>(x + m * s.row);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
          if (m - r * step >= 0 && m - r * step < k) of[b][m - r * step] += value * g[r];
      }
    }
  }
#pragma GCC unroll 5
  for (int b = 0; b < columns; b++)
#pragma GCC unroll 5
    for (int a = 0; a < k; a++)
      *reinterpret_cast<Loaded*>(to + (a * k + b) * period) += of[b][a];
}

// weightTaps is weightRows for all taps: as many columns at once as their sums have registers.
template <class T, int k, int rows, int step, int lanes, int first = 0>
inline void weightTaps(const Source<T, k>& s, const T* dy, int64_t dyRow, T* sums, int64_t period,
                       int64_t from, int64_t end) {
  constexpr int atOnce = std::min((REGISTERS - rows - 2) / k, k - first);
  weightRows<T, k, rows, step, first, atOnce, lanes>(s, dy, dyRow, sums, period, from, end);
  if constexpr (first + atOnce < k)
    weightTaps<T, k, rows, step, lanes, first + atOnce>(s, dy, dyRow, sums, period, from, end);
}

template <class T, int k, int rows, int step>
inline void weightBlock(const Source<T, k>& s, const T* dy, int64_t dyRow, T* sums, int64_t period,
                        int64_t numbers) {
  const int64_t whole = numbers / wide<T> * wide<T>;
  for (int64_t i = 0; i < std::min(period, whole); i += wide<T>)
    weightTaps<T, k, rows, step, wide<T>>(s, dy, dyRow, sums, period, i, whole);
  for (int64_t i = whole; i < numbers; i += 4)
    weightTaps<T, k, rows, step, 4>(s, dy, dyRow, sums, period, i, i + 4);
}

// The gradient of the weight: sums [k·k][period] over all images so far, where period numbers are
// whole vectors and whole pixels.
template <class T, int k>
struct WeightSums {
  int64_t period;
  Numbers<T> sums;

  explicit WeightSums(const Depthwise& d) : period(d.c) {
    while (period % wide<T>) period += d.c;
    sums.resize(k * k * period);
  }

  // add adds the image that the frame gives; need is convolveImage's.
  template <class Need>
  void add(const Frame<T>& f, const Depthwise& d, const T* dy, const Need& need) {
    const auto source = [&](int64_t y) { return Source<T, k>(f, d, y); };
    const int64_t row = d.outRow();
    const auto one = [&](int64_t y) {
      weightBlock<T, k, 1, 1>(source(y), dy + y * row, row, sums.data(), period, row);
    };
    if (d.stride == 2 && d.dilation == 1)
      eachBlock(
          d, need,
          [&](int64_t y) {
            weightBlock<T, k, together, 2>(source(y), dy + y * row, row, sums.data(), period, row);
          },
          one);
    else
      eachBlock(
          d, need,
          [&](int64_t y) {
            weightBlock<T, k, together, 1>(source(y), dy + y * row, apart(d) * row, sums.data(),
                                           period, row);
          },
          one);
  }

  // move writes the sums to `to` [k·k][c] and begins again.
  void move(T* to, int64_t c) {
    std::fill(to, to + k * k * c, T(0));
    for (int64_t t = 0; t < k * k; t++)
      for (int64_t i = 0; i < period; i++) to[t * c + i % c] += sums[t * period + i];
    std::fill(sums.begin(), sums.end(), T(0));
  }
};

// joinWeights writes the gradient of the weight from the parts of all groups.
template <class T, int k>
void joinWeights(const Depthwise& d, const Parts<T>& weights, T* dWeight) {
  for (int64_t c = 0; c < d.c; c++)
    for (int64_t t = 0; t < k * k; t++) dWeight[c * k * k + t] = weights.sum(t * d.c + c);
}

// addColumns adds the sums of the columns of x [rows·pixels,c] to sums: short ones of each row first,
// which round less.
template <class T, int lanes>
void addColumns(const T* x, int64_t rows, int64_t pixels, int64_t c, int64_t from, int64_t end,
                double* sums) {
  using Vector = typename Lanes<T, lanes>::Vector;
  using Loaded = typename Lanes<T, lanes>::Loaded;
  for (int64_t i = from; i + lanes <= end; i += lanes)
    for (int64_t y = 0; y < rows; y++) {
      const T* row = x + y * pixels * c + i;
      Vector of[4] = {};
      int64_t p = 0;
      for (; p + 4 <= pixels; p += 4)
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) of[v] += *reinterpret_cast<const Loaded*>(row + (p + v) * c);
      for (; p < pixels; p++) of[0] += *reinterpret_cast<const Loaded*>(row + p * c);
      const Vector sum = (of[0] + of[1]) + (of[2] + of[3]);
      for (int l = 0; l < lanes; l++) sums[i + l] += sum[l];
    }
}

// The gradient of x is a convolution of dy, between whose pixels lie zeros at stride 2.
inline Depthwise reversed(Depthwise d) {
  d.stride = 1, d.relu = false;
  return d;
}

// imageGradient writes the gradient of an image by way of f, a frame of reversed(d).
template <class T, int k>
void imageGradient(Frame<T>& f, const Depthwise& d, const Taps<T>& turned, const T* dy,
                   const Rows<T>& to) {
  int64_t next = 0;  // row of dy
  const auto need = [&](int64_t y) {
    for (; next < d.outH() && next * d.stride < y - d.padding(); next++)
      f.set(next * d.stride, dy + next * d.outRow(), false, d.stride);
  };
  convolveImage<T, k>(f, reversed(d), turned, to, need);
}

// sumOfProducts writes the sum of the products for image n.
template <class T>
void sumOfProducts(const Depthwise& d, const std::vector<PixelProduct<T>>& products, int64_t n,
                   T* to) {
  const int64_t pixels = d.outH() * d.outW();
  // These rows of the sum stay in the first-level cache.
  const int64_t block = std::max<int64_t>(24, 4096 / d.c / 24 * 24);
  for (int64_t from = 0; from < pixels; from += block)
    for (const PixelProduct<T>& p : products) {
      const Product<T> rows = {p.pixels + (n * pixels + from) * p.terms, p.terms, 1, p.matrix, d.c,
                               to + from * d.c, d.c, p.terms, &p != &products[0], true};
      multiply(rows, std::min(block, pixels - from), d.c);
    }
}

// A Part is one of the convolutions of x, what its threads share.
template <class T>
struct Part {
  const PartOf<T>& p;
  Taps<T> turned;
  Parts<T> weights;

  explicit Part(const PartOf<T>& p)
      : p(p),
        turned(p.weight, p.d.size * p.d.size, p.d.c, true),
        weights(p.d, p.dWeight ? p.d.size * p.d.size * p.d.c : 0) {}

  void finish() {
    if (p.dWeight)
      p.d.size == 3 ? joinWeights<T, 3>(p.d, weights, p.dWeight)
                    : joinWeights<T, 5>(p.d, weights, p.dWeight);
  }
};

// An ImagesBack takes images back through one convolution after the other, while an image lies in the
// caches. The convolutions share two frames.
template <class T>
class ImagesBack {
 public:
  ImagesBack(const Depthwise& d, const BackwardOf<T>& to, std::vector<Part<T>>& parts) : d(d), to(to) {
    bool weights = false;
    int64_t padding = 0;
    for (Part<T>& part : parts) {
      const Depthwise& own = part.p.d;
      padding = std::max(padding, own.padding());
      weights = weights || part.p.dWeight;
      if (!part.p.dy) room.resize(d.outImage());
      ways.push_back({part, WeightSums<T, 3>(own), WeightSums<T, 5>(own)});
    }
    if (weights) read.emplace(d, padding);
    if (to.dx) up.emplace(reversed(d), padding);
  }

  // image takes image n back to x, of which it is x.
  void image(int64_t n, const T* x) {
    int64_t next = 0;  // row of x that the frame does not have yet
    for (size_t i = 0; i < ways.size(); i++)
      ways[i].part.p.d.size == 3 ? through<3>(ways[i], ways[i].of3, n, x, next, to.add || i > 0)
                                 : through<5>(ways[i], ways[i].of5, n, x, next, to.add || i > 0);
  }

  // end moves what a group of images has given to the weights.
  void end(int64_t group) {
    for (Way& w : ways) {
      if (!w.part.p.dWeight) continue;
      T* own = w.part.weights.of(group);
      w.part.p.d.size == 3 ? w.of3.move(own, d.c) : w.of5.move(own, d.c);
    }
  }

 private:
  struct Way {
    Part<T>& part;
    WeightSums<T, 3> of3;
    WeightSums<T, 5> of5;
  };

  template <int k>
  void through(Way& w, WeightSums<T, k>& sums, int64_t n, const T* x, int64_t& next, bool add) {
    const PartOf<T>& p = w.part.p;
    if (!p.dy) sumOfProducts(p.d, p.products, n, room.data());
    const T* dy = p.dy ? p.dy + n * d.outImage() : room.data();
    if (p.dWeight)
      sums.add(*read, p.d, dy, [&](int64_t y) {
        for (; next < std::min(d.h, y - p.d.padding()); next++) {
          ahead(x + next * d.row(), d.row());
          read->set(next, x + next * d.row(), d.relu);
        }
      });
    if (up)
      imageGradient<T, k>(*up, p.d, w.part.turned, dy,
                          {to.dx + n * d.image(), 0, d.c, nullptr, d.relu ? x : nullptr, add, true});
  }

  const Depthwise& d;
  const BackwardOf<T>& to;
  std::vector<Way> ways;
  std::optional<Frame<T>> read, up;  // of x, of dy
  Numbers<T> room;
};

// depthwiseBackward writes the gradients of x and of the weights.
template <class T>
void depthwiseBackward(const Depthwise& d, const BackwardOf<T>& p) {
  std::vector<Part<T>> parts;
  for (const PartOf<T>& part : p.parts) parts.emplace_back(part);
  Parts<T> grams(d, p.gram ? d.c * d.c : 0);
  Parts<double> columns(d, p.sums ? d.c : 0);
  at::parallel_for(0, grams.groups, 1, [&](int64_t first, int64_t last) {
    Images<T> images(d, p.x, p.through);
    ImagesBack<T> back(d, p, parts);
    for (int64_t g = first; g < last; g++) {
      for (int64_t n = g * grams.images; n < std::min(d.n, (g + 1) * grams.images); n++) {
        back.image(n, images.of(n));
        const T* dx = p.dx + n * d.image();
        if (p.gram)
          addGram(dx, d.c, d.c, p.beside + n * d.image(), d.c, d.c, d.h * d.w, false, grams.of(g),
                  d.c);
        if (p.sums) {
          const int64_t whole = d.c / wide<T> * wide<T>;
          addColumns<T, wide<T>>(dx, d.h, d.w, d.c, 0, whole, columns.of(g));
          addColumns<T, 4>(dx, d.h, d.w, d.c, whole, d.c, columns.of(g));
        }
      }
      back.end(g);
    }
  });
  if (p.gram)
    for (int64_t i = 0; i < d.c * d.c; i++) p.gram[i] = grams.sum(i);
  if (p.sums)
    for (int64_t c = 0; c < d.c; c++) p.sums[c] = columns.sum(c);
  for (Part<T>& part : parts) part.finish();
}

// reluSum writes Σ max(x, 0) over n rows of x to out [numbers].
template <class T>
void reluSum(const T* x, T* out, int64_t n, int64_t numbers) {
  constexpr int64_t block = 2048;  // of out stays in the first-level cache
  at::parallel_for(0, (numbers + block - 1) / block, 1, [&](int64_t first, int64_t last) {
    const int64_t from = first * block, count = std::min(numbers, last * block) - from;
    for (int64_t at = from; at < from + count; at += block) {
      const int64_t own = std::min(block, from + count - at);
      T* __restrict to = out + at;
      rectify(x + at, to, own, true);
      for (int64_t i = 1; i < n; i++) {
        const T* row = x + i * numbers + at;
        for (int64_t j = 0; j < own; j++) to[j] += row[j] < 0 ? T(0) : row[j];
      }
    }
  });
}
