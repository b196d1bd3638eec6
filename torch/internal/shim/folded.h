// What the loops of a folded convolution share with their caller.
#pragma once

#include <cstdint>

#include "depthwise.h"

namespace shim {

// The rows of a folded matrix have a multiple of so many numbers: whole vectors of every processor.
constexpr int64_t foldedColumns = 16;

inline int64_t foldedRow(int64_t outs) {
  return (outs + foldedColumns - 1) / foldedColumns * foldedColumns;
}

// A convolution of each channel by itself, or none, then of pixels by a matrix. Pixels lie xRow,
// addRow and outRow numbers apart.
template <class T>
struct FoldedOf {
  const T* x;
  int64_t xRow;
  const T* weight;  // [c,k,k], or null
  const T* matrix;  // [c + 1,foldedRow(outs)]: the last row is added to each pixel
  int64_t outs;
  const T* add;    // or null
  int64_t addRow;
  T* out;
  int64_t outRow;
};

}  // namespace shim
