package cells

import (
	"sync"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// CustomOp is an operation from outside of this module, for RegisterOp. Only New is required.
type CustomOp struct {
	// New makes the layer from c to c channels, with its parameters below p. The layer maps x [N,c,H,W] to
	// [N,c,⌈H/stride⌉,⌈W/stride⌉]. stride is 1 or 2. affine is false in the search network, whose batch norms have no
	// weight and no bias.
	New func(p nn.Path, c, stride int, affine bool) nn.Layer

	genotype.Traits

	// Python defines the operation for networks that are exported to PyTorch: source text with a function or class of
	// the operation's name, which takes (c, stride) and gives a torch.nn.Module. Its state dict has the names and shapes
	// of New's with affine. Names of the exported module, such as nn, may be used. Without the text, an export fails.
	Python string
}

var customOps struct {
	sync.RWMutex
	byName map[genotype.Op]CustomOp
}

// RegisterOp makes an operation of convolutional cells available under a name, as database/sql's drivers are: in
// genotypes, in evaluation networks, and in search spaces that name it. The supernet runs in the plain form where a
// space has it. A program calls RegisterOp once for each operation, in an init function or first in main.
//
// It panics with *torch.Error if New is nil, or for a name that is taken or that genotype.Register refuses.
func RegisterOp(name genotype.Op, o CustomOp) {
	if o.New == nil {
		torch.Misuse("cells.RegisterOp", "operation %q without a constructor", name)
	}
	if err := genotype.Register(name, o.Traits); err != nil {
		torch.Misuse("cells.RegisterOp", "%s", err)
	}
	customOps.Lock()
	defer customOps.Unlock()
	if customOps.byName == nil {
		customOps.byName = map[genotype.Op]CustomOp{}
	}
	customOps.byName[name] = o
}

// RegisteredOp returns the operation that RegisterOp made available under that name.
func RegisteredOp(name genotype.Op) (o CustomOp, ok bool) {
	customOps.RLock()
	defer customOps.RUnlock()
	o, ok = customOps.byName[name]
	return o, ok
}
