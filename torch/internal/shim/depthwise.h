// What the loops of depthwise convolutions share with their callers, and what others call.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace shim {

// depthwiseOf is the depthwise convolution of images x, or of max(x, 0). It takes part in autograd.
// checkDepthwise throws for shapes, strides and dilations that there are none of.
at::Tensor depthwiseOf(const at::Tensor& x, const at::Tensor& weight, bool relu, int64_t stride,
                       int64_t dilation);
void checkDepthwise(at::IntArrayRef x, const at::Tensor& weight, int64_t stride, int64_t dilation);

// The sizes of a depthwise convolution of images that lie channels last, [n,h,w,c], by a square
// kernel. Its padding keeps the size of an image at stride 1. relu: of max(x, 0).
struct Depthwise {
  int64_t n, h, w, c;
  int64_t size, dilation, stride;
  bool relu;

  int64_t padding() const { return dilation * (size - 1) / 2; }
  int64_t outH() const { return (h - 1) / stride + 1; }
  int64_t outW() const { return (w - 1) / stride + 1; }
  int64_t row() const { return w * c; }  // numbers
  int64_t outRow() const { return outW() * c; }
  int64_t image() const { return h * row(); }  // numbers
  int64_t outImage() const { return outH() * outRow(); }
};

template <class T>
struct ForwardOf {
  const T *x, *weight;  // [n,h,w,c], [c,k,k]
  const T* through;     // [c,c]: pixels are multiplied by it first; or null
  const T* bias;        // [c], or null
  T* y;
  T* gram;  // [c,c]: yᵀ·y over pixels, or null
};

// The product of pixels [n·h·w,terms] and a matrix [terms,c].
template <class T>
struct PixelProduct {
  const T *pixels, *matrix;
  int64_t terms;
};

// One of the convolutions of x whose gradients are taken, in a Depthwise with its size and dilation.
template <class T>
struct PartOf {
  Depthwise d;
  const T* dy;                            // or null: it is the sum of these
  std::vector<PixelProduct<T>> products;
  const T* weight;
  T* dWeight;  // or null
};

template <class T>
struct BackwardOf {
  std::vector<PartOf<T>> parts;
  const T *x, *through;
  T* dx;  // or null; with through it is the gradient of x·through
  bool add;
  const T* beside;  // as dx
  T* gram;          // [c,c]: dxᵀ·beside over pixels, or null
  double* sums;     // [c]: Σ dx over pixels, or null
};

}  // namespace shim
