package torch

// static _Thread_local int torch_no_reads_depth;
// static int torch_no_reads(void) { return torch_no_reads_depth; }
// static void torch_no_reads_add(int n) { torch_no_reads_depth += n; }
// #cgo noescape torch_no_reads
// #cgo noescape torch_no_reads_add
// #cgo nocallback torch_no_reads
// #cgo nocallback torch_no_reads_add
import "C"

import (
	"fmt"
	"strings"
)

// NoReads runs fn as a captured graph would: the host decides nothing by the values of tensors. What reads a tensor on
// the host (Item, Float64s, Raw, RNGState), brings data from there (FromSlice, FromBytes, SetRNGState), moves a tensor to
// another device, or gives a result whose shape depends on values (Call of aten::nonzero, say), panics with *Error. It
// holds for this thread and the ranks of Parallel, on every device: a test on a CPU shows what CaptureGraph would refuse.
func NoReads(fn func()) {
	NeedFunction("no_reads", fn == nil)
	defer noReads()()
	fn()
}

func noReads() (end func()) {
	C.torch_no_reads_add(1)
	return func() { C.torch_no_reads_add(-1) }
}

// InNoReads tells whether NoReads holds.
func InNoReads() bool { return C.torch_no_reads() != 0 }

// refuseRead panics in NoReads.
func refuseRead(op string) {
	if InNoReads() {
		Misuse(op, "the host reads or writes a tensor within NoReads")
	}
}

// refuseMove panics in NoReads where a and b, both a Device, are not the same.
func refuseMove(op string, a, b fmt.Stringer) {
	if a != b && InNoReads() {
		Misuse(op, "a tensor moves from %s to %s within NoReads", a, b)
	}
}

// reading are operators that read values for the host: to return them, or to give their results a shape.
var reading = map[string]bool{
	"item": true, "_local_scalar_dense": true, "is_nonzero": true, "equal": true, "allclose": true, "nonzero": true, "nonzero_numpy": true,
	"argwhere": true, "masked_select": true, "unique_dim": true, "_unique": true, "_unique2": true, "unique_consecutive": true,
	"bincount": true, "histc": true,
}

// refuseReading panics within NoReads for an operator of reading.
func refuseReading(name string) {
	op, _, _ := strings.Cut(strings.TrimPrefix(name, "aten::"), ".")
	if reading[op] {
		refuseRead(name)
	}
}
