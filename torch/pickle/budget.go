package pickle

import "errors"

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
