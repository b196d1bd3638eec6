// The loop of a sum of rows, each times a row of factors that repeats. each_processor.h includes it.

// addScaled writes y∘share to `to`, or adds it. share holds `period` numbers; the first of y takes the one at `at`.
template <class T>
void addScaled(const T* y, const T* share, int64_t period, int64_t at, int64_t n, bool add, T* to) {
  while (n > 0) {
    const int64_t run = period == 1 ? n : std::min(n, period - at);
    const T* __restrict from = y;
    T* __restrict out = to;
    if (period == 1) {
      const T factor = *share;
      if (add)
        for (int64_t i = 0; i < run; i++) out[i] = out[i] + from[i] * factor;
      else
        for (int64_t i = 0; i < run; i++) out[i] = from[i] * factor;
    } else {
      const T* __restrict factors = share + at;
      if (add)
        for (int64_t i = 0; i < run; i++) out[i] = out[i] + from[i] * factors[i];
      else
        for (int64_t i = 0; i < run; i++) out[i] = from[i] * factors[i];
    }
    y += run, to += run, n -= run, at = 0;
  }
}

template <class T>
void scaledSum(const std::vector<Scaled<T>>& terms, bool add, int64_t numbers, T* out) {
  constexpr int64_t block = 2048;  // of out stays in the first-level cache
  at::parallel_for(0, (numbers + block - 1) / block, 1, [&](int64_t first, int64_t last) {
    const int64_t end = std::min(numbers, last * block);
    for (int64_t at = first * block; at < end; at += block)
      for (size_t i = 0; i < terms.size(); i++) {
        const Scaled<T>& t = terms[i];
        addScaled(t.y + at, t.share, t.period, at % t.period, std::min(block, end - at),
                  add || i > 0, out + at);
      }
  });
}

