package torch

import (
	"errors"
	"fmt"
	"strings"
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

// Misuse panics with an *Error of the operation op, as operators do where arguments do not fit:
// for what is built on them.
func Misuse(op, format string, args ...any) {
	panic(&Error{Op: op, Message: fmt.Sprintf(format, args...)})
}

// NeedFunction panics with an *Error of the operation op where the function that op has to call is missing.
func NeedFunction(op string, missing bool) {
	if missing {
		Misuse(op, "no function to run")
	}
}
