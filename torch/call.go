package torch

// #include "internal/shim/shim.h"
// #include <stdlib.h>
// #cgo noescape torch_call
// #cgo nocallback torch_call
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// maxResults is the room for what an operator gives; the longest lists in use
// are those of split.
const maxResults = 256

// Call runs any operator of libtorch by its name, "aten::mul.Tensor", and gives
// the tensors it returns; numbers among the results come as tensors without
// dimensions. Arguments are in the order of the operator's schema, trailing ones
// with a default may be left out. An argument is a Tensor, int, float64, bool,
// string, Dtype, []Tensor, []int, []float64 or nil for none; []int of 0 and 1 is a
// list of bools too.
//
// It panics with *Error for an unknown name or arguments that do not fit. The
// typed functions are faster; this is for what they lack.
func Call(name string, args ...any) []Tensor {
	if InNoReads() {
		refuseReading(name)
	}
	op, overload, _ := strings.Cut(name, ".")
	values := make([]C.torch_value, len(args))
	var pinner runtime.Pinner
	defer pinner.Unpin()
	var shown []Tensor
	for i, arg := range args {
		values[i] = valueOf(name, i, arg, &pinner)
		if t, ok := arg.(Tensor); ok {
			shown = append(shown, t)
		}
	}
	cName, cOverload := C.CString(op), C.CString(overload)
	defer C.free(unsafe.Pointer(cName))
	defer C.free(unsafe.Pointer(cOverload))
	rs := make([]Tensor, maxResults)
	var n C.int64_t
	if e := C.torch_call(cName, cOverload, unsafe.SliceData(values), C.int64_t(len(values)),
		handles(rs), maxResults, &n); e != nil {
		throw(name, e, shown...)
	}
	return rs[:int(n):int(n)]
}

func valueOf(op string, i int, arg any, pinner *runtime.Pinner) C.torch_value {
	var v C.torch_value
	switch a := arg.(type) {
	case nil:
		v.kind = C.TORCH_VALUE_NONE
	case Tensor:
		v.kind, v.tensor = C.TORCH_VALUE_TENSOR, a.h
	case int:
		v.kind, v.integer = C.TORCH_VALUE_INT, C.int64_t(a)
	case Dtype:
		v.kind, v.integer = C.TORCH_VALUE_INT, C.int64_t(a.code())
	case bool:
		v.kind, v.integer = C.TORCH_VALUE_BOOL, C.int64_t(flag(a))
	case float64:
		v.kind, v.number = C.TORCH_VALUE_DOUBLE, C.double(a)
	case string:
		v.kind, v.text, v.length = C.TORCH_VALUE_STRING, (*C.char)(pinned(unsafe.StringData(a), len(a), pinner)), C.int64_t(len(a))
	case []Tensor:
		v.kind, v.tensors, v.length = C.TORCH_VALUE_TENSORS, (*C.torch_tensor)(pinned(unsafe.SliceData(a), len(a), pinner)), C.int64_t(len(a))
	case []int:
		v.kind, v.ints, v.length = C.TORCH_VALUE_INTS, (*C.int64_t)(pinned(unsafe.SliceData(a), len(a), pinner)), C.int64_t(len(a))
	case []float64:
		v.kind, v.doubles, v.length = C.TORCH_VALUE_DOUBLES, (*C.double)(pinned(unsafe.SliceData(a), len(a), pinner)), C.int64_t(len(a))
	default:
		Misuse(op, "argument %d has the Go type %T", i, arg)
	}
	return v
}

// pinned keeps Go memory in place while C holds its address.
func pinned[E any](p *E, n int, pinner *runtime.Pinner) unsafe.Pointer {
	if n == 0 {
		return nil
	}
	pinner.Pin(p)
	return unsafe.Pointer(p)
}
