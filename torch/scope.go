package torch

// #include "internal/shim/shim.h"
// #include <stdlib.h>
// #cgo noescape torch_free
// #cgo noescape torch_live
// #cgo noescape torch_scope_close
// #cgo noescape torch_scope_depth
// #cgo noescape torch_scope_keep
// #cgo noescape torch_scope_keep_with
// #cgo noescape torch_scope_open
// #cgo nocallback torch_free
// #cgo nocallback torch_live
// #cgo nocallback torch_scope_close
// #cgo nocallback torch_scope_depth
// #cgo nocallback torch_scope_keep
// #cgo nocallback torch_scope_keep_with
// #cgo nocallback torch_scope_open
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	_ "godarts/torch/internal/shim" // the C++ side
)

// Do runs fn in a new scope on a locked thread and frees the scope's tensors
// when fn ends. A panic of an operator comes back as its *Error; any other
// panic goes on.
func Do(fn func() error) (err error) {
	defer caught(&err)
	NeedFunction("do", fn == nil)
	defer Enter()()
	return fn()
}

// caught, deferred, makes a panic of an operator the error that is returned.
func caught(err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		*err = e
	default:
		panic(e)
	}
}

// Scoped runs fn in a new scope inside the present one. Panics pass through.
// What fn's caller needs leaves the scope by Keep.
func Scoped(fn func()) {
	NeedFunction("scope", fn == nil)
	defer Enter()()
	fn()
}

// Enter opens a scope and returns the function that closes it, for callers
// whose scope is no block, as tests. Both run on the same goroutine.
func Enter() (leave func()) {
	if unfit != nil {
		panic(unfit)
	}
	runtime.LockOSThread()
	if e := C.torch_scope_open(); e != nil {
		throw("scope", e)
	}
	return leaveScope
}

func leaveScope() {
	e := C.torch_scope_close()
	runtime.UnlockOSThread()
	if e != nil {
		throw("scope", e)
	}
}

// Keep moves t to the scope that encloses its own, one level out, and returns
// it. It is for results: a Keep in every turn of a loop grows the outer scope.
func Keep(t Tensor) Tensor {
	if e := C.torch_scope_keep(t.h); e != nil {
		throw("keep", e, t)
	}
	return t
}

// KeepWith moves t to the scope of owner, however far out, unless t outlives that
// already, and returns it. It is for what owner's user makes when it is first needed
// and then has for as long as owner.
func KeepWith(t, owner Tensor) Tensor {
	if e := C.torch_scope_keep_with(t.h, owner.h); e != nil {
		throw("keep", e, t, owner)
	}
	return t
}

// Free frees t before its scope closes. Later uses of t are errors.
func (t Tensor) Free() {
	if e := C.torch_free(t.h); e != nil {
		throw("free", e, t)
	}
}

// Live counts the tensors that no scope has freed yet, of all goroutines.
func Live() int { return int(C.torch_live()) }

// needScope panics unless this thread has an open scope.
func needScope(op string) {
	if C.torch_scope_depth() == 0 {
		panic(&Error{Op: op, Message: "no scope is open: call it inside torch.Do", Kind: ErrNoScope})
	}
}

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

// misfit is Misuse of tensors, whose shapes the error shows.
func misfit(op string, ts []Tensor, format string, args ...any) {
	e := &Error{Op: op, Message: fmt.Sprintf(format, args...)}
	for _, t := range ts {
		e.Shapes = append(e.Shapes, t.describe())
	}
	panic(e)
}
