package darts

import (
	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
)

// maxOperations is the most operations that a supernet may have, over all edges of all layers: a hundred times the
// paper's number.
const maxOperations = 100_000

// operations counts the operations of all edges of all layers.
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

// Check returns the error that NewPlain would return.
func (o Options) Check() error {
	o.Partial = max(o.Partial, 1)
	return o.validate()
}

// Estimate computes the estimate of the supernet, which Check accepts, on images with that side in pixels. No batch
// norm of an operation is affine.
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
