// The files that call libtorch, as one translation unit: cgo compiles one file after another, and
// libtorch's headers are most of the work in each. Files of our own loops are not among them, since
// a pragma of theirs would hold for what follows.
#define TOGETHER
#include "autograd.cpp"
#include "device.cpp"
#include "operators.cpp"
#include "ops_backward.cpp"
#include "ops_math.cpp"
#include "ops_nn.cpp"
#include "parallel.cpp"
#include "scope.cpp"
#include "tensor.cpp"
