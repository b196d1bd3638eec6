// The kind of processor that loops are chosen for, ours and libtorch's.
#include "processor.h"

#include <ATen/Version.h>

#include <algorithm>
#include <cstdlib>

#include "count.h"
#include "guard.h"

using namespace shim;

namespace {

constexpr const char* names[] = {"none", "simd128", "avx2", "avx512"};

Processor has() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Processor::simd128;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
  return wide ? Processor::avx512 : Processor::avx2;
#else
  return Processor::simd128;
#endif
}

// asked is the position in names of what GODARTS_CPU holds, or -1 if it is none of them. Without
// a value it is the last.
int asked() {
  const char* value = std::getenv("GODARTS_CPU");
  if (value == nullptr || *value == 0) return std::size(names) - 1;
  const auto* at = std::find(std::begin(names), std::end(names), std::string(value));
  return at == std::end(names) ? -1 : static_cast<int>(at - names);
}

}  // namespace

// Where GODARTS_CPU holds no kind, torch_processor tells, and no scope opens.
Processor shim::processor() {
  static const Processor chosen = std::min(has(), static_cast<Processor>(std::max(asked(), 0)));
  return chosen;
}

bool shim::operatorsOnly() { return asGPU.load(std::memory_order_relaxed); }

char* torch_processor(const char** ret) {
  return guard([&] {
    TORCH_CHECK(asked() >= 0, "GODARTS_CPU=", std::getenv("GODARTS_CPU"),
                ": no kind of processor (wanted none, simd128, avx2 or avx512)");
    *ret = names[static_cast<int>(processor())];
  });
}

char* torch_libtorch_processor(char* ret, int64_t capacity) {
  return guard([&] {
    snprintf(ret, static_cast<size_t>(capacity), "%s", at::get_cpu_capability().c_str());
  });
}
