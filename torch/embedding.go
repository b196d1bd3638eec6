package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_embedding
// #cgo nocallback torch_embedding
import "C"

// Embedding looks rows up: weight [V,E], indices int64 of any shape S, result
// [S,E].
func Embedding(weight, indices Tensor) Tensor {
	var r Tensor
	if e := C.torch_embedding(weight.h, indices.h, &r.h); e != nil {
		throw("embedding", e, weight, indices)
	}
	return r
}
