// Package stored says how the elements of a tensor lie in bytes, and holds what the readers of
// files of tensors share: limits on what a file may ask for, and messages that stay short. It
// needs no libtorch.
package stored

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxDims is the most dimensions of a tensor: those of libtorch's iterators.
const MaxDims = 64

// Bytes is the size in bytes of a tensor with elements of elementBytes; ok is false where
// an int64 does not hold it, or the strides that libtorch computes, for which an empty
// dimension counts 1.
func Bytes(shape []int, elementBytes int) (bytes int, ok bool) {
	strided, empty := uint64(elementBytes), false
	for _, n := range shape {
		empty = empty || n == 0
		high, low := bits.Mul64(strided, uint64(max(n, 1)))
		if n < 0 || high > 0 || low > math.MaxInt64 {
			return 0, false
		}
		strided = low
	}
	if empty {
		return 0, true
	}
	return int(strided), true
}

// Shape prints a shape as PyTorch does: [2, 3].
func Shape(shape []int) string {
	return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ")
}

// NoBoolean is the first byte of content that libtorch would not take for a boolean, or -1.
func NoBoolean(content []byte) int {
	return slices.IndexFunc(content, func(b byte) bool { return b > 1 })
}

// Nearest is the name that shares most with the wanted one at both ends. It panics if there
// are no names.
func Nearest(wanted string, names []string) string {
	shared := func(name string) int {
		n, head, tail := min(len(name), len(wanted)), 0, 0
		for head < n && name[head] == wanted[head] {
			head++
		}
		for tail < n-head && name[len(name)-1-tail] == wanted[len(wanted)-1-tail] {
			tail++
		}
		return head + tail
	}
	return slices.MaxFunc(names, func(a, b string) int { return shared(a) - shared(b) })
}

// longestReason is the length of the longest message of what is wrong with a file.
const longestReason = 300

// Brief makes the text of err short, whatever a file made it say.
func Brief(err error) error { return briefError{err} }

type briefError struct{ error }

func (e briefError) Unwrap() error { return e.error }

// Error leaves out the middle of a long text: what went wrong stands at its end.
func (e briefError) Error() string {
	const between = " ... "
	text := e.error.Error()
	if utf8.RuneCountInString(text) <= longestReason {
		return text
	}
	const window = utf8.UTFMax * longestReason // bytes that hold as many runes
	head := []rune(strings.ToValidUTF8(text[:min(window, len(text))], "?"))
	tail := []rune(strings.ToValidUTF8(text[max(0, len(text)-window):], "?"))
	return string(head[:longestReason/2]) + between + string(tail[len(tail)-longestReason/2+len(between):])
}
