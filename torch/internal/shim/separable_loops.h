// The passes of a stage: of a depthwise convolution if there is one, a 1x1 convolution, and the batch
// norm after it. each_processor.h includes them.
#include "depthwise_loops.h"
#include "norm.h"
#include "separable_rows.h"

// convolvedRows writes y = rows·weightᵀ and returns its moments.
template <class T, class Source>
Moments convolvedRows(const Stage<T>& stage, T* y) {
  const Sizes& s = stage.s;
  const std::vector<T> w = transposed(stage.weight, s.out, s.in);
  const int64_t threads = at::get_num_threads(), blockRows = s.blockRows();
  std::vector<Moments> of(threads, Moments(s.out));
  typename Source::Shared shared(stage);
  share(s, threads, [&](int64_t thread, int64_t from, int64_t to) {
    if (from == to) return;
    std::vector<T> mean(s.out), squares(s.out);
    Source x(stage, shared, nullptr, from, to);
    for (; from < to; from += blockRows) {
      const int64_t rows = std::min(blockRows, to - from);
      multiply(product(s, x.rows(from, rows), w.data(), y + from * s.out), rows, s.out);
      moments(y + from * s.out, rows, s.out, mean.data(), squares.data());
      of[thread].add(rows, mean.data(), squares.data());
    }
  });
  for (int64_t t = 1; t < threads; t++)
    of[0].add(of[t].count, of[t].mean.data(), of[t].squares.data());
  return of[0];
}

template <class T>
Moments convolved(const Stage<T>& stage, T* y) {
  if (!stage.taps) return convolvedRows<T, Stored<T>>(stage, y);
  return stage.d.size == 3 ? convolvedRows<T, Convolved<T, 3>>(stage, y)
                           : convolvedRows<T, Convolved<T, 5>>(stage, y);
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
struct Backward {
  const Stage<T>& stage;
  const Arriving<T>& from;
  const Sizes& s = stage.s;

  // block gives the loops of norm.h the rows [first, end), all of one image.
  GradientRows<T> block(int64_t first, int64_t end, int64_t image) const {
    const Norm<T>& norm = from.norm;
    return {from.g + first * from.gRow, from.gRow, from.y + first * s.out, end - first, s.out,
            norm.mean.data(), norm.scale.data(), norm.shift.data(), norm.factor(image),
            norm.least()};
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
  // gradients of the weights and of x.
  template <class Source>
  void products(const T* constant, const T* slope, const Gradients<T>& to) const {
    const int64_t threads = at::get_num_threads(), blockRows = s.blockRows();
    std::vector<Numbers<T>> weights(threads, Numbers<T>(s.out * s.in));
    typename Source::Shared shared(stage);
    share(s, threads, [&](int64_t thread, int64_t first, int64_t last) {
      if (first == last) return;
      Numbers<T> dy(blockRows * s.out);
      Source x(stage, shared, to.dx, first, last);
      for (const int64_t end = x.end(); first < end; first += blockRows) {
        const int64_t rows = std::min(blockRows, end - first);
        eachImage(first, first + rows, s.pixels, [&](int64_t from, int64_t end, int64_t image) {
          gradient(block(from, end, image), constant, slope, dy.data() + (from - first) * s.out);
        });
        if (first < last)
          multiply(Product<T>{dy.data(), 1, s.out, x.rows(first, rows), s.in,
                              weights[thread].data(), s.in, rows, true},
                   s.out, s.in);
        T* dx = x.room(first, rows);
        if (!dx) continue;
        multiply(Product<T>{dy.data(), s.out, 1, stage.weight, s.in, dx, s.in, s.out, false}, rows,
                 s.in);
        x.filled(first, rows);
      }
    });
    for (int64_t i = 0; i < s.out * s.in; i++) {
      to.dWeight[i] = weights[0][i];
      for (int64_t t = 1; t < threads; t++) to.dWeight[i] += weights[t][i];
    }
    shared.finish(stage, to);
  }

  void run(const Gradients<T>& to) const {
    const std::vector<double> all = sums();
    std::vector<T> constant(s.out), slope(s.out);
    for (int64_t c = 0; c < s.out; c++) {
      const double sum = all[c], moment = all[s.out + c] / from.deviation[c];
      to.dShift[c] = sum;
      to.dScale[c] = moment;
      constant[c] = -from.norm.scale[c] * sum / s.rows;
      slope[c] = -from.norm.scale[c] * moment / from.deviation[c] / s.rows;
    }
    if (!stage.taps)
      products<Stored<T>>(constant.data(), slope.data(), to);
    else if (stage.d.size == 3)
      products<Convolved<T, 3>>(constant.data(), slope.data(), to);
    else
      products<Convolved<T, 5>>(constant.data(), slope.data(), to);
  }
};

template <class T>
void backward(const Stage<T>& stage, const Arriving<T>& from, const Gradients<T>& to) {
  Backward<T>{stage, from}.run(to);
}
