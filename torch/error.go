package torch

// #include <stdlib.h>
// #include "internal/shim/shim.h"
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	_ "godarts/torch/internal/shim" // the C++ side
)

// Kinds of *Error, for errors.Is.
var (
	ErrOutOfMemory = errors.New("out of memory")
	ErrFreed       = errors.New("freed tensor")
	ErrNoScope     = errors.New("no scope")
)

// Error is what an operator panics with, and Do returns.
type Error struct {
	Op      string   // the operator, by its PyTorch name
	Shapes  []string // of its tensor arguments: "[64, 3, 32, 32]", or "freed"
	Message string   // libtorch's own words, without its backtrace
	Kind    error    // ErrOutOfMemory, ErrFreed, ErrNoScope or nil
}

func (e *Error) Error() string {
	if len(e.Shapes) == 0 {
		return fmt.Sprintf("torch: %s: %s", e.Op, e.Message)
	}
	return fmt.Sprintf("torch: %s %s: %s", e.Op, strings.Join(e.Shapes, " "), e.Message)
}

func (e *Error) Unwrap() error { return e.Kind }

// failure turns the shim's message into an *Error and frees it.
func failure(op string, message *C.char, ts ...Tensor) *Error {
	text := C.GoString(message)
	C.free(unsafe.Pointer(message))
	e := &Error{Op: op, Message: firstLine(text[1:])}
	switch text[0] {
	case C.TORCH_KIND_MEMORY:
		e.Kind = ErrOutOfMemory
	case C.TORCH_KIND_FREED:
		e.Kind = ErrFreed
	case C.TORCH_KIND_SCOPE:
		e.Kind = ErrNoScope
	}
	for _, t := range ts {
		e.Shapes = append(e.Shapes, t.describe())
	}
	return e
}

// firstLine keeps the error on one line: what follows in libtorch's messages is
// advice for Python. What its allocator says first is a line of its source.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if _, said, ok := strings.Cut(line, "DefaultCPUAllocator: "); ok {
		return said
	}
	return line
}

// throw panics with the *Error of a failed operator.
func throw(op string, message *C.char, ts ...Tensor) {
	panic(failure(op, message, ts...))
}

// Misuse panics with an *Error of the operation op, as operators do where arguments do not fit:
// for what is built on them.
func Misuse(op, format string, args ...any) {
	panic(&Error{Op: op, Message: fmt.Sprintf(format, args...)})
}

// misfit is Misuse of tensors, whose shapes the error shows.
func misfit(op string, ts []Tensor, format string, args ...any) {
	e := &Error{Op: op, Message: fmt.Sprintf(format, args...)}
	for _, t := range ts {
		e.Shapes = append(e.Shapes, t.describe())
	}
	panic(e)
}
