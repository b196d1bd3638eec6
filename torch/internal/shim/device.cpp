// Devices, threads, versions. CUDA comes by dlopen, before any other libtorch
// call: libtorch looks its CUDA hooks up once.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
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
    TORCH_CHECK(at::globalContext().hasCUDA(), "libtorch_cuda is loaded but not registered");
    *ret = at::detail::getCUDAHooks().deviceCount();
  });
}

void torch_set_threads(int n) { at::set_num_threads(n); }

int torch_threads(void) { return at::get_num_threads(); }

void torch_set_deterministic(int on) {
  at::globalContext().setDeterministicAlgorithms(on != 0, /*warn_only=*/false);
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
