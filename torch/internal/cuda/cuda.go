//go:build cuda

// Package cuda is the part of the C border that needs the headers of CUDA. It is
// a package of its own, so that building with -tags cuda compiles this part and
// not package shim once more. It links no library of CUDA. The paths come from
// libtorch.go, which scripts/setup writes.
package cuda

// #cgo CXXFLAGS: -std=c++17 -O2 -DNDEBUG -g1 -Wall -Wno-sign-compare
import "C"
