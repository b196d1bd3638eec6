// Compiles the loops of the file LOOPS once for each kind of processor, in the namespace of its
// name. There VECTOR_BYTES and REGISTERS are those of the kind's vectors. A file of loops includes
// nothing but other files of loops: what it needs besides stands before this one is included.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")  // loops over numbers become vector instructions

#define VECTOR_BYTES 16
#if defined(__x86_64__)
#define REGISTERS 16
#else
#define REGISTERS 32
#endif
namespace shim::simd128 {
#include LOOPS
}
#undef VECTOR_BYTES
#undef REGISTERS

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define VECTOR_BYTES 32
#define REGISTERS 16
namespace shim::avx2 {
#include LOOPS
}
#undef VECTOR_BYTES
#undef REGISTERS
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#define VECTOR_BYTES 64
#define REGISTERS 32
namespace shim::avx512 {
#include LOOPS
}
#undef VECTOR_BYTES
#undef REGISTERS
#pragma GCC pop_options
#endif

#pragma GCC pop_options
#undef LOOPS
