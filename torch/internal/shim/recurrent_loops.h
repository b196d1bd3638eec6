// The loops of the elementwise part of recurrent networks. each_processor.h includes them.
#undef ALWAYS_INLINE
#define ALWAYS_INLINE inline __attribute__((always_inline))

// The constants of exp for a type. ln 2 is ln2 + ln2Rest, and small multiples of ln2 are exact.
// Adding `round` rounds a number to an integer. The series has `terms` terms.
template <class T>
struct Exp;

template <>
struct Exp<float> {
  using Bits = uint32_t;
  static constexpr float ln2 = 0.693359375f, ln2Rest = -2.12194440e-4f, round = 12582912.f;
  static constexpr float limit = 87;
  static constexpr int mantissa = 23, terms = 7;
  static constexpr Bits one = 0x3f800000;
};

template <>
struct Exp<double> {
  using Bits = uint64_t;
  static constexpr double ln2 = 6.93145751953125e-1, ln2Rest = 1.42860682030941723212e-6,
                          round = 6755399441055744.;
  static constexpr double limit = 708;
  static constexpr int mantissa = 52, terms = 13;
  static constexpr Bits one = 0x3ff0000000000000;
};

template <class T>
constexpr T factorial(int k) {
  return k < 2 ? 1 : k * factorial<T>(k - 1);
}

// Powers splits e^x in 2^n·e^r: x = n·ln 2 + r, |r| <= ln 2 / 2. It cuts x off at ± limit.
template <class T>
struct Powers {
  T power, series;  // 2^n, e^r − 1

  ALWAYS_INLINE explicit Powers(T x);
};

template <class T>
ALWAYS_INLINE Powers<T>::Powers(T x) {
  using E = Exp<T>;
  x = x > E::limit ? E::limit : x;
  x = x < -E::limit ? -E::limit : x;
  T shifted = x * T(1.44269504088896340736) + E::round;  // its last bits are n
  T n = shifted - E::round;
  T r = (x - n * E::ln2) - n * E::ln2Rest;
  series = 0;  // Σ r^k/k! from k = 1 on, by Horner
#pragma GCC unroll 16
  for (int k = E::terms; k >= 1; k--) series = (series + 1 / factorial<T>(k)) * r;
  typename E::Bits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << E::mantissa) + E::one;
  std::memcpy(&power, &bits, sizeof power);
}

// expMinus1 is e^x − 1, accurate for small x too.
template <class T>
ALWAYS_INLINE T expMinus1(T x) {
  const Powers<T> p(x);
  return p.power * p.series + (p.power - 1);
}

template <class T>
ALWAYS_INLINE T exp(T x) {
  const Powers<T> p(x);
  return p.power * p.series + p.power;
}

// The four activations of x share e = e^−x − 1:  σ(x) = 1/(2 + e),  tanh(x/2) = −e·σ(x),
// tanh(x) = 2·tanh(x/2)/(1 + tanh²(x/2)).
template <class T>
struct Activations {
  T tanh, relu, sigmoid, identity;

  ALWAYS_INLINE explicit Activations(T x) {
    T e = expMinus1(-x);
    sigmoid = 1 / (2 + e);
    T half = -e * sigmoid;
    tanh = 2 * half / (1 + half * half);
    relu = x > 0 ? x : 0;
    identity = x;
  }
};

template <class T>
ALWAYS_INLINE T sigmoid(T x) {
  return 1 / (2 + expMinus1(-x));
}

// The weights of the four activations of one state, and their sum q.
template <class T>
struct Mix {
  T tanh, relu, sigmoid, identity, q;

  ALWAYS_INLINE explicit Mix(const T* p)
      : tanh(p[0]), relu(p[1]), sigmoid(p[2]), identity(p[3]), q(p[0] + p[1] + p[2] + p[3]) {}

  // m = Σ p_k·f_k
  ALWAYS_INLINE T of(const Activations<T>& f) const {
    return tanh * f.tanh + relu * f.relu + sigmoid * f.sigmoid + identity * f.identity;
  }

  // dm/dx
  ALWAYS_INLINE T slope(const Activations<T>& f) const {
    return tanh * (1 - f.tanh * f.tanh) + (f.identity > 0 ? relu : 0) +
           sigmoid * f.sigmoid * (1 - f.sigmoid) + identity;
  }
};

constexpr int lanes = 16;  // a sum over a row is the sum of this many partial sums

template <class T>
ALWAYS_INLINE void forward(const Node<T>& n, T* __restrict__ out) {
  for (int64_t row = 0; row < n.rows; row++, out += n.units) {
    for (int64_t x = 0; x < n.units; x++) out[x] = 0;
    for (int64_t j = 0; j < n.count; j++) {
      const Mix<T> p(n.mix + 4 * j);
      const T* __restrict__ s = n.state(j, row);
      T* __restrict__ gate = n.gate(j, row);
      const T* __restrict__ candidate = gate + n.units;
      for (int64_t x = 0; x < n.units; x++) {
        T c = sigmoid(gate[x]), qs = p.q * s[x];
        out[x] += qs + c * (p.of(Activations<T>(candidate[x])) - qs);
        gate[x] = c;
      }
    }
  }
}

template <class T>
ALWAYS_INLINE void backward(const Node<T>& n, const T* __restrict__ d, T* dStates, double* dMix) {
  for (int64_t row = 0; row < n.rows; row++, d += n.units) {
    for (int64_t j = 0; j < n.count; j++) {
      const Mix<T> p(n.mix + 4 * j);
      const T* __restrict__ s = n.state(j, row);
      T* __restrict__ gate = n.gate(j, row);
      T* __restrict__ candidate = gate + n.units;
      T* __restrict__ ds = dStates + (j * n.rows + row) * n.units;
      T sums[5][lanes] = {};
      auto one = [&](int64_t x, int lane) __attribute__((always_inline)) {
        const Activations<T> f(candidate[x]);
        T c = gate[x], dc = d[x] * c, rest = d[x] - dc;  // d·c and d·(1 − c)
        sums[0][lane] += rest * s[x];
        sums[1][lane] += dc * f.tanh;
        sums[2][lane] += dc * f.relu;
        sums[3][lane] += dc * f.sigmoid;
        sums[4][lane] += dc * f.identity;
        ds[x] += p.q * rest;
        gate[x] = (p.of(f) - p.q * s[x]) * rest * c;
        candidate[x] = dc * p.slope(f);
      };
      int64_t x = 0;
      for (; x + lanes <= n.units; x += lanes)
        for (int lane = 0; lane < lanes; lane++) one(x + lane, lane);
      for (; x < n.units; x++) one(x, 0);
      double total[5] = {};
      for (int k = 0; k < 5; k++)
        for (int lane = 0; lane < lanes; lane++) total[k] += sums[k][lane];
      for (int k = 0; k < 4; k++) dMix[4 * j + k] += total[0] + total[1 + k];
    }
  }
}

// crossEntropy turns a row of logits [n] into softmax(logits + bias) − onehot(label) and returns
//
//   log Σ e^(x − max) − (x[label] − max)
template <class T>
ALWAYS_INLINE double crossEntropy(T* __restrict__ x, const T* __restrict__ bias, int64_t n,
                                  int64_t label) {
  T most[lanes];
  for (int lane = 0; lane < lanes; lane++) most[lane] = -INFINITY;
  auto largest = [&](int64_t i, int lane) __attribute__((always_inline)) {
    x[i] += bias ? bias[i] : 0;
    most[lane] = x[i] > most[lane] ? x[i] : most[lane];
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int lane = 0; lane < lanes; lane++) largest(i + lane, lane);
  for (; i < n; i++) largest(i, 0);
  for (int lane = 1; lane < lanes; lane++) most[0] = most[lane] > most[0] ? most[lane] : most[0];
  const T max = most[0];
  const double own = x[label] - max;
  T sums[lanes] = {};
  auto one = [&](int64_t i, int lane) __attribute__((always_inline)) {
    x[i] = exp(x[i] - max);
    sums[lane] += x[i];
  };
  for (i = 0; i + lanes <= n; i += lanes)
    for (int lane = 0; lane < lanes; lane++) one(i + lane, lane);
  for (; i < n; i++) one(i, 0);
  double sum = 0;
  for (int lane = 0; lane < lanes; lane++) sum += sums[lane];
  const T scale = 1 / sum;
  for (i = 0; i < n; i++) x[i] *= scale;
  x[label] -= 1;
  return std::log(sum) - own;
}
