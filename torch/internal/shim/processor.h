// The kinds of processors that our loops are compiled for, which are those of libtorch's loops, and
// the choice between the forms of a computation.
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

// A Kernel is one computation with a form for each kind of processor. The form `none` takes all
// arguments; in most kernels it consists of libtorch's operators.
template <class Function>
struct Kernel {
  Function *none, *avx2, *avx512;

  // chosen is the form for this processor; `none` if the arguments do not fit the other forms.
  Function* chosen(bool fit = true) const {
    const Processor kind = fit ? processor() : Processor::none;
    return kind == Processor::avx512 ? avx512 : kind == Processor::avx2 ? avx2 : none;
  }
};

}  // namespace shim
