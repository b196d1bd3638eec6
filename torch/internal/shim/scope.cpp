// Scopes: a stack per thread of lists of boxes. A box lies in memory that is
// never given back, so that a stale handle can always be checked.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <atomic>
#include <mutex>

#include "guard.h"

namespace shim {
namespace {

struct Box {
  at::Tensor tensor;
  std::atomic<uint64_t> generation{1};
  uint64_t thread = 0;  // whose scopes hold it
  uint32_t depth = 0;   // which of them, outermost = 0
};

std::atomic<int64_t> live{0};
std::mutex poolMutex;
std::vector<Box*> pool;  // boxes of threads that ended

std::atomic<uint64_t> threads{0};

void empty(Box* b) {
  b->generation.fetch_add(1, std::memory_order_relaxed);
  b->tensor = at::Tensor();
  live.fetch_sub(1, std::memory_order_relaxed);
}

struct Thread {
  const uint64_t id = ++threads;  // never that of another, as an address could be
  std::vector<std::vector<Box*>> scopes;
  size_t depth = 0;  // scopes in use; the lists above keep their memory
  std::vector<Box*> free;
  uint64_t caller = 0;  // the thread that waits for this one's rank, if another

  Box* take() {
    if (free.empty()) refill();
    Box* b = free.back();
    free.pop_back();
    return b;
  }

  void refill() {
    {
      std::lock_guard<std::mutex> lock(poolMutex);
      free.swap(pool);
    }
    if (!free.empty()) return;
    constexpr size_t n = 256;
    free.reserve(n);
    auto* slab = new Box[n];
    for (size_t i = 0; i < n; i++) free.push_back(slab + i);
  }

  void closeScope() {
    uint32_t closing = depth - 1;
    auto& boxes = scopes[closing];
    // Last in, first out: views before what they look into.
    for (auto it = boxes.rbegin(); it != boxes.rend(); ++it) {
      Box* b = *it;
      if (b->depth != closing) continue;  // kept: listed in the enclosing scope too
      if (b->tensor.defined()) empty(b);
      free.push_back(b);
    }
    boxes.clear();
    depth--;
  }

  ~Thread() {
    // A goroutine that ends without closing its scopes leaves their tensors to nobody.
    while (depth > 0) closeScope();
    std::lock_guard<std::mutex> lock(poolMutex);
    pool.insert(pool.end(), free.begin(), free.end());
  }
};

thread_local Thread here;

Box* boxOf(torch_tensor h, uint64_t lender = 0) {
  if (h.box == 0) throw Misuse{TORCH_KIND_FREED, "the tensor is the zero Tensor"};
  Box* b = reinterpret_cast<Box*>(h.box);
  if (b->generation.load(std::memory_order_relaxed) != h.generation)
    throw Misuse{TORCH_KIND_FREED, "the tensor was freed: its scope has closed"};
  if (b->thread != here.id && (lender == 0 || b->thread != lender))
    throw Misuse{TORCH_KIND_SCOPE, "the tensor belongs to a scope of another goroutine"};
  return b;
}

}  // namespace

char* message(char kind, const char* text) noexcept {
  size_t n = std::strlen(text);
  auto* m = static_cast<char*>(std::malloc(n + 2));
  if (m == nullptr) std::abort();
  m[0] = kind;
  std::memcpy(m + 1, text, n + 1);
  return m;
}

char* messageOf(const c10::Error& e) noexcept {
  const char* text = e.what_without_backtrace();
  bool memory = std::strstr(text, "can't allocate memory") != nullptr ||
                std::strstr(text, "not enough memory") != nullptr;
  return message(memory ? TORCH_KIND_MEMORY : TORCH_KIND_OTHER, text);
}

const at::Tensor& tensor(torch_tensor h) { return boxOf(h, here.caller)->tensor; }

at::Tensor tensorOrNone(torch_tensor h) {
  return h.box == 0 ? at::Tensor() : tensor(h);
}

torch_tensor wrap(at::Tensor t) {
  if (!t.defined()) return {0, 0};
  if (here.depth == 0) throw Misuse{TORCH_KIND_SCOPE, "no scope is open: call it inside torch.Do"};
  Box* b = here.take();
  here.scopes[here.depth - 1].push_back(b);
  b->tensor = std::move(t);
  b->thread = here.id;
  b->depth = here.depth - 1;
  live.fetch_add(1, std::memory_order_relaxed);
  return {reinterpret_cast<uintptr_t>(b), b->generation.load(std::memory_order_relaxed)};
}

uint64_t thisThread() { return here.id; }

void useTensorsOf(uint64_t thread) { here.caller = thread; }

std::vector<at::Tensor> tensors(const torch_tensor* h, int64_t n) {
  std::vector<at::Tensor> ts;
  ts.reserve(n);
  for (int64_t i = 0; i < n; i++) ts.push_back(tensor(h[i]));
  return ts;
}

}  // namespace shim

using namespace shim;

char* torch_scope_open(void) {
  return guard([&] {
    if (here.depth == here.scopes.size()) here.scopes.emplace_back();
    here.depth++;
  });
}

char* torch_scope_close(void) {
  return guard([&] {
    if (here.depth == 0) throw Misuse{TORCH_KIND_SCOPE, "no scope is open"};
    here.closeScope();
  });
}

char* torch_scope_keep(torch_tensor t) {
  return guard([&] {
    Box* b = boxOf(t);
    if (b->depth == 0)
      throw Misuse{TORCH_KIND_SCOPE, "no scope encloses the one that the tensor is in"};
    here.scopes[b->depth - 1].push_back(b);
    b->depth--;
  });
}

char* torch_scope_keep_with(torch_tensor t, torch_tensor owner) {
  return guard([&] {
    Box* b = boxOf(t);
    uint32_t depth = boxOf(owner)->depth;
    if (b->depth <= depth) return;
    here.scopes[depth].push_back(b);
    b->depth = depth;
  });
}

char* torch_free(torch_tensor t) {
  // The box itself goes back when its scope closes: the scope lists it.
  return guard([&] { empty(boxOf(t)); });
}

int torch_scope_depth(void) { return static_cast<int>(here.depth); }

int64_t torch_live(void) { return live.load(std::memory_order_relaxed); }
#endif
