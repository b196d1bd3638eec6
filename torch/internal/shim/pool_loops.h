// The loops of a max pooling over 3x3 windows with a margin of one pixel. each_processor.h includes
// them. Images lie channels last. A pass over an output row goes through the nine places of the
// window, one after the other, each time along the row.

// along calls visit(from, to, x) for each run of adjacent numbers of an output row: those at
// [from, to), and x, where the first of them reads the input at that column of the window.
template <class Visit>
inline void along(const Windows& s, int64_t column, const Visit& visit) {
  const int64_t first = column == 0 ? 1 : 0;
  const int64_t end =
      s.width < column ? 0 : std::min(s.outWidth, (s.width - column) / s.stride + 1);
  if (s.stride == 1) {
    if (end > first) visit(first * s.channels, end * s.channels, (first + column - 1) * s.channels);
    return;
  }
  for (int64_t o = first; o < end; o++)
    visit(o * s.channels, (o + 1) * s.channels, (o * s.stride + column - 1) * s.channels);
}

// largest writes the maxima of output row r of an image x, and the place of each in its window: the
// first of the largest, or the last NaN, as libtorch has it.
template <class T, class Index>
inline void largest(const Windows& s, const T* x, int64_t r, T* __restrict best,
                    Index* __restrict place) {
  const int64_t top = r == 0 ? 1 : 0, row = s.width * s.channels;
  for (int64_t i = 0; i < s.outWidth * s.channels; i++) {
    best[i] = -std::numeric_limits<T>::infinity();
    place[i] = 3 * top + (i < s.channels ? 1 : 0);
  }
  for (int64_t a = top; a < 3 && r * s.stride - 1 + a < s.height; a++)
    for (int64_t b = 0; b < 3; b++)
      along(s, b, [&](int64_t from, int64_t to, int64_t at) {
        const T* __restrict v = x + (r * s.stride - 1 + a) * row + at - from;
        const Index here = 3 * a + b;
        for (int64_t i = from; i < to; i++) {
          const bool larger = (v[i] > best[i]) | (v[i] != v[i]);
          best[i] = larger ? v[i] : best[i];
          place[i] = larger ? here : place[i];
        }
      });
}

// spread adds the gradients g of output row r to the pixels that the maxima come from, the left
// ones of a pixel's windows first, as libtorch does.
template <class T, class Index>
inline void spread(const Windows& s, const T* __restrict g, const Index* __restrict place,
                   int64_t r, T* dx) {
  const int64_t top = r == 0 ? 1 : 0, row = s.width * s.channels;
  for (int64_t a = top; a < 3 && r * s.stride - 1 + a < s.height; a++)
    for (int64_t b = 2; b >= 0; b--)
      along(s, b, [&](int64_t from, int64_t to, int64_t at) {
        T* __restrict sum = dx + (r * s.stride - 1 + a) * row + at - from;
        const Index here = 3 * a + b;
        for (int64_t i = from; i < to; i++) sum[i] += place[i] == here ? g[i] : T(0);
      });
}

template <class T, class Index>
inline void pool(const Windows& s, const T* x, T* y, uint8_t* places) {
  const int64_t row = s.outWidth * s.channels;
  at::parallel_for(0, s.images, 1, [&](int64_t first, int64_t last) {
    std::vector<Index> place(row);
    for (int64_t r = first * s.outHeight; r < last * s.outHeight; r++) {
      const int64_t image = r / s.outHeight;
      largest(s, x + image * s.height * s.width * s.channels, r % s.outHeight, y + r * row,
              place.data());
      for (int64_t i = 0; i < row; i++) places[r * row + i] = place[i];
    }
  });
}

template <class T, class Index>
inline void poolBackward(const Windows& s, const T* g, const uint8_t* places, T* dx) {
  const int64_t row = s.outWidth * s.channels, image = s.height * s.width * s.channels;
  at::parallel_for(0, s.images, 1, [&](int64_t first, int64_t last) {
    std::fill(dx + first * image, dx + last * image, T(0));
    std::vector<Index> place(row);
    for (int64_t r = first * s.outHeight; r < last * s.outHeight; r++) {
      for (int64_t i = 0; i < row; i++) place[i] = places[r * row + i];
      spread(s, g + r * row, place.data(), r % s.outHeight, dx + r / s.outHeight * image);
    }
  });
}

inline void pooled(const Windows& s, const at::Tensor& x, at::Tensor& y, at::Tensor& places) {
  uint8_t* to = places.data_ptr<uint8_t>();
  if (x.scalar_type() == at::kDouble)
    pool<double, int64_t>(s, x.data_ptr<double>(), y.data_ptr<double>(), to);
  else
    pool<float, int32_t>(s, x.data_ptr<float>(), y.data_ptr<float>(), to);
}

inline void pooledBackward(const Windows& s, const at::Tensor& g, const at::Tensor& places,
                           at::Tensor& dx) {
  const uint8_t* from = places.data_ptr<uint8_t>();
  if (g.scalar_type() == at::kDouble)
    poolBackward<double, int64_t>(s, g.data_ptr<double>(), from, dx.data_ptr<double>());
  else
    poolBackward<float, int32_t>(s, g.data_ptr<float>(), from, dx.data_ptr<float>());
}
