// CUDA graphs, by libtorch's own at::cuda::CUDAGraph: it routes the allocator's
// blocks to a private pool while it captures, and keeps random numbers new at every
// replay.
//
// Neither libtorch_cuda nor libc10_cuda is linked, so that the program starts
// without them. What is needed of them is looked up by name after torch_load_cuda
// has loaded them; streams and events come through the interface that libc10 has for
// every kind of device.
#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>

#if !__has_include(<cuda_runtime_api.h>)
#error "no headers of the CUDA runtime: scripts/setup looks beside libtorch and in $CUDA_HOME"
#endif
#include <ATen/cuda/CUDAGraph.h>

#include "../shim/guard.h"
#include "graph.h"

using namespace shim;
using at::cuda::CUDAGraph;
using c10::MempoolId_t;
using c10::cuda::CUDACachingAllocator::CUDAAllocator;

namespace {

// The functions of libtorch_cuda, a method's object as first argument.
struct Library {
  MempoolId_t (*newPool)();
  void (*construct)(CUDAGraph*, bool keep_graph);
  void (*destroy)(CUDAGraph*);
  void (*begin)(CUDAGraph*, MempoolId_t, cudaStreamCaptureMode);
  void (*end)(CUDAGraph*);
  void (*replay)(CUDAGraph*);
  std::atomic<CUDAAllocator*>* allocator;
};

// The names looked up below spell these types. Another libtorch that changes one
// does not compile.
static_assert(std::is_same_v<decltype(&at::cuda::graph_pool_handle), MempoolId_t (*)()>);
static_assert(std::is_same_v<MempoolId_t, std::pair<unsigned long long, unsigned long long>>);
static_assert(std::is_constructible_v<CUDAGraph, bool> && !std::is_polymorphic_v<CUDAGraph>);
static_assert(std::is_same_v<decltype(&CUDAGraph::capture_begin),
                             void (CUDAGraph::*)(MempoolId_t, cudaStreamCaptureMode)>);
static_assert(std::is_same_v<decltype(&CUDAGraph::capture_end), void (CUDAGraph::*)()>);
static_assert(std::is_same_v<decltype(&CUDAGraph::replay), void (CUDAGraph::*)()>);
static_assert(std::is_same_v<decltype(c10::cuda::CUDACachingAllocator::allocator),
                             std::atomic<CUDAAllocator*>>);

template <class T>
void find(const char* name, T*& ret) {
  ret = reinterpret_cast<T*>(dlsym(RTLD_DEFAULT, name));
  TORCH_CHECK(ret != nullptr, "libtorch_cuda is not loaded, or has no ", name);
}

const Library& library() {
  static const Library found = [] {
    Library l;
    find("_ZN2at4cuda17graph_pool_handleEv", l.newPool);
    find("_ZN2at4cuda9CUDAGraphC1Eb", l.construct);
    find("_ZN2at4cuda9CUDAGraphD1Ev", l.destroy);
    find("_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode", l.begin);
    find("_ZN2at4cuda9CUDAGraph11capture_endEv", l.end);
    find("_ZN2at4cuda9CUDAGraph6replayEv", l.replay);
    find("_ZN3c104cuda20CUDACachingAllocator9allocatorE", l.allocator);
    return l;
  }();
  return found;
}

c10::impl::VirtualGuardImpl gpu() { return c10::impl::VirtualGuardImpl(at::kCUDA); }

// sideStream is the one stream of a GPU on which everything is captured: the
// workspaces that cuBLAS keeps for each stream are then made once, before the first
// capture, and never inside of one.
c10::Stream sideStream(c10::Device device) {
  static std::mutex mutex;
  static std::map<c10::DeviceIndex, c10::Stream> streams;
  std::lock_guard<std::mutex> lock(mutex);
  auto it = streams.find(device.index());
  if (it == streams.end())
    it = streams.emplace(device.index(), gpu().getStreamFromGlobalPool(device)).first;
  return it->second;
}

// after makes stream wait for what has been queued on earlier. The host does not wait.
void after(const c10::Stream& earlier, const c10::Stream& stream) {
  c10::Event reached(at::kCUDA);
  reached.record(earlier);
  reached.block(stream);
}

// quietly runs body and drops what it throws.
template <class Body>
void quietly(Body&& body) noexcept {
  free(guard(body));
}

}  // namespace

struct torch_graph {
  const c10::Device device;
  const c10::Stream side;
  const MempoolId_t pool;
  c10::Device deviceBefore;
  c10::Stream before;  // the thread's current stream, until the capture ends
  bool opened = false, begun = false;
  alignas(CUDAGraph) unsigned char object[sizeof(CUDAGraph)];

  torch_graph(c10::Device d, MempoolId_t p)
      : device(d), side(sideStream(d)), pool(p), deviceBefore(d), before(side) {
    library().construct(graph(), /*keep_graph=*/false);
  }
  ~torch_graph() {
    quietly([&] { library().destroy(graph()); });
  }

  CUDAGraph* graph() { return reinterpret_cast<CUDAGraph*>(object); }

  void open() {
    before = gpu().getStream(device);
    after(before, side);
    deviceBefore = gpu().exchangeDevice(device);
    gpu().exchangeStream(side);
    opened = true;
  }

  void close() {
    if (!opened) return;
    opened = false;
    gpu().exchangeStream(before);
    gpu().setDevice(deviceBefore);
    after(side, before);
  }

  // giveBack frees the pool after a capture_end that threw before it came to that.
  // Where it came to it, the first call throws and the second is not made.
  void giveBack() {
    quietly([&] {
      CUDAAllocator* allocator = library().allocator->load();
      allocator->endAllocateToPool(device.index(), pool);
      allocator->releasePool(device.index(), pool);
    });
  }
};

char* torch_graph_open(int device_index, const torch_graph* share, torch_graph** ret) {
  return guard([&] {
    const c10::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(device_index));
    const Library& l = library();
    TORCH_CHECK(share == nullptr || share->device == device, "the graph to share with is on ",
                share->device, ", this one on ", device);
    auto g = std::make_unique<torch_graph>(device, share != nullptr ? share->pool : l.newPool());
    g->open();
    *ret = g.release();
  });
}

char* torch_graph_begin(torch_graph* g) {
  return guard([&] {
    // Blocks that wait for the GPU come back, and are not allocated anew.
    gpu().synchronizeDevice(g->device.index());
    g->begun = true;
    // While it captures, no other thread may call CUDA. Those of autograd do not
    // count: they work on this stream.
    library().begin(g->graph(), g->pool, cudaStreamCaptureModeGlobal);
  });
}

char* torch_graph_end(torch_graph* g) {
  return guard([&] {
    library().end(g->graph());
    g->begun = false;
    g->close();
  });
}

void torch_graph_discard(torch_graph* g) {
  if (g->begun) {
    char* failed = guard([&] { library().end(g->graph()); });
    if (failed != nullptr) g->giveBack();
    free(failed);
  }
  quietly([&] { g->close(); });
  delete g;
}

char* torch_graph_replay(torch_graph* g) {
  return guard([&] {
    c10::DeviceGuard onDevice(g->device);
    library().replay(g->graph());
  });
}

char* torch_graph_free(torch_graph* g) {
  char* failed = guard([&] { gpu().synchronizeDevice(g->device.index()); });
  delete g;
  return failed;
}

struct torch_mark {
  c10::Event event{at::kCUDA};
};

char* torch_mark_record(int device_index, torch_mark** ret) {
  return guard([&] {
    const c10::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(device_index));
    c10::DeviceGuard onDevice(device);
    auto m = std::make_unique<torch_mark>();
    m->event.record(gpu().getStream(device));
    *ret = m.release();
  });
}

char* torch_mark_wait(torch_mark* m) {
  std::unique_ptr<torch_mark> owned(m);
  return guard([&] { owned->event.synchronize(); });
}
