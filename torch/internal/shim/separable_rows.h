// The rows that the 1x1 convolution of a stage reads, a block after the other, and where their gradients
// go. Of a thread each kind keeps only what lies in the caches. each_processor.h includes these loops,
// after norm.h and depthwise_loops.h.

// inputRows writes n pixels of a stage's input, from pixel `from` on, as its convolution reads them.
template <class T>
void inputRows(const Stage<T>& stage, int64_t from, int64_t n, T* to) {
  const T* x = stage.x + from * stage.s.in;
  if (stage.norm)
    normalised(x, to, n, stage.s.in, stage.norm->scale.data(), stage.norm->shift.data(), T(1),
               leastOf<T>(stage.relu));
  else
    rectify(x, to, n * stage.s.in, stage.relu);
}

// Stored are rows of a stage without a depthwise convolution.
template <class T>
class Stored {
 public:
  // What threads share.
  struct Shared {
    explicit Shared(const Stage<T>&) {}
    void finish(const Stage<T>&, const Gradients<T>&) const {}
  };

  // The rows [first, last) are this thread's.
  Stored(const Stage<T>& stage, Shared&, T* dx, int64_t, int64_t last)
      : stage(stage), dx(dx), last(last) {
    if (stage.norm || stage.relu) block.resize(stage.s.blockRows() * stage.s.in);
  }

  int64_t end() const { return last; }  // of the rows whose gradients are asked for

  const T* rows(int64_t from, int64_t n) {
    if (block.empty()) return stage.x + from * stage.s.in;
    inputRows(stage, from, n, block.data());
    return block.data();
  }

  // room is where the gradients of n rows go, or null; filled says that they are there.
  T* room(int64_t from, int64_t) { return dx ? dx + from * stage.s.in : nullptr; }
  void filled(int64_t from, int64_t n) {
    if (!stage.relu || stage.norm) return;  // a norm's own gradient knows its ReLU
    const T* x = stage.x + from * stage.s.in;
    T* __restrict to = dx + from * stage.s.in;
    for (int64_t i = 0; i < n * stage.s.in; i++) to[i] = x[i] <= 0 ? T(0) : to[i];
  }

 private:
  const Stage<T>& stage;
  T* dx;
  int64_t last;
  Numbers<T> block;
};

// A Window holds rows [first, end) of a matrix that is made and used row after row.
template <class T>
struct Window {
  int64_t columns, first = 0, end = 0;
  Numbers<T> numbers;

  Window(int64_t rows, int64_t columns) : columns(columns), numbers(rows * columns) {}

  T* at(int64_t row) { return numbers.data() + (row - first) * columns; }
  void begin(int64_t row) { first = end = row; }
  void drop(int64_t before) {  // rows
    if (before <= first) return;
    std::memmove(numbers.data(), at(before), (end - before) * columns * sizeof(T));
    first = before;
  }
};

// Convolved are rows of a depthwise convolution's result. Image by image they are computed when they
// are asked for, again by backward, which takes each image's gradient further to x and to the
// depthwise weight at once.
template <class T, int k>
class Convolved {
 public:
  struct Shared {
    Taps<T> taps, turned;
    Parts<T> weights;

    explicit Shared(const Stage<T>& stage)
        : taps(stage.taps, k * k, stage.d.c, false),
          turned(stage.taps, k * k, stage.d.c, true),
          weights(stage.d, k * k * stage.d.c) {}
    void finish(const Stage<T>& stage, const Gradients<T>& to) const {
      joinWeights<T, k>(stage.d, weights, to.dTaps);
    }
  };

  // The rows [first, last) are this thread's, and the groups of images that begin among them.
  Convolved(const Stage<T>& stage, Shared& shared, T* dx, int64_t first, int64_t last)
      : stage(stage),
        d(stage.d),
        pixels(stage.s.pixels),
        shared(shared),
        dx(dx),
        last(last),
        image(groupFrom(first)),
        images(groupFrom(last)),
        frame(d),
        results(stage.s.blockRows() + pixels, d.c),
        row(stage.norm ? d.row() : 0) {
    results.begin(first / pixels * pixels);
  }

  int64_t end() const { return image < images ? std::max(last, images * pixels) : last; }

  const T* rows(int64_t from, int64_t n) {
    while (results.end < from + n) {
      results.drop(std::min(from, results.end));
      int64_t next = 0;
      const int64_t of = results.end / pixels;
      const auto need = [&](int64_t y) {
        for (; next < std::min(d.h, y - frame.padding); next++) fill(frame, of, next);
      };
      convolveImage<T, k>(frame, d, shared.taps,
                          {results.at(results.end), 0, d.c, nullptr, nullptr, false}, need);
      results.end += pixels;
    }
    return results.at(from);
  }

  T* room(int64_t from, int64_t n) {
    if (image >= images || from + n <= image * pixels) return nullptr;
    if (!arriving) {
      arriving.emplace(stage.s.blockRows() + pixels, d.c);
      arriving->begin(from);
      weights.emplace(d);
      read.emplace(d);
      if (dx) up.emplace(reversed(d));
    }
    arriving->drop(std::min(arriving->end, image * pixels));
    arriving->end = from + n;
    return arriving->at(from);
  }

  void filled(int64_t, int64_t) {
    for (; image < images && (image + 1) * pixels <= arriving->end; image++) {
      const T* dy = arriving->at(image * pixels);
      int64_t next = 0;
      weights->add(*read, d, dy, [&](int64_t y) {
        for (; next < std::min(d.h, y - read->padding); next++) fill(*read, image, next);
      });
      if (dx) {
        const T* mask = stage.relu && !stage.norm ? stage.x + image * d.image() : nullptr;
        imageGradient<T, k>(*up, d, shared.turned, dy,
                            {dx + image * d.image(), 0, d.c, nullptr, mask, false});
      }
      const int64_t group = image / shared.weights.images;
      if (image + 1 == std::min(d.n, (group + 1) * shared.weights.images))
        weights->move(shared.weights.of(group), d.c);
    }
  }

 private:
  // groupFrom is the first image of the first group of images that begins at a row or later.
  int64_t groupFrom(int64_t row) const {
    const int64_t rows = shared.weights.images * pixels;
    return std::min(d.n, (row + rows - 1) / rows * shared.weights.images);
  }

  // fill writes row y of an image to a frame.
  void fill(Frame<T>& f, int64_t of, int64_t y) {
    const int64_t from = (of * d.h + y) * d.w;
    if (!stage.norm) {
      f.set(y, stage.x + from * d.c, stage.relu);
      return;
    }
    inputRows(stage, from, d.w, row.data());
    f.set(y, row.data(), false);
  }

  const Stage<T>& stage;
  const Depthwise d;
  const int64_t pixels;  // of an image of the result
  Shared& shared;
  T* dx;
  int64_t last, image, images;  // the next of its own images, and where they end
  Frame<T> frame;
  Window<T> results;
  Numbers<T> row;
  std::optional<Window<T>> arriving;  // gradients of results
  std::optional<WeightSums<T, k>> weights;
  std::optional<Frame<T>> read;  // by the gradient of the weight
  std::optional<Frame<T>> up;
};
