package search

import (
	"math"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// observePlain returns softmax(α), and softmax(β) if there is β, of both kinds of cells of net. whole is
// the space that the search began with: operations that it has lost have probability 0.
func observePlain(whole darts.Space, net *darts.Plain) (cells []runfolder.CellMix) {
	tables := net.Alphas() // α of both kinds, then β if there is any
	for kind := range genotype.ConvolutionalKinds {
		ops := net.Architecture(kind).Ops
		mix := newCellMix(kind, operationsOf(whole.Ops(kind)), ops, softmaxAlpha(tables[kind], ops))
		if len(tables) > int(genotype.ConvolutionalKinds) {
			setBeta(mix, softmaxBeta(tables[genotype.ConvolutionalKinds+kind], kind))
		}
		cells = append(cells, mix)
	}
	return cells
}

// observeRecurrent returns softmax(α) of a recurrent cell, α [edges, activations].
func observeRecurrent(alpha torch.Tensor) runfolder.CellMix {
	ops := slices.Repeat([][]genotype.Op{genotype.RecurrentPrimitives}, alpha.Size(0))
	return newCellMix(genotype.Recurrent, genotype.RecurrentPrimitives, ops, softmaxAlpha(alpha, ops))
}

// softmaxAlpha returns softmax(α) over the operations of each edge, in float64. α [edges, columns] has a
// column for each operation of the longest list.
func softmaxAlpha(alpha torch.Tensor, ops [][]genotype.Op) (rows [][]float64) {
	x := double(alpha)
	width := x.Size(1)
	var none []bool
	for _, of := range ops {
		for k := range width {
			none = append(none, k >= len(of))
		}
	}
	if slices.Contains(none, true) {
		x = x.MaskedFill(torch.FromSlice(none, len(ops), width), math.Inf(-1))
	}
	e := 0
	for row := range slices.Chunk(x.Softmax(-1).Float64s(), width) {
		rows = append(rows, row[:len(ops[e])])
		e++
	}
	return rows
}

// softmaxBeta returns softmax(β) over the edges of each node of a cell, in float64.
func softmaxBeta(beta torch.Tensor, kind genotype.Kind) (shares []float64) {
	x := double(beta)
	for inputs := kind.Inputs(); len(shares) < x.Size(0); inputs++ {
		shares = append(shares, x.Narrow(0, len(shares), inputs).Softmax(0).Float64s()...)
	}
	return shares
}

// double copies a tensor to float64 on the CPU.
func double(t torch.Tensor) torch.Tensor { return t.Detach().To(torch.Options{Dtype: torch.Float64}) }

// newCellMix makes the record of a cell from the probabilities p of the operations ops of each edge. all
// are the operations of the space.
func newCellMix(kind genotype.Kind, all []genotype.Op, ops [][]genotype.Op, p [][]float64) runfolder.CellMix {
	mix := runfolder.CellMix{Kind: kind.String()}
	for _, op := range all {
		mix.Operations = append(mix.Operations, string(op))
	}
	for node := 0; len(mix.Edges) < len(ops); node++ {
		for from := range node + kind.Inputs() {
			e := len(mix.Edges)
			edge := runfolder.EdgeMix{Node: node + kind.Inputs(), From: from, P: make([]float64, len(all))}
			for k, op := range ops[e] {
				edge.P[slices.Index(all, op)] = p[e][k]
			}
			edge.Entropy = entropy(edge.P)
			mix.Edges = append(mix.Edges, edge)
		}
	}
	return mix
}

// setBeta records the shares of edges.
func setBeta(mix runfolder.CellMix, shares []float64) {
	for e, share := range shares {
		mix.Edges[e].Beta = new(share)
	}
}

// entropy returns −Σ p·ln p in nats.
func entropy(p []float64) (h float64) {
	for _, x := range p {
		if x > 0 {
			h -= x * math.Log(x)
		}
	}
	return h
}

// operationsOf returns the operations of a space, given those of each edge, in the order of
// genotype.SearchOps.
func operationsOf(edges [][]genotype.Op) (all []genotype.Op) {
	for _, op := range genotype.SearchOps() {
		if slices.ContainsFunc(edges, func(of []genotype.Op) bool { return slices.Contains(of, op) }) {
			all = append(all, op)
		}
	}
	return all
}

// possible returns the operations of each edge that a derived cell can have.
func possible(edges [][]genotype.Op) (rest [][]genotype.Op) {
	for _, of := range edges {
		rest = append(rest, genotype.Without(of, genotype.None))
	}
	return rest
}
