// Devices, threads, malloc, versions. CUDA comes by dlopen, before any other libtorch
// call: libtorch looks its CUDA hooks up once.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/headeronly/version.h>

#include "guard.h"

using namespace shim;

static char reason[512];  // why CUDA is not there; written once, at start

void torch_load_cuda(void) {
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    snprintf(reason, sizeof reason, "no NVIDIA driver: %s", dlerror());
    return;
  }
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr)
    snprintf(reason, sizeof reason, "libtorch without CUDA (scripts/setup --cuda brings it): %s",
             dlerror());
}

char* torch_cuda_count(int* ret) {
  return guard([&] {
    if (reason[0] != 0) TORCH_CHECK(false, reason);
    TORCH_CHECK(at::globalContext().hasCUDA(), "the driver has no GPU that this libtorch can use");
    *ret = at::detail::getCUDAHooks().deviceCount();
  });
}

void torch_set_threads(int n) { at::set_num_threads(n); }

int torch_threads(void) { return at::get_num_threads(); }

char* torch_set_tf32(int on) {
  return guard([&] {
    at::globalContext().setAllowTF32CuBLAS(on != 0);
    at::globalContext().setAllowTF32CuDNN(on != 0);
  });
}

char* torch_tf32(int* ret) {
  return guard([&] {
    *ret = 0;
    for (auto op : {at::Float32Op::MATMUL, at::Float32Op::CONV, at::Float32Op::RNN})
      if (at::globalContext().float32Precision(at::Float32Backend::CUDA, op) ==
          at::Float32Precision::TF32)
        *ret = 1;
  });
}

char* torch_peak_reserved(int device_index, int64_t* ret) {
  return guard([&] {
    auto stats = at::getDeviceAllocator(at::kCUDA)->getDeviceStats(
        static_cast<c10::DeviceIndex>(device_index));
    constexpr auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    *ret = stats.reserved_bytes[all].peak;
  });
}

int torch_tune_malloc(void) {
  constexpr int topPad = 64 << 20;
  return mallopt(M_MMAP_MAX, 0) && mallopt(M_TRIM_THRESHOLD, -1) && mallopt(M_TOP_PAD, topPad);
}

const char* torch_compiled_version(void) { return TORCH_VERSION; }

char* torch_loaded_version(char* ret, int64_t capacity) {
  return guard([&] {
    const std::string key = "TORCH_VERSION=", config = at::show_config();
    size_t at = config.find(key);
    TORCH_CHECK(at != std::string::npos, "libtorch does not tell its version");
    std::string version = config.substr(at + key.size());
    version = version.substr(0, version.find_first_of(", \n"));
    snprintf(ret, static_cast<size_t>(capacity), "%s", version.c_str());
  });
}
#endif
