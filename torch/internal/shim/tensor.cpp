// Creation, views, indexing, copies and what a tensor says of itself.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <ATen/ops/_to_copy.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/Allocator.h>
#include <torch/csrc/autograd/variable.h>

#include "guard.h"

using namespace shim;

// --- what a tensor says of itself -------------------------------------------

char* torch_info(torch_tensor t, torch_tensor_info* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    ret->dim = x.dim();
    ret->numel = x.numel();
    ret->offset = x.storage_offset();
    ret->dtype = static_cast<int>(x.scalar_type());
    ret->device_type = static_cast<int>(x.device().type());
    ret->device_index = x.device().index();
    ret->requires_grad = x.requires_grad();
    ret->is_leaf = x.is_leaf();
    ret->contiguous = x.is_contiguous();
    ret->channels_last = x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
    ret->bytes = x.numel() * x.element_size();
    ret->writes = x.is_inference() ? -1 : x._version();
  });
}

char* torch_sizes(torch_tensor t, int64_t* sizes, int64_t* strides) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    for (int64_t i = 0; i < x.dim(); i++) {
      sizes[i] = x.sizes()[i];
      if (strides != nullptr) strides[i] = x.strides()[i];
    }
  });
}

char* torch_item(torch_tensor t, double* ret) {
  return guard([&] { *ret = tensor(t).item().toDouble(); });
}

char* torch_item_int(torch_tensor t, int64_t* ret) {
  return guard([&] { *ret = tensor(t).item().toLong(); });
}

char* torch_read(torch_tensor t, int dtype, void* out, int64_t bytes) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    at::Tensor y =
        x.detach().to(at::Device(at::kCPU), static_cast<at::ScalarType>(dtype)).contiguous();
    TORCH_CHECK(y.numel() * y.element_size() == bytes, "expected ", bytes,
                " bytes, the tensor has ", y.numel() * y.element_size());
    if (bytes > 0) std::memcpy(out, y.data_ptr(), bytes);  // of nothing, both pointers are null
  });
}

// --- creation ---------------------------------------------------------------

char* torch_empty(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::empty(ints(shape, n), options(o.dtype, o.device_type, o.device_index)));
  });
}

char* torch_zeros(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::zeros(ints(shape, n), options(o.dtype, o.device_type, o.device_index)));
  });
}

char* torch_full(const int64_t* shape, int64_t n, double value, torch_options o,
                 torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::full(ints(shape, n), value, options(o.dtype, o.device_type, o.device_index)));
  });
}

char* torch_arange(double start, double end, double step, torch_options o, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::arange(start, end, step, options(o.dtype, o.device_type, o.device_index)));
  });
}

char* torch_eye(int64_t n, torch_options o, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::eye(n, options(o.dtype, o.device_type, o.device_index))); });
}

char* torch_from_data(const void* data, int dtype, const int64_t* shape, int64_t n,
                      int channels_last, torch_options to, torch_tensor* ret) {
  return guard([&] {
    auto cpu = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    at::IntArrayRef sizes = ints(shape, n);
    at::Tensor x;
    if (channels_last) {
      TORCH_CHECK(n == 4, "channels last needs 4 dimensions, got ", n);
      int64_t c = sizes[1], h = sizes[2], w = sizes[3];
      x = at::from_blob(const_cast<void*>(data), sizes, {h * w * c, 1, w * c, c}, cpu);
    } else {
      x = at::from_blob(const_cast<void*>(data), sizes, cpu);
    }
    auto wanted = options(to.dtype, to.device_type, to.device_index);
    if (!wanted.device().is_cuda()) {
      *ret = wrap(at::_to_copy(x, wanted));
      return;
    }
    // From page-locked memory the GPU copies by itself, while the host goes on: a
    // copy from other memory waits for everything that the GPU has yet to do. The
    // allocator of such memory reuses it only when the copy is through.
    at::Tensor locked =
        at::empty_strided(x.sizes(), x.strides(), cpu.dtype(wanted.dtype()).pinned_memory(true));
    locked.copy_(x);
    *ret = wrap(at::_to_copy(locked, wanted, /*non_blocking=*/true));
  });
}

char* torch_empty_like(torch_tensor t, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    *ret = wrap(
        at::empty(x.sizes(), x.options().requires_grad(std::nullopt), x.suggest_memory_format()));
  });
}

// --- copies and conversions ---------------------------------------------------

char* torch_contiguous(torch_tensor t, int channels_last, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(tensor(t).contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                                   : at::MemoryFormat::Contiguous));
  });
}

char* torch_to(torch_tensor t, torch_options o, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(tensor(t).to(at::Device(static_cast<at::DeviceType>(o.device_type),
                                        static_cast<c10::DeviceIndex>(o.device_index)),
                             static_cast<at::ScalarType>(o.dtype)));
  });
}

// --- views --------------------------------------------------------------------

char* torch_transpose(torch_tensor t, int64_t a, int64_t b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).transpose(a, b)); });
}

char* torch_select(torch_tensor t, int64_t dim, int64_t index, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).select(dim, index)); });
}

char* torch_narrow(torch_tensor t, int64_t dim, int64_t start, int64_t length, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).narrow(dim, start, length)); });
}

char* torch_slice(torch_tensor t, int64_t dim, int64_t start, int64_t end, int64_t step,
                  torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).slice(dim, start, end, step)); });
}

char* torch_as_strided(torch_tensor t, const int64_t* shape, const int64_t* strides, int64_t n,
                       int64_t offset, torch_tensor* ret) {
  return guard(
      [&] { *ret = wrap(tensor(t).as_strided(ints(shape, n), ints(strides, n), offset)); });
}

// --- joining and indexing -------------------------------------------------------

char* torch_cat(const torch_tensor* ts, int64_t n, int64_t dim, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::cat(tensors(ts, n), dim)); });
}

char* torch_stack(const torch_tensor* ts, int64_t n, int64_t dim, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::stack(tensors(ts, n), dim)); });
}

char* torch_split(torch_tensor t, const int64_t* sizes, int64_t n, int64_t dim, torch_tensor* ret) {
  return guard([&] {
    auto parts = tensor(t).split_with_sizes(ints(sizes, n), dim);
    for (int64_t i = 0; i < n; i++) ret[i] = wrap(parts[i]);
  });
}

char* torch_index_select(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).index_select(dim, tensor(index))); });
}

char* torch_gather(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).gather(dim, tensor(index))); });
}

char* torch_scatter_(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor src) {
  return guard([&] { tensor(t).scatter_(dim, tensor(index), tensor(src)); });
}

char* torch_index_add_(torch_tensor t, int64_t dim, torch_tensor index, torch_tensor src) {
  return guard([&] { tensor(t).index_add_(dim, tensor(index), tensor(src)); });
}

char* torch_where(torch_tensor condition, torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] { *ret = wrap(at::where(tensor(condition), tensor(a), tensor(b))); });
}
#endif
