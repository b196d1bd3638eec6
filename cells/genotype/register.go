package genotype

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
)

// Traits say what the sizes of a network depend on, of an operation from outside of this module.
type Traits struct {
	// Normed reports whether the operation has a batch norm in an evaluation network; nil means that it has.
	Normed func(stride int) bool
	// Weights returns the number of weights on c channels; nil means 0, which makes estimates of memory too low.
	Weights func(c float64, stride int, affine bool) float64
	// MultiplyAdds returns the multiply-adds on a map of c channels and side pixels a side; nil means unknown.
	MultiplyAdds func(c, side float64, stride int) float64
}

var registered struct {
	sync.RWMutex
	traits map[Op]Traits
}

// opName matches the names of operations, which are identifiers in Python too.
var opName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Register makes op an operation of convolutional cells: genotypes may have it, and spaces that name it. A program
// calls it once for each operation, before it reads genotypes. It returns an error for a name that is taken or is no
// identifier of at most 40 lower-case letters, digits and underscores.
//
// Register tells only what the operation is called. cells.RegisterOp also tells how to compute it, and calls Register.
func Register(op Op, t Traits) error {
	if !opName.MatchString(string(op)) {
		return fmt.Errorf("cells: register operation: %.40q is no name, want at most 40 of a-z, 0-9 and _, a letter first", string(op))
	}
	registered.Lock()
	defer registered.Unlock()
	if _, taken := registered.traits[op]; taken || slices.Contains(ConvolutionalOps, op) || op.Recurrent() {
		return fmt.Errorf("cells: register operation: there is a %s already", op)
	}
	if registered.traits == nil {
		registered.traits = map[Op]Traits{}
	}
	registered.traits[op] = t
	return nil
}

// Registered returns the operations that Register added, in alphabetical order.
func Registered() []Op {
	registered.RLock()
	defer registered.RUnlock()
	return slices.Sorted(maps.Keys(registered.traits))
}

// SearchOps returns the operations that a convolutional space may have: Primitives, then Registered.
func SearchOps() []Op { return slices.Concat(Primitives, Registered()) }

// allConvolutionalOps returns the operations that a derived convolutional cell may have.
func allConvolutionalOps() []Op { return slices.Concat(ConvolutionalOps, Registered()) }

// traits returns the traits of a registered operation.
func (op Op) traits() (t Traits, ok bool) {
	registered.RLock()
	defer registered.RUnlock()
	t, ok = registered.traits[op]
	return t, ok
}
