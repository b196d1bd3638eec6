package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_info
// #cgo nocallback torch_info
import "C"

import (
	"fmt"
	"strings"

	"godarts/torch/internal/stored"
)

// String shows type, shape and the first elements.
func (t Tensor) String() string {
	if !t.Defined() {
		return "tensor(none)"
	}
	var i C.torch_tensor_info
	if e := C.torch_info(t.h, &i); e != nil {
		return "tensor(" + failure("string", e).Message + ")"
	}
	const shown = 8
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s{", t.Dtype(), stored.Shape(t.Shape()))
	var values []float64
	Scoped(func() { values = t.Detach().Flatten().Narrow(0, 0, min(shown, t.Numel())).Float64s() })
	for k, v := range values {
		if k > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.6g", v)
	}
	if t.Numel() > shown {
		b.WriteString(", ...")
	}
	return b.String() + "}"
}
