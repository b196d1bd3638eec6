// Counts of what operators do: how often each runs, the bytes it reads and writes, its time.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <chrono>
#include <optional>

namespace shim {

// asGPU tells whether operators take the forms that GPUs have.
extern std::atomic<bool> asGPU;

// A Span is one call of an operator while it runs on this thread.
struct Span {
  using Clock = std::chrono::steady_clock;

  Span* outer;
  bool counts = false;  // as a call of its own
  bool within = false;  // a call that counts
  bool seen = false;    // a call inside of it has counted
  int64_t bytes = 0, calls = 1;
  Clock::time_point began;

  Span();
  // end adds the call, if it counts, to those of that name.
  void end(const char* name, Clock::time_point now);
};

// Counted is a call of a loop of our own, from where it stands to the end of the block. It does
// nothing unless calls are counted, or where libtorch's operators run in place of it.
class Counted {
 public:
  using Tensors = at::ArrayRef<at::Tensor>;

  Counted(const char* name, Tensors reads, Tensors writes, bool own = true);
  // adds says that the sum is written, and read too if something is added to it.
  void adds(const at::Tensor& sum, bool add);
  ~Counted();
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  void pass(Tensors ts);

  const char* name;
  std::optional<Span> span;
};

}  // namespace shim
