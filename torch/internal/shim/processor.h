// For which processors a function of our own is compiled, besides the plain one, and
// whether this is such a processor: the same kinds as libtorch's own loops are for.
#pragma once

#if defined(__x86_64__)
#define FOR_AVX512 \
  __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")))
#define FOR_AVX2 __attribute__((target("avx2,fma")))
#else
#define FOR_AVX512
#define FOR_AVX2
#endif

namespace shim {

// The kinds, each with all of the ones before it.
enum class Processor { none, avx2, avx512 };

// processor is the kind that loops of our own are chosen for: this processor's, or the
// lesser one that the environment's GODARTS_CPU names.
Processor processor();

inline bool avx512() { return processor() == Processor::avx512; }
inline bool avx2() { return processor() >= Processor::avx2; }

}  // namespace shim
