// Gradients, the modes of the thread (grad, autocast), random numbers, and the
// boxed dispatcher behind torch.Call.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/normal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/uniform.h>
#include <torch/csrc/autograd/autograd.h>

#include "guard.h"

using namespace shim;

// --- gradients --------------------------------------------------------------------

char* torch_requires_grad_(torch_tensor t, int on) {
  return guard([&] { tensor(t).requires_grad_(on != 0); });
}

char* torch_grad_of(torch_tensor t, torch_tensor* ret) {
  return guard([&] { *ret = wrap(tensor(t).grad()); });
}

char* torch_set_grad(torch_tensor t, torch_tensor grad) {
  return guard([&] {
    const at::Tensor& x = tensor(t);
    at::Tensor g = tensorOrNone(grad);
    TORCH_CHECK(!g.defined() || g.sizes() == x.sizes(), "the gradient has shape ", g.sizes(),
                ", the tensor ", x.sizes());
    x.mutable_grad() = g;
  });
}

char* torch_backward(torch_tensor t, torch_tensor gradient, int retain_graph, int create_graph) {
  return guard([&] {
    at::Tensor g = tensorOrNone(gradient);
    torch::autograd::backward({tensor(t)},
                              g.defined() ? std::vector<at::Tensor>{g} : std::vector<at::Tensor>{},
                              retain_graph != 0, create_graph != 0);
  });
}

char* torch_grad(const torch_tensor* outputs, int64_t n_outputs, const torch_tensor* grads,
                 int64_t n_grads, const torch_tensor* inputs, int64_t n_inputs, int retain_graph,
                 int create_graph, int allow_unused, torch_tensor* ret) {
  return guard([&] {
    auto result = torch::autograd::grad(tensors(outputs, n_outputs), tensors(inputs, n_inputs),
                                        tensors(grads, n_grads), retain_graph != 0,
                                        create_graph != 0, allow_unused != 0);
    for (int64_t i = 0; i < n_inputs; i++) ret[i] = wrap(result[i]);
  });
}

int torch_grad_mode(void) { return at::GradMode::is_enabled(); }

void torch_set_grad_mode(int on) { at::GradMode::set_enabled(on != 0); }

struct torch_inference {
  c10::InferenceMode mode;
};

char* torch_inference_begin(torch_inference** ret) {
  return guard([&] { *ret = new torch_inference; });
}

void torch_inference_end(torch_inference* mode) { delete mode; }

// --- autocast ----------------------------------------------------------------------

char* torch_autocast_begin(int device_type, int dtype, torch_autocast_state* previous) {
  return guard([&] {
    auto device = static_cast<at::DeviceType>(device_type);
    previous->enabled = at::autocast::is_autocast_enabled(device);
    previous->dtype = static_cast<int>(at::autocast::get_autocast_dtype(device));
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(dtype));
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::increment_nesting();
  });
}

char* torch_autocast_end(int device_type, torch_autocast_state previous) {
  return guard([&] {
    auto device = static_cast<at::DeviceType>(device_type);
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device, previous.enabled != 0);
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(previous.dtype));
  });
}

// --- random numbers ------------------------------------------------------------------

static at::Generator generator(int device_type, int device_index) {
  return at::globalContext().defaultGenerator(at::Device(
      static_cast<at::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index)));
}

char* torch_manual_seed(uint64_t seed) {
  return guard([&] {
    auto seedOne = [&](at::Generator g) {
      std::lock_guard<std::mutex> lock(g.mutex());
      g.set_current_seed(seed);
    };
    seedOne(generator(static_cast<int>(at::kCPU), -1));
    if (at::globalContext().hasCUDA())
      for (int i = 0; i < at::detail::getCUDAHooks().deviceCount(); i++)
        seedOne(generator(static_cast<int>(at::kCUDA), i));
  });
}

char* torch_rng_state(int device_type, int device_index, torch_tensor* ret) {
  return guard([&] {
    at::Generator g = generator(device_type, device_index);
    std::lock_guard<std::mutex> lock(g.mutex());
    *ret = wrap(g.get_state());
  });
}

char* torch_set_rng_state(int device_type, int device_index, torch_tensor state) {
  return guard([&] {
    at::Generator g = generator(device_type, device_index);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_state(tensor(state));
  });
}

char* torch_rand(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::rand(ints(shape, n), options(o.dtype, o.device_type, o.device_index)));
  });
}

char* torch_randn(const int64_t* shape, int64_t n, torch_options o, torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(at::randn(ints(shape, n), options(o.dtype, o.device_type, o.device_index)));
  });
}

char* torch_randint(int64_t low, int64_t high, const int64_t* shape, int64_t n, torch_options o,
                    torch_tensor* ret) {
  return guard([&] {
    *ret = wrap(
        at::randint(low, high, ints(shape, n), options(o.dtype, o.device_type, o.device_index)));
  });
}

char* torch_uniform_(torch_tensor t, double from, double to) {
  return guard([&] { tensor(t).uniform_(from, to); });
}

char* torch_normal_(torch_tensor t, double mean, double std) {
  return guard([&] { tensor(t).normal_(mean, std); });
}

char* torch_bernoulli_(torch_tensor t, double p) {
  return guard([&] { tensor(t).bernoulli_(p); });
}

// --- any operator by name -----------------------------------------------------------

namespace {

c10::IValue valueOf(const torch_value& v, const c10::TypePtr& type);

c10::IValue listOf(const torch_value& v, const c10::TypePtr& element) {
  switch (v.kind) {
    case TORCH_VALUE_TENSORS: {
      if (element->kind() == c10::TypeKind::OptionalType) {
        c10::List<std::optional<at::Tensor>> list;
        for (int64_t i = 0; i < v.length; i++) list.push_back(tensorOrNone(v.tensors[i]));
        return list;
      }
      c10::List<at::Tensor> list;
      for (int64_t i = 0; i < v.length; i++) list.push_back(tensor(v.tensors[i]));
      return list;
    }
    case TORCH_VALUE_INTS:
      if (element->kind() == c10::TypeKind::BoolType) {
        c10::List<bool> list;
        for (int64_t i = 0; i < v.length; i++) list.push_back(v.ints[i] != 0);
        return list;
      }
      if (element->kind() == c10::TypeKind::NumberType) {
        c10::List<at::Scalar> list;
        for (int64_t i = 0; i < v.length; i++) list.push_back(at::Scalar(v.ints[i]));
        return list;
      }
      if (element->kind() == c10::TypeKind::BoolType) {
        c10::List<bool> list;
        for (int64_t i = 0; i < v.length; i++) list.push_back(v.ints[i] != 0);
        return list;
      }
      return c10::IValue(ints(v.ints, v.length));
    case TORCH_VALUE_DOUBLES: {
      if (element->kind() == c10::TypeKind::NumberType) {
        c10::List<at::Scalar> list;
        for (int64_t i = 0; i < v.length; i++) list.push_back(at::Scalar(v.doubles[i]));
        return list;
      }
      c10::List<double> list;
      for (int64_t i = 0; i < v.length; i++) list.push_back(v.doubles[i]);
      return list;
    }
    default:
      TORCH_CHECK(false, "expected a list of ", element->str());
  }
}

c10::IValue valueOf(const torch_value& v, const c10::TypePtr& type) {
  if (v.kind == TORCH_VALUE_NONE) return c10::IValue();
  if (auto optional = type->cast<c10::OptionalType>())
    return valueOf(v, optional->getElementType());
  if (auto list = type->cast<c10::ListType>()) return listOf(v, list->getElementType());
  switch (v.kind) {
    case TORCH_VALUE_TENSOR:
      return tensorOrNone(v.tensor);
    case TORCH_VALUE_INT:
      // Past the last type, libtorch reads behind its table of them.
      TORCH_CHECK(
          type->kind() != c10::TypeKind::ScalarTypeType ||
              (v.integer >= 0 && v.integer < static_cast<int64_t>(at::ScalarType::NumOptions)),
          v.integer, " is no type of elements");
      if (type->kind() == c10::TypeKind::FloatType) return static_cast<double>(v.integer);
      if (type->kind() == c10::TypeKind::BoolType) return v.integer != 0;
      return v.integer;
    case TORCH_VALUE_DOUBLE:
      return v.number;
    case TORCH_VALUE_BOOL:
      return v.integer != 0;
    case TORCH_VALUE_STRING:
      if (type->kind() == c10::TypeKind::DeviceObjType)
        return at::Device(std::string(v.text, v.length));
      return std::string(v.text, v.length);
    default:
      TORCH_CHECK(false, "a list was given where ", type->str(), " is expected");
  }
}

void appendResult(const c10::IValue& v, std::vector<at::Tensor>& out) {
  if (v.isTensor()) {
    out.push_back(v.toTensor());
  } else if (v.isTensorList()) {
    for (const at::Tensor& t : v.toTensorVector()) out.push_back(t);
  } else if (v.isScalar()) {
    out.push_back(
        at::scalar_tensor(v.toScalar(), at::TensorOptions().dtype(v.isInt()    ? at::kLong
                                                                  : v.isBool() ? at::kBool
                                                                               : at::kDouble)));
  } else if (!v.isNone()) {
    TORCH_CHECK(false, "a result of type ", v.tagKind(), " has no tensor form");
  }
}

}  // namespace

char* torch_call(const char* name, const char* overload, const torch_value* args, int64_t n,
                 torch_tensor* ret, int64_t capacity, int64_t* ret_n) {
  return guard([&] {
    auto op = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
    const auto& parameters = op.schema().arguments();
    TORCH_CHECK(n <= static_cast<int64_t>(parameters.size()), "takes ", parameters.size(),
                " arguments, got ", n);
    torch::jit::Stack stack;
    for (size_t i = 0; i < parameters.size(); i++) {
      const c10::Argument& p = parameters[i];
      if (static_cast<int64_t>(i) < n) {
        stack.push_back(valueOf(args[i], p.real_type()));
      } else {
        TORCH_CHECK(p.default_value().has_value(), "argument ", i, " (", p.name(), ") is missing");
        stack.push_back(*p.default_value());
      }
    }
    op.callBoxed(stack);
    std::vector<at::Tensor> out;
    for (const c10::IValue& v : stack) appendResult(v, out);
    TORCH_CHECK(static_cast<int64_t>(out.size()) <= capacity, "gave ", out.size(),
                " tensors, there is room for ", capacity);
    for (size_t i = 0; i < out.size(); i++) ret[i] = wrap(out[i]);
    *ret_n = static_cast<int64_t>(out.size());
  });
}
#endif
