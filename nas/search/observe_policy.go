package search

import (
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/runfolder"
)

// observePolicy returns the distribution over the cells of a space that a policy has. decisions are the
// probabilities of the options of each decision, in the order of darts.Space.Options. Beta is the
// probability that a cell has the edge, which sums to 2 over the edges of a node.
func observePolicy(space darts.Space, decisions [][]float64) (cells []runfolder.CellMix) {
	next := func() []float64 {
		p := decisions[0]
		decisions = decisions[1:]
		return p
	}
	for kind := range genotype.ConvolutionalKinds {
		ops := possible(space.Ops(kind))
		var p [][]float64
		var beta []float64
		for node := range space.Nodes {
			inputs, chosen := make([]float64, node+2), next()
			for a, k := 0, 0; a < len(inputs); a++ {
				for b := a + 1; b < len(inputs); b++ {
					inputs[a] += chosen[k]
					inputs[b] += chosen[k]
					k++
				}
			}
			beta = append(beta, inputs...)
			for range inputs {
				p = append(p, next())
			}
		}
		mix := newCellMix(kind, genotype.Without(operationsOf(space.Ops(kind)), genotype.None), ops, p)
		setBeta(mix, beta)
		cells = append(cells, mix)
	}
	return cells
}

// observeRecurrentPolicy is observePolicy for recurrent cells, see darts.RecurrentSpace.Options. All edges
// of a node have its distribution over activations.
func observeRecurrentPolicy(nodes int, decisions [][]float64) runfolder.CellMix {
	all := genotype.Without(genotype.RecurrentPrimitives, genotype.None)
	var p [][]float64
	var beta []float64
	for node := range nodes {
		beta = append(beta, decisions[2*node]...)
		p = append(p, slices.Repeat([][]float64{decisions[2*node+1]}, node+1)...)
	}
	mix := newCellMix(genotype.Recurrent, all, slices.Repeat([][]genotype.Op{all}, len(p)), p)
	setBeta(mix, beta)
	return mix
}
