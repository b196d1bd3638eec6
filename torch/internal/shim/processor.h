// The kinds of processors that our loops are compiled for, and the choice between the forms of a
// computation.
#pragma once

namespace shim {

// The kinds, each with all of the ones before it. simd128 has vectors of 16 bytes, which are SSE2's
// and NEON's; avx2 and avx512 are those of libtorch's loops.
enum class Processor { none, simd128, avx2, avx512 };

// processor is the kind that loops of our own are chosen for: this processor's, or the
// lesser one that the environment's GODARTS_CPU names.
Processor processor();

// operatorsOnly tells whether libtorch's operators are wanted in place of loops, as on a GPU.
bool operatorsOnly();

// A Kernel is one computation with a form for each kind of processor. The form `none` takes all
// arguments; in most kernels it consists of libtorch's operators.
template <class Function>
struct Kernel {
  Function *none, *simd128, *avx2, *avx512;

  // chosen is the form for this processor; `none` if the arguments do not fit the other forms.
  Function* chosen(bool fit) const {
    return of(fit && !operatorsOnly() ? processor() : Processor::none);
  }
  Function* chosen() const { return of(processor()); }

  Function* of(Processor kind) const {
    switch (kind) {
      case Processor::avx512: return avx512;
      case Processor::avx2: return avx2;
      case Processor::simd128: return simd128;
      default: return none;
    }
  }
};

}  // namespace shim

// FORMS lists the forms of a Kernel: `operators`, and the loop of that name of each kind, which
// each_processor.h compiles.
#if defined(__x86_64__)
#define FORMS(operators, loop) {operators, simd128::loop, avx2::loop, avx512::loop}
#else
#define FORMS(operators, loop) {operators, simd128::loop, nullptr, nullptr}
#endif
