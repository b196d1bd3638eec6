package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_count_begin
// #cgo noescape torch_count_end
// #cgo noescape torch_counts_as_gpu
// #cgo nocallback torch_count_begin
// #cgo nocallback torch_count_end
// #cgo nocallback torch_counts_as_gpu
import "C"

import (
	"cmp"
	"slices"
)

// OperatorCount is what the calls of one operator did.
type OperatorCount struct {
	Name    string  // "aten::add", or "shim::gram" for a loop of our own
	Calls   int     // each is a kernel where a GPU runs it
	Bytes   int     // of tensors read and written
	Seconds float64 // of the calling threads
}

// Count counts the operators that fn and what it calls run, on all threads, by name.
//
// An operator counts if it has a kernel: one that calls others does not, but they do. Views and new tensors without
// values do not count. What a kernel calls for itself, such as a copy in another layout, is part of it. The gradients
// of a convolution are a call each. Bytes are those of the tensors that an operator reads and writes, not what its result
// replaces; numbers that Expand repeats are read once, and rows that an index selects instead of the whole tensor.
//
// One Count runs at a time; a second one panics with *Error. Operators take longer meanwhile, by some microseconds
// each, which Seconds leaves out.
func Count(fn func()) []OperatorCount { return count(false, fn) }

// CountAsGPU counts what fn would run on a GPU, on any device: see GPUForm. Passes of images run on one rank, loops of
// our own become operators of libtorch. Seconds tell little of a GPU's.
func CountAsGPU(fn func()) []OperatorCount { return count(true, fn) }

// GPUForm tells whether passes over tensors on d take the form that suits a GPU: on a GPU, and everywhere during
// CountAsGPU.
func (d Device) GPUForm() bool { return d.IsCUDA() || C.torch_counts_as_gpu() != 0 }

// maxOperators is more than all that this program knows.
const maxOperators = 1024

func count(asGPU bool, fn func()) (counts []OperatorCount) {
	NeedFunction("count", fn == nil)
	if e := C.torch_count_begin(flag(asGPU)); e != nil {
		throw("count", e)
	}
	defer func() { counts = countEnd() }()
	fn()
	return nil
}

func countEnd() (counts []OperatorCount) {
	var n C.int64_t
	all := make([]C.torch_operator_count, maxOperators)
	if e := C.torch_count_end(&all[0], maxOperators, &n); e != nil {
		throw("count", e)
	}
	for i := range all[:n] {
		c := &all[i]
		counts = append(counts, OperatorCount{C.GoString(&c.name[0]), int(c.calls), int(c.bytes), float64(c.seconds)})
	}
	slices.SortFunc(counts, func(a, b OperatorCount) int { return cmp.Compare(a.Name, b.Name) })
	return counts
}
