// Several threads that compute parts of one whole: a barrier, and sums over all of them.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <ATen/Parallel.h>
#include <ATen/ops/add.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "guard.h"

using namespace shim;

struct torch_group {
  const int64_t ranks;
  const uint64_t caller = thisThread();
  std::vector<at::Tensor> slots[2];  // what each rank brings, of even and of odd rounds
  std::atomic<uint64_t> round{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::condition_variable changed;
  int64_t arrived = 0;

  explicit torch_group(int64_t n) : ranks(n) {
    for (auto& s : slots) s.resize(n);
  }

  // meet returns when all ranks have called it in round r.
  void meet(uint64_t r) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (++arrived == ranks) {
        arrived = 0;
        round.store(r + 1, std::memory_order_release);
        changed.notify_all();
        return;
      }
    }
    // The others are a few microseconds behind, mostly: less than going to sleep takes.
    for (int i = 0; i < spins && !over(r); i++) rest();
    if (!over(r)) {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return over(r); });
    }
    if (failed) throw Misuse{TORCH_KIND_OTHER, "another rank has failed"};
  }

  bool over(uint64_t r) const { return round.load(std::memory_order_acquire) != r || failed; }

  // rest tells the processor that a loop waits.
  static void rest() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  static constexpr int spins = 20000;
};

char* torch_group_open(int64_t ranks, torch_group** ret) {
  return guard([&] { *ret = new torch_group(ranks); });
}

void torch_group_close(torch_group* g) { delete g; }

void torch_group_fail(torch_group* g) {
  std::lock_guard<std::mutex> lock(g->mutex);
  g->failed = true;
  g->changed.notify_all();
}

void torch_rank_begin(torch_group* g) {
  useTensorsOf(g->caller);
  // On a new thread libtorch sets its number of threads when first asked for it, to what
  // holds everywhere: that must be over.
  at::get_num_threads();
  at::set_num_threads(1);
}

void torch_rank_end(void) { useTensorsOf(0); }

char* torch_all_reduce(torch_group* g, int64_t rank, torch_tensor t, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor& own = tensor(t);  // throws on another thread than the rank's
    // A rank that is a round ahead writes to the other slots; two ahead it cannot be.
    uint64_t r = g->round.load(std::memory_order_acquire);
    auto& slots = g->slots[r % 2];
    slots[rank] = own;
    g->meet(r);
    at::Tensor sum = slots[0];
    for (int64_t i = 1; i < g->ranks; i++) {
      TORCH_CHECK(slots[i].sizes() == slots[0].sizes(), "ranks 0 and ", i, " bring ",
                  slots[0].sizes(), " and ", slots[i].sizes());
      sum = i == 1 ? at::add(sum, slots[i]) : sum.add_(slots[i]);
    }
    *ret = wrap(std::move(sum));
  });
}
#endif
