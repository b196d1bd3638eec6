// What every shim function is built from: guard (the only try/catch), the
// scopes' boxes (tensor, wrap) and small conversions.
#pragma once

#ifndef __has_include
#error "a C++17 compiler is needed"
#elif !__has_include(<ATen/core/Tensor.h>)
#error "libtorch's headers were not found: run scripts/setup first"
#endif

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "shim.h"

namespace shim {

// A use of the binding that libtorch never sees: a freed tensor, no scope.
struct Misuse {
  char kind;
  const char* message;
};

// message copies the kind, then text, into memory that Go frees.
char* message(char kind, const char* text) noexcept;
char* messageOf(const c10::Error& e) noexcept;

template <class Body>
char* guard(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const Misuse& e) {
    return message(e.kind, e.message);
  } catch (const c10::OutOfMemoryError& e) {
    return message(TORCH_KIND_MEMORY, e.what_without_backtrace());
  } catch (const c10::Error& e) {
    return messageOf(e);
  } catch (const std::bad_alloc&) {
    return message(TORCH_KIND_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return message(TORCH_KIND_OTHER, e.what());
  } catch (...) {
    return message(TORCH_KIND_OTHER, "unknown C++ exception");
  }
}

// tensor gives what a handle stands for, or throws Misuse.
const at::Tensor& tensor(torch_tensor h);

// useTensorsOf lets this thread use the tensors of another one, or of none (0), which must
// not free them meanwhile.
uint64_t thisThread();
void useTensorsOf(uint64_t thread);

// tensorOrNone gives an undefined tensor for the zero handle.
at::Tensor tensorOrNone(torch_tensor h);

// wrap gives t a box in the innermost scope of this thread; the zero handle
// for an undefined tensor.
torch_tensor wrap(at::Tensor t);

std::vector<at::Tensor> tensors(const torch_tensor* h, int64_t n);

inline at::IntArrayRef ints(const int64_t* p, int64_t n) {
  return at::IntArrayRef(p, static_cast<size_t>(n));
}

// number is v as a scalar that an integer tensor accepts where v is whole.
inline at::Scalar number(const at::Tensor& like, double v) {
  bool fits = v >= -0x1p63 && v < 0x1p63;  // no NaN does
  if (!like.is_floating_point() && !like.is_complex() && fits &&
      v == static_cast<double>(static_cast<int64_t>(v)))
    return at::Scalar(static_cast<int64_t>(v));
  return at::Scalar(v);
}

inline at::TensorOptions options(int dtype, int device_type, int device_index) {
  return at::TensorOptions()
      .dtype(static_cast<at::ScalarType>(dtype))
      .device(at::Device(static_cast<at::DeviceType>(device_type),
                         static_cast<c10::DeviceIndex>(device_index)));
}

}  // namespace shim
