package darts

import (
	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
)

// maxOperations are those that a supernet may have, all edges of all layers together: a
// hundred times those of the paper's.
const maxOperations = 100_000

// operations is the number of operations of all edges of all layers.
func (o Options) operations() int {
	of := func(kind genotype.Kind) (n int) {
		ops := o.ops(kind)
		if ops == nil {
			return Edges(o.Nodes) * len(genotype.Primitives)
		}
		for _, edge := range ops {
			n += len(edge)
		}
		return n
	}
	return (o.Layers-2)*of(genotype.Normal) + 2*of(genotype.Reduce)
}

// Check is the error of NewPlain, if it would return one.
func (o Options) Check() error {
	o.Partial = max(o.Partial, 1)
	return o.validate()
}

// Estimate follows the sizes of the supernet, which Check accepts, on images of that side in
// pixels. Operations have no affine batch norms in it.
func (o Options) Estimate(side int) (e cells.Estimate) {
	if err := o.Check(); err != nil {
		torch.Misuse("darts.Estimate", "%s", err)
	}
	c, s := float64(o.Channels), side
	in, stem := float64(o.InputChannels), float64(o.StemMultiplier)*c
	before, last := stem, stem
	e.Weights = 9*in*stem + 2*stem
	e.PerImage = in * float64(side) * float64(side)
	for layer := range o.Layers {
		kind := genotype.KindOfLayer(layer, o.Layers)
		ops := o.ops(kind)
		if kind == genotype.Reduce {
			c, s = 2*c, (s+1)/2
		}
		e.Weights += before*c + last*c
		for i := range o.Nodes {
			for from := range i + 2 {
				of := genotype.Primitives
				if ops != nil {
					of = ops[FirstEdge(i)+from]
				}
				for _, op := range of {
					e.Weights += op.Weights(c/float64(max(o.Partial, 1)), kind.Stride(from), false)
				}
			}
		}
		before, last = last, float64(o.Nodes)*c
		e.PerImage += last * float64(s) * float64(s)
	}
	e.Weights += (last + 1) * float64(o.Classes)
	return e
}
