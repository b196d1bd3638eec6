// Matrix products out of tiles whose sums stay in registers, for matrices with few columns.
#pragma once

#include <algorithm>
#include <cstdint>

#include "processor.h"

namespace shim {

// Vectors of 64 bytes, and of 4 numbers for what is left of a row; they need not be aligned.
template <class T>
struct Lanes {
  using Whole [[gnu::vector_size(64)]] = T;
  using WholeIn [[gnu::vector_size(64), gnu::aligned(sizeof(T)), gnu::may_alias]] = T;
  using Four [[gnu::vector_size(4 * sizeof(T))]] = T;
  using FourIn [[gnu::vector_size(4 * sizeof(T)), gnu::aligned(sizeof(T)), gnu::may_alias]] = T;
  static constexpr int64_t whole = 64 / sizeof(T);
};

// A sum over terms k of left(i,k)·right(k,j), for rows i and columns j of out.
template <class T>
struct Product {
  const T* left;
  int64_t leftRow, leftTerm;  // from a row, and from a term, to the next
  const T* right;
  int64_t rightTerm;
  T* out;
  int64_t outRow;
  int64_t terms;
  bool add;  // to what is there
};

// tile is that of as many rows, and of wholes vectors and fours of 4 numbers as columns.
template <class T, int rows, int wholes, int fours>
FOR_AVX512 void tile(const Product<T>& p) {
  using L = Lanes<T>;
  typename L::Whole sums[rows][wholes + 1];
  typename L::Four ends[rows][fours + 1];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int v = 0; v < wholes; v++) sums[r][v] = typename L::Whole{};
#pragma GCC unroll 4
    for (int v = 0; v < fours; v++) ends[r][v] = typename L::Four{};
  }
  const T *a = p.left, *b = p.right;
  for (int64_t k = p.terms; k > 0; k--, a += p.leftTerm, b += p.rightTerm) {
    typename L::Whole y[wholes + 1];
    typename L::Four z[fours + 1];
#pragma GCC unroll 4
    for (int v = 0; v < wholes; v++)
      y[v] = *reinterpret_cast<const typename L::WholeIn*>(b + L::whole * v);
#pragma GCC unroll 4
    for (int v = 0; v < fours; v++)
      z[v] = *reinterpret_cast<const typename L::FourIn*>(b + L::whole * wholes + 4 * v);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      const T x = a[r * p.leftRow];
#pragma GCC unroll 4
      for (int v = 0; v < wholes; v++) sums[r][v] += x * y[v];
#pragma GCC unroll 4
      for (int v = 0; v < fours; v++) ends[r][v] += x * z[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
    T* to = p.out + r * p.outRow;
#pragma GCC unroll 4
    for (int v = 0; v < wholes; v++) {
      auto* at = reinterpret_cast<typename L::WholeIn*>(to + L::whole * v);
      *at = p.add ? *at + sums[r][v] : sums[r][v];
    }
#pragma GCC unroll 4
    for (int v = 0; v < fours; v++) {
      auto* at = reinterpret_cast<typename L::FourIn*>(to + L::whole * wholes + 4 * v);
      *at = p.add ? *at + ends[r][v] : ends[r][v];
    }
  }
}

// strip is the product for those columns, of as many rows as said.
template <class T, int wholes, int fours>
FOR_AVX512 void strip(Product<T> p, int64_t rows) {
  constexpr int registers = wholes + fours, together = registers <= 3   ? 8
                                                      : registers == 4 ? 6
                                                      : registers <= 6 ? 4
                                                                       : 3;
  int64_t r = 0;
  for (; r + together <= rows; r += together) {
    tile<T, together, wholes, fours>(p);
    p.left += together * p.leftRow;
    p.out += together * p.outRow;
  }
  if (r + 4 <= rows && together > 4) {
    tile<T, 4, wholes, fours>(p);
    p.left += 4 * p.leftRow;
    p.out += 4 * p.outRow;
    r += 4;
  }
  for (; r < rows; r++) {
    tile<T, 1, wholes, fours>(p);
    p.left += p.leftRow;
    p.out += p.outRow;
  }
}

template <class T, int wholes>
FOR_AVX512 void strips(const Product<T>& p, int64_t rows, int64_t fours) {
  switch (fours) {
    case 0: if constexpr (wholes > 0) strip<T, wholes, 0>(p, rows); break;
    case 1: strip<T, wholes, 1>(p, rows); break;
    case 2: strip<T, wholes, 2>(p, rows); break;
    default: strip<T, wholes, 3>(p, rows);
  }
}

// multiply computes p for as many rows and columns, a multiple of 4.
template <class T>
FOR_AVX512 void multiply(Product<T> p, int64_t rows, int64_t columns) {
  const int64_t wholes = columns / Lanes<T>::whole, fours = columns % Lanes<T>::whole / 4;
  const int64_t groups = std::max<int64_t>(1, (wholes + 3) / 4);
  for (int64_t g = 0; g < groups; g++) {
    const int64_t own = wholes * (g + 1) / groups - wholes * g / groups;
    const int64_t ends = g + 1 < groups ? 0 : fours;
    switch (own) {
      case 0: strips<T, 0>(p, rows, ends); break;
      case 1: strips<T, 1>(p, rows, ends); break;
      case 2: strips<T, 2>(p, rows, ends); break;
      case 3: strips<T, 3>(p, rows, ends); break;
      default: strips<T, 4>(p, rows, ends);
    }
    p.right += own * Lanes<T>::whole;
    p.out += own * Lanes<T>::whole;
  }
}

}  // namespace shim
