// Matrix products that are computed in tiles: blocks of the result whose sums stay in registers.
// They are for matrices with few columns. each_processor.h includes these loops.
// A vector of `lanes` numbers. Loaded is a vector in memory, which need not be aligned.
template <class T, int lanes>
struct Lanes {
  using Vector [[gnu::vector_size(lanes * sizeof(T))]] = T;
  using Loaded [[gnu::vector_size(lanes * sizeof(T)), gnu::aligned(sizeof(T)), gnu::may_alias]] = T;
};

template <class T>
struct Lanes<T, 1> {
  using Vector = T;
  using Loaded = T;
};

template <class T>
constexpr int wide = VECTOR_BYTES / sizeof(T);  // lanes of the widest vector

// Numbers begin where a line of the caches does: a vector that crosses two lines takes twice as long to
// load.
template <class T>
struct OnLines {
  using value_type = T;
  static constexpr std::align_val_t line{64};

  T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), line)); }
  void deallocate(T* p, size_t) { ::operator delete(p, line); }
  bool operator==(const OnLines&) const { return true; }
  bool operator!=(const OnLines&) const { return false; }
};

template <class T>
using Numbers = std::vector<T, OnLines<T>>;

// ahead asks for n numbers that lie some way behind `from`: loops that read on reach them about when
// they have come from memory. The processor's own reading ahead stops at the end of a page.
template <class T>
inline void ahead(const T* from, int64_t n) {
  constexpr int64_t way = 4096;  // bytes
  const char* at = reinterpret_cast<const char*>(from) + way;
  for (int64_t i = 0; i < n * int64_t(sizeof(T)); i += 64) __builtin_prefetch(at + i, 0, 2);
}

// The sum over terms k of left(i,k)·right(k,j), for rows i and columns j of out. Where leftRow is 1
// the type can say so: the compiler then needs no register for each row.
template <class T, bool adjacentRows = false>
struct Product {
  using Number = T;
  static constexpr bool adjacent = adjacentRows;

  const T* left;
  int64_t leftRow, leftTerm;  // distance from one row to the next, from one term to the next
  const T* right;
  int64_t rightTerm;
  T* out;
  int64_t outRow;
  int64_t terms;
  bool add;           // adds to out instead of overwriting it
  bool apart = false;  // left, or right with adjacent rows, is not in the caches yet
};

// tile computes a block of `rows` rows by `vectors` vectors of `lanes` columns plus `fours` groups
// of four columns, two of which are one vector of eight.
template <class P, int rows, int lanes, int vectors, int fours>
void tile(const P& p) {
  using T = typename P::Number;
  using Vector = typename Lanes<T, lanes>::Vector;
  using Loaded = typename Lanes<T, lanes>::Loaded;
  using Eight = typename Lanes<T, 8>::Vector;
  using LoadedEight = typename Lanes<T, 8>::Loaded;
  using Four = typename Lanes<T, 4>::Vector;
  using LoadedFour = typename Lanes<T, 4>::Loaded;
  constexpr bool eight = fours >= 2, four = fours % 2 == 1;
  constexpr int atEight = lanes * vectors, atFour = atEight + 8 * eight;
  Vector sums[rows][vectors + 1];
  Eight eights[rows];
  Four ends[rows];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sums[r][v] = Vector{};
    if (eight) eights[r] = Eight{};
    if (four) ends[r] = Four{};
  }
  // Local copies: the compiler has to assume that a store to out changes members of p.
  const int64_t leftRow = p.leftRow, leftTerm = p.leftTerm, rightTerm = p.rightTerm;
  const int64_t outRow = p.outRow;
  const bool add = p.add, apart = p.apart;
  const T *a = p.left, *b = p.right;
  T* to = p.out;
  if (!P::adjacent && apart)
    for (int r = 0; r < rows; r++) ahead(a + r * leftRow, p.terms);
  for (int64_t k = p.terms; k > 0; k--, a += leftTerm, b += rightTerm) {
    if (P::adjacent && apart) ahead(b, lanes * vectors + 4 * fours);
    Vector y[vectors + 1];
    Eight e;
    Four z;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) y[v] = *reinterpret_cast<const Loaded*>(b + lanes * v);
    if (eight) e = *reinterpret_cast<const LoadedEight*>(b + atEight);
    if (four) z = *reinterpret_cast<const LoadedFour*>(b + atFour);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const T x = a[P::adjacent ? r : r * leftRow];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) sums[r][v] += x * y[v];
      if (eight) eights[r] += x * e;
      if (four) ends[r] += x * z;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++, to += outRow) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      auto* at = reinterpret_cast<Loaded*>(to + lanes * v);
      *at = add ? *at + sums[r][v] : sums[r][v];
    }
    if (eight) {
      auto* at = reinterpret_cast<LoadedEight*>(to + atEight);
      *at = add ? *at + eights[r] : eights[r];
    }
    if (four) {
      auto* at = reinterpret_cast<LoadedFour*>(to + atFour);
      *at = add ? *at + ends[r] : ends[r];
    }
  }
}

// blocks computes tiles of n rows until fewer rows are left, and moves p past them.
template <int n, int lanes, int vectors, int fours, class P>
void blocks(P& p, int64_t& rows) {
  for (; rows >= n; rows -= n) {
    tile<P, n, lanes, vectors, fours>(p);
    if (P::adjacent) p.apart = false;  // right lies in the caches now
    p.left += n * p.leftRow;
    p.out += n * p.outRow;
  }
}

// The sums of a tile take at most so many registers; the others hold its operands.
constexpr int sumRegisters = REGISTERS == 32 ? 24 : 12;
constexpr int mostVectors = REGISTERS == 32 ? 4 : 2;  // of a strip

// strip computes all rows of those columns.
template <int lanes, int vectors, int fours, class P>
void strip(P p, int64_t rows) {
  constexpr int most = sumRegisters / (vectors + fours / 2 + fours % 2);  // rows of a tile
  if constexpr (most >= 16 && P::adjacent) blocks<16, lanes, vectors, fours>(p, rows);
  if constexpr (most >= 12 && most < 16) blocks<12, lanes, vectors, fours>(p, rows);
  if constexpr (most >= 8) blocks<8, lanes, vectors, fours>(p, rows);
  if constexpr (most >= 6 && most < 8) blocks<6, lanes, vectors, fours>(p, rows);
  if constexpr (most >= 4) blocks<4, lanes, vectors, fours>(p, rows);
  if constexpr (most == 3) blocks<3, lanes, vectors, fours>(p, rows);
  blocks<1, lanes, vectors, fours>(p, rows);
}

template <int vectors, class P>
void strips(const P& p, int64_t rows, int64_t fours) {
  constexpr int lanes = wide<typename P::Number>;
  switch (fours) {
    case 0: if constexpr (vectors > 0) strip<lanes, vectors, 0>(p, rows); break;
    case 1: if constexpr (lanes > 4) strip<lanes, vectors, 1>(p, rows); break;
    case 2: if constexpr (lanes > 8) strip<lanes, vectors, 2>(p, rows); break;
    default: if constexpr (lanes > 8) strip<lanes, vectors, 3>(p, rows);
  }
}

// multiply computes `rows` rows by `columns` columns of p: strips of wide vectors, the last of which
// takes fours too, then up to three single columns.
template <class P>
void multiply(P p, int64_t rows, int64_t columns) {
  constexpr int64_t lanes = wide<typename P::Number>;
  const int64_t inFours = columns / 4 * 4;
  const int64_t vectors = inFours / lanes, fours = inFours % lanes / 4;
  const int64_t groups = std::max<int64_t>(1, (vectors + mostVectors - 1) / mostVectors);
  for (int64_t g = 0; g < groups; g++) {
    const int64_t own = vectors * (g + 1) / groups - vectors * g / groups;
    const int64_t ends = g + 1 < groups ? 0 : fours;
    switch (own) {
      case 0: strips<0>(p, rows, ends); break;
      case 1: strips<1>(p, rows, ends); break;
      case 2: strips<2>(p, rows, ends); break;
      case 3: if constexpr (mostVectors > 2) strips<3>(p, rows, ends); break;
      default: if constexpr (mostVectors > 2) strips<4>(p, rows, ends);
    }
    p.right += own * lanes + 4 * ends;
    p.out += own * lanes + 4 * ends;
  }
  switch (columns % 4) {
    case 1: strip<1, 1, 0>(p, rows); break;
    case 2: strip<1, 2, 0>(p, rows); break;
    case 3: strip<1, 3, 0>(p, rows); break;
  }
}

constexpr int64_t gramRows = 256;  // of a and b, which then lie in the first-level cache

// addGram adds aᵀ·b, of `rows` rows of m and n columns, to sums [m,n]. Of a symmetric product it leaves
// out blocks below the diagonal, which copyBelow fills.
template <class T>
void addGram(const T* a, int64_t aRow, int64_t m, const T* b, int64_t bRow, int64_t n, int64_t rows,
             bool symmetric, T* sums, int64_t row) {
  constexpr int64_t blockRows = gramRows;
  const int64_t blockColumns = symmetric ? 16 : 48;  // of a
  for (int64_t from = 0; from < rows; from += blockRows)
    for (int64_t c = 0; c < m; c += blockColumns) {
      const int64_t first = symmetric ? c : 0;  // column of b
      const Product<T, true> p = {a + from * aRow + c, 1, aRow, b + from * bRow + first, bRow,
                                  sums + c * row + first, row, std::min(blockRows, rows - from),
                                  true, !symmetric && c == 0};
      multiply(p, std::min(blockColumns, m - c), n - first);
    }
}

template <class T>
void copyBelow(T* sums, int64_t n, int64_t row) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < i; j++) sums[i * row + j] = sums[j * row + i];
}
