// The passes of a 1x1 convolution and of the batch norm after it. each_processor.h includes them.
#include "tile.h"
#include "norm.h"

// The product of rows [from, to) of x and wᵀ [in,out].
template <class T>
Product<T> product(const Sizes& s, const T* x, const T* w, T* out, int64_t from) {
  return {x + from * s.in, s.in, 1, w, s.out, out + from * s.out, s.out, s.in, false};
}

// convolved writes y = x·weightᵀ and returns its moments.
template <class T>
Moments convolved(const Sizes& s, const T* x, const T* weight, T* y) {
  const std::vector<T> w = transposed(weight, s.out, s.in);
  const int64_t threads = at::get_num_threads(), blockRows = s.blockRows();
  std::vector<Moments> of(threads, Moments(s.out));
  share(s, threads, [&](int64_t thread, int64_t from, int64_t to) {
    std::vector<T> mean(s.out), squares(s.out);
    for (; from < to; from += blockRows) {
      const int64_t rows = std::min(blockRows, to - from);
      multiply(product(s, x, w.data(), y, from), rows, s.out);
      moments(y + from * s.out, rows, s.out, mean.data(), squares.data());
      of[thread].add(rows, mean.data(), squares.data());
    }
  });
  for (int64_t t = 1; t < threads; t++)
    of[0].add(of[t].count, of[t].mean.data(), of[t].squares.data());
  return of[0];
}

template <class T>
void normalise(const Sizes& s, const Norm<T>& norm, const T* y, T* out) {
  share(s, at::get_num_threads(), [&](int64_t, int64_t first, int64_t last) {
    eachImage(first, last, s.pixels, [&](int64_t from, int64_t to, int64_t image) {
      normalised<T>(y + from * s.out, out + from * s.out, to - from, s.out, norm.scale.data(),
                    norm.shift.data(), norm.factor(image), norm.least());
    });
  });
}

// The passes of backward.
template <class T>
struct Backward : BackwardInputs<T> {
  using BackwardInputs<T>::s, BackwardInputs<T>::norm, BackwardInputs<T>::deviation,
      BackwardInputs<T>::g, BackwardInputs<T>::gRow, BackwardInputs<T>::y, BackwardInputs<T>::x,
      BackwardInputs<T>::weight;

  // block gives the loops of norm.h the rows [from, to), all of one image.
  GradientRows<T> block(int64_t from, int64_t to, int64_t image) const {
    return {g + from * gRow, gRow, y + from * s.out, to - from, s.out, norm.mean.data(),
            norm.scale.data(), norm.shift.data(), norm.factor(image), norm.least()};
  }

  // sums returns Σ g for each channel, then Σ g·(y − mean) for each.
  std::vector<double> sums() const {
    const int64_t threads = at::get_num_threads(), blockRows = s.blockRows();
    std::vector<std::vector<double>> of(threads, std::vector<double>(2 * s.out));
    share(s, threads, [&](int64_t thread, int64_t first, int64_t last) {
      std::vector<T> own(2 * s.out);
      for (; first < last; first += blockRows) {
        std::fill(own.begin(), own.end(), T(0));
        const int64_t end = std::min(last, first + blockRows);
        eachImage(first, end, s.pixels, [&](int64_t from, int64_t to, int64_t image) {
          gradientSums(block(from, to, image), own.data(), own.data() + s.out);
        });
        for (int64_t c = 0; c < 2 * s.out; c++) of[thread][c] += own[c];
      }
    });
    for (int64_t t = 1; t < threads; t++)
      for (int64_t c = 0; c < 2 * s.out; c++) of[0][c] += of[t][c];
    return of[0];
  }

  // products computes the gradient of y, scale·g + constant + slope·(y − mean), and from it the
  // gradients of the weight and of x.
  void products(const T* constant, const T* slope, const Gradients<T>& to) const {
    const int64_t threads = at::get_num_threads(), blockRows = s.blockRows();
    std::vector<std::vector<T>> weights(threads, std::vector<T>(s.out * s.in));
    share(s, threads, [&](int64_t thread, int64_t first, int64_t last) {
      std::vector<T> dy(blockRows * s.out);
      for (; first < last; first += blockRows) {
        const int64_t rows = std::min(blockRows, last - first);
        eachImage(first, first + rows, s.pixels, [&](int64_t from, int64_t end, int64_t image) {
          gradient(block(from, end, image), constant, slope, dy.data() + (from - first) * s.out);
        });
        const Product<T> dWeight = {dy.data(), 1, s.out, x + first * s.in, s.in,
                                    weights[thread].data(), s.in, rows, true};
        multiply(dWeight, s.out, s.in);
        if (!to.dx) continue;
        const Product<T> dx = {dy.data(), s.out, 1, weight, s.in, to.dx + first * s.in, s.in, s.out,
                               false};
        multiply(dx, rows, s.in);
      }
    });
    for (int64_t i = 0; i < s.out * s.in; i++) {
      to.dWeight[i] = weights[0][i];
      for (int64_t t = 1; t < threads; t++) to.dWeight[i] += weights[t][i];
    }
  }

  void run(const Gradients<T>& to) const {
    const std::vector<double> all = sums();
    std::vector<T> constant(s.out), slope(s.out);
    for (int64_t c = 0; c < s.out; c++) {
      const double sum = all[c], moment = all[s.out + c] / deviation[c];
      to.dShift[c] = sum;
      to.dScale[c] = moment;
      constant[c] = -norm.scale[c] * sum / s.rows;
      slope[c] = -norm.scale[c] * moment / deviation[c] / s.rows;
    }
    products(constant.data(), slope.data(), to);
  }
};

template <class T>
void backward(const BackwardInputs<T>& inputs, const Gradients<T>& to) {
  Backward<T>{inputs}.run(to);
}
