package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_dropout
// #cgo nocallback torch_dropout
import "C"

// Dropout sets elements to zero with probability p and scales the others by
// 1/(1−p), in training; else it is the identity.
func Dropout(x Tensor, p float64, training bool) Tensor {
	var r Tensor
	if e := C.torch_dropout(x.h, C.double(p), flag(training), &r.h); e != nil {
		throw("dropout", e, x)
	}
	return r
}
