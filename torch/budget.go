package torch

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// A small file can ask for much work: it may name one list, or one storage, a million
// times. Reading a file therefore has budgets, multiples of the file's size.
const (
	elementsPerByte = 16      // bytes of all tensors together, which may share storages
	namesPerByte    = 16      // bytes of all names together
	budgetBase      = 1 << 16 // added to both, for small files
)

// budget is what may yet be spent.
type budget int

// newBudget is a budget for a file of that many bytes.
func newBudget(perByte, bytes int) budget { return budget(perByte*bytes + budgetBase) }

// spend takes n from the budget and tells whether it had as much.
func (b *budget) spend(n int) bool {
	if n > int(*b) {
		return false
	}
	*b -= budget(n)
	return true
}

var errVisits = errors.New("refused: it repeats its values until they are many times as long as the file")

// longestReason is the length of the longest message of what is wrong with a file.
const longestReason = 300

// brief is an error whose text is short, whatever a file made it say.
type brief struct{ error }

func (e brief) Unwrap() error { return e.error }

// Error leaves out the middle of a long text: what went wrong stands at its end.
func (e brief) Error() string {
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
