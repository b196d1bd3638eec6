// Package shim is the C border between package torch and libtorch. It holds
// C++ only: the functions of shim.h, called by package torch through cgo. The
// paths of libtorch come from libtorch.go, which scripts/setup writes. -g1 keeps
// lines in traces and leaves out the types of libtorch's headers, which took half
// of the compiler's time. NDEBUG is as libtorch has it: some of its classes have one member more without.
package shim

// #cgo CXXFLAGS: -std=c++17 -O2 -DNDEBUG -g1 -fopenmp -Wall -Wno-sign-compare
// #cgo LDFLAGS: -fopenmp -Wl,--no-as-needed -ltorch_cpu -lc10 -ldl
import "C"
