// The operators in classes: what a class does with its arguments is written once, and the list in
// operators.h makes of it a table with an element for each operator.
#ifdef TOGETHER  // compiled as a part of together.cpp
#include <variant>

#include "guard.h"

using namespace shim;

namespace {

// give boxes a new tensor. An operator in place returns a reference to its own, which has a box.
void give(torch_tensor* ret, at::Tensor&& t) { *ret = wrap(std::move(t)); }
void give(torch_tensor*, at::Tensor&) {}

using Ints = at::IntArrayRef;
using Unary = void (*)(const at::Tensor&, torch_tensor*);
using Binary = void (*)(const at::Tensor&, const at::Tensor&, torch_tensor*);
using Scaled = void (*)(const at::Tensor&, const at::Tensor&, double, torch_tensor*);
using Scalar = void (*)(const at::Tensor&, double, torch_tensor*);
using Along = void (*)(const at::Tensor&, int64_t, torch_tensor*);
using Reduce = void (*)(const at::Tensor&, Ints, bool, torch_tensor*);
using Layout = void (*)(const at::Tensor&, Ints, torch_tensor*);

// The body of an operator of each class. To reduce all dimensions it calls the form without
// arguments.
#define BODY_unary(name) [](const at::Tensor& x, torch_tensor* ret) { give(ret, x.name()); }
#define BODY_binary(name) \
  [](const at::Tensor& x, const at::Tensor& y, torch_tensor* ret) { give(ret, x.name(y)); }
#define BODY_scaled(name)                                                     \
  [](const at::Tensor& x, const at::Tensor& y, double v, torch_tensor* ret) { \
    give(ret, x.name(y, number(x, v)));                                       \
  }
#define BODY_scalar(name) \
  [](const at::Tensor& x, double v, torch_tensor* ret) { give(ret, x.name(number(x, v))); }
#define BODY_compare(name) \
  [](const at::Tensor& x, double v, torch_tensor* ret) { give(ret, x.name(at::Scalar(v))); }
#define BODY_along(name) \
  [](const at::Tensor& x, int64_t dim, torch_tensor* ret) { give(ret, x.name(dim)); }
#define BODY_reduce(name)                                                   \
  [](const at::Tensor& x, Ints dims, bool keep, torch_tensor* ret) {        \
    give(ret, dims.empty() && !keep ? x.name() : x.name(dims, keep));       \
  }
#define BODY_layout(name) \
  [](const at::Tensor& x, Ints sizes, torch_tensor* ret) { give(ret, x.name(sizes)); }

struct Operator {
  const char* name;
  std::variant<Unary, Binary, Scaled, Scalar, Along, Reduce, Layout> body;
};

constexpr Operator operators[] = {
#define OPERATOR(kind, name) {#name, BODY_##kind(name)},
#include "operators.h"
#undef OPERATOR
};

// body throws if the operator is of another class.
template <class Body>
Body body(int op) {
  return std::get<Body>(operators[op].body);
}

}  // namespace

const char* torch_operator(int op) { return operators[op].name; }

char* torch_unary(int op, torch_tensor t, torch_tensor* ret) {
  return guard([&] { body<Unary>(op)(tensor(t), ret); });
}

char* torch_binary(int op, torch_tensor a, torch_tensor b, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor &x = tensor(a), &y = tensor(b);
    body<Binary>(op)(x, y, ret);
  });
}

char* torch_scaled(int op, torch_tensor a, torch_tensor b, double v, torch_tensor* ret) {
  return guard([&] {
    const at::Tensor &x = tensor(a), &y = tensor(b);
    body<Scaled>(op)(x, y, v, ret);
  });
}

char* torch_scalar(int op, torch_tensor t, double v, torch_tensor* ret) {
  return guard([&] { body<Scalar>(op)(tensor(t), v, ret); });
}

char* torch_along(int op, torch_tensor t, int64_t dim, torch_tensor* ret) {
  return guard([&] { body<Along>(op)(tensor(t), dim, ret); });
}

char* torch_reduce(int op, torch_tensor t, const int64_t* dims, int64_t n, int keepdim,
                   torch_tensor* ret) {
  return guard([&] { body<Reduce>(op)(tensor(t), ints(dims, n), keepdim != 0, ret); });
}

char* torch_layout(int op, torch_tensor t, const int64_t* sizes, int64_t n, torch_tensor* ret) {
  return guard([&] { body<Layout>(op)(tensor(t), ints(sizes, n), ret); });
}
#endif
