// Counts of operators, by a callback that libtorch runs at the start and at the end of each.
//
// A call counts if the operator has a kernel of its own, as those that would launch one on a GPU
// have. Operators that call others do not count, but the others do: aten::conv2d calls
// aten::convolution, which calls aten::mkldnn_convolution. Views and allocations do not count.
// What a kernel calls is a matter of this device and does not count.
#include "count.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "guard.h"

using namespace shim;

std::atomic<bool> shim::asGPU{false};

namespace {

struct Total {
  int64_t calls = 0, bytes = 0;
  Span::Clock::duration time{};
};

std::atomic<bool> counting{false};
std::mutex mutex;
std::unordered_map<std::string, Total> totals;
at::CallbackHandle handle;

thread_local Span* innermost = nullptr;

// size is what of a tensor lies in memory. Repeated numbers, as of expand, count once.
int64_t size(const at::Tensor& t) {
  if (!t.defined() || t.numel() == 0) return 0;
  int64_t n = 1;
  for (int64_t d = 0; d < t.dim(); d++) n *= t.stride(d) == 0 ? 1 : t.size(d);
  n *= t.element_size();
  return t.has_storage() ? std::min<int64_t>(n, t.storage().nbytes()) : n;
}

int64_t size(const c10::IValue& v) {
  if (v.isTensor()) return size(v.toTensor());
  int64_t sum = 0;
  if (v.isTensorList())
    for (const at::Tensor& t : v.toTensorVector()) sum += size(t);
  if (v.isOptionalTensorList())
    for (const std::optional<at::Tensor>& t : v.toOptionalTensorVector())
      if (t) sum += size(*t);
  return sum;
}

// Kind is what is known of an operator beforehand.
struct Kind {
  bool kernel = false;              // has one of its own
  bool makes = false;               // returns a new tensor
  bool selects = false;             // reads of its first tensor as much as it returns
  bool convolutionBackward = false;
  std::vector<int> times;           // how often it goes over each argument: read, written
  std::vector<bool> made;           // which results are new tensors, or given ones to write to
};

template <size_t n>
bool any(const std::string& name, const char* const (&of)[n]) {
  return std::find(std::begin(of), std::end(of), name) != std::end(of);
}

bool starts(const std::string& name, const char* with) { return name.rfind(with, 0) == 0; }

Kind kindOf(const c10::OperatorHandle& op) {
  // Allocations, and what changes only how a tensor looks at its memory.
  static const char* const silent[] = {
      "aten::set_",       "aten::as_strided_", "aten::squeeze_", "aten::unsqueeze_", "aten::t_",
      "aten::transpose_", "aten::swapdims_",   "aten::detach_",  "aten::requires_grad_",
      "aten::_unsafe_view"};
  // libtorch registers these kernels for every device, as it does operators that call others.
  static const char* const kernels[] = {"aten::copy_", "aten::mkldnn_convolution",
                                        "aten::convolution_backward"};
  static const char* const overwriting[] = {"aten::copy_",    "aten::fill_",   "aten::zero_",
                                            "aten::uniform_", "aten::normal_", "aten::bernoulli_",
                                            "aten::random_"};
  static const char* const selecting[] = {"aten::index_select", "aten::gather", "aten::embedding"};
  const c10::FunctionSchema& schema = op.schema();
  const std::string& name = schema.name();
  Kind k;
  bool view = false;
  for (const c10::Argument& r : schema.returns()) {
    view = view || (r.alias_info() && !r.alias_info()->isWrite());
  }
  if (view || any(name, silent) || starts(name, "aten::empty") || starts(name, "aten::new_empty") ||
      starts(name, "aten::resize"))
    return k;
  bool out = false;  // these may get their size only in the call
  for (const c10::Argument& a : schema.arguments()) {
    const bool writes = a.alias_info() && a.alias_info()->isWrite();
    out = out || a.is_out();
    k.times.push_back(a.is_out() ? 0 : writes && !any(name, overwriting) ? 2 : 1);
  }
  for (const c10::Argument& r : schema.returns()) k.made.push_back(out || !r.alias_info());
  k.kernel = op.hasKernelForDispatchKey(c10::DispatchKey::CPU) ||
             op.hasKernelForDispatchKey(c10::DispatchKey::CUDA) || any(name, kernels) ||
             starts(name, "aten::_foreach_");
  k.makes = true;
  k.selects = any(name, selecting);
  k.convolutionBackward = name == "aten::convolution_backward";
  return k;
}

struct Call : at::ObserverContext {
  Span span;
  const Kind* kind;
  int64_t selected = 0;  // bytes of the tensor that is selected from
  const c10::TensorImpl* first = nullptr;  // the first argument
};

const Kind& kindOf(const at::RecordFunction& fn) {
  thread_local std::unordered_map<std::string, Kind> known;
  auto name = fn.operator_name();
  const std::string key = name ? name->name + "." + name->overload_name : "";
  auto at = known.find(key);
  if (at != known.end()) return at->second;
  std::optional<c10::OperatorHandle> op;
  if (name) op = c10::Dispatcher::singleton().findOp(*name);
  return known.emplace(key, op && op->hasSchema() ? kindOf(*op) : Kind{}).first->second;
}

// The gradients of a convolution are one kernel each, which reads what it needs.
void convolutionBackward(Span& span, c10::ArrayRef<const c10::IValue> args) {
  const auto mask = args.back().toBoolList();
  span.calls = int64_t(mask[0]) + mask[1] + mask[2];
  span.bytes = span.calls * size(args[0]);
  if (mask[0]) span.bytes += size(args[2]);
  if (mask[1]) span.bytes += size(args[1]);
}

std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& fn) {
  auto call = std::make_unique<Call>();
  const Kind& k = kindOf(fn);
  call->kind = &k;
  call->span.counts = k.kernel && !call->span.within;
  const auto args = fn.inputs();
  if (k.convolutionBackward) {
    convolutionBackward(call->span, args);
  } else if (k.makes) {
    for (size_t i = 0; i < std::min(args.size(), k.times.size()); i++)
      call->span.bytes += k.times[i] * size(args[i]);
    if (k.selects) call->selected = size(args[0]);
    if (!args.empty() && args[0].isTensor()) call->first = args[0].toTensor().unsafeGetTensorImpl();
  }
  call->span.began = Span::Clock::now();
  return call;
}

void end(const at::RecordFunction& fn, at::ObserverContext* context) {
  const auto now = Span::Clock::now();
  Call& call = *static_cast<Call*>(context);
  const Kind& k = *call.kind;
  int64_t made = 0;
  for (size_t i = 0; i < std::min(fn.outputs().size(), k.made.size()); i++) {
    const c10::IValue& v = fn.outputs()[i];
    const bool same = v.isTensor() && v.toTensor().unsafeGetTensorImpl() == call.first;
    if (k.made[i] && !same) made += size(v);  // a dropout of nothing returns what it was given
  }
  call.span.bytes += made - call.selected + std::min(made, call.selected);
  // An operator that has called no other has computed its result itself.
  if (k.makes && made > 0 && !call.span.seen && !call.span.within) call.span.counts = true;
  call.span.end(fn.name(), now);
}

}  // namespace

Span::Span() : outer(innermost) {
  within = outer && (outer->counts || outer->within);
  innermost = this;
}

void Span::end(const char* name, Clock::time_point now) {
  innermost = outer;
  if (outer) outer->seen = outer->seen || counts || seen;
  if (!counts) return;
  std::lock_guard<std::mutex> lock(mutex);
  if (!counting) return;
  Total& total = totals[name];
  total.calls += calls;
  total.bytes += bytes;
  total.time += now - began;
}

Counted::Counted(const char* name, Tensors reads, Tensors writes, bool own) : name(name) {
  if (!own || !counting.load(std::memory_order_relaxed)) return;
  span.emplace();
  span->counts = !span->within;
  pass(reads);
  pass(writes);
  span->began = Span::Clock::now();
}

void Counted::pass(Tensors ts) {
  for (const at::Tensor& t : ts) span->bytes += size(t);
}

void Counted::adds(const at::Tensor& sum, bool add) {
  if (span) span->bytes += size(sum) * (add ? 2 : 1);
}

Counted::~Counted() {
  if (span) span->end(name, Span::Clock::now());
}

char* torch_count_begin(int as_gpu) {
  return guard([&] {
    bool off = false;
    TORCH_CHECK(counting.compare_exchange_strong(off, true), "operators are counted already");
    asGPU = as_gpu != 0;
    handle = at::addGlobalCallback(
        at::RecordFunctionCallback(start, end).needsInputs(true).needsOutputs(true).scopes(
            {at::RecordScope::FUNCTION}));
  });
}

char* torch_count_end(torch_operator_count* ret, int64_t capacity, int64_t* ret_n) {
  return guard([&] {
    at::removeCallback(handle);
    asGPU = false;
    std::unordered_map<std::string, Total> counted;
    {
      std::lock_guard<std::mutex> lock(mutex);
      counting = false;
      counted.swap(totals);
    }
    *ret_n = 0;
    for (const auto& [name, total] : counted) {
      TORCH_CHECK(*ret_n < capacity, "more than ", capacity, " operators");
      torch_operator_count& c = ret[(*ret_n)++];
      snprintf(c.name, sizeof c.name, "%s", name.c_str());
      c.calls = total.calls;
      c.bytes = total.bytes;
      c.seconds = std::chrono::duration<double>(total.time).count();
    }
  });
}

int torch_counts_as_gpu(void) { return asGPU.load(std::memory_order_relaxed); }
