package darts

import (
	"math"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// Progressive is a supernet that P-DARTS can continue from with fewer operations. Chen, Xie, Wu, Tian: Progressive
// Differentiable Architecture Search, ICCV 2019, arXiv 1904.12760; train_search.py in their code. Plain is one, and
// so is the fast form.
type Progressive interface {
	Supernet

	// Remaining returns the space without the n least probable operations of each edge.
	Remaining(n int) Space

	// LimitedGenotype derives the cells of the last stage. The normal cell has at most skips skip connections, where
	// that is possible.
	LimitedGenotype(skips int) genotype.Genotype

	// SetSkipDropout changes the rate of Options.SkipDropout, unless that was 0.
	SetSkipDropout(rate float64)
}

var _ Progressive = (*Plain)(nil)

// Remaining implements Progressive. It panics with *torch.Error if n is negative or leaves an edge without
// operations.
func (s *Plain) Remaining(n int) Space {
	var left [genotype.ConvolutionalKinds][][]genotype.Op
	for kind, a := range s.architectures {
		for _, of := range a.Ops {
			if n < 0 || n >= len(of) {
				torch.Misuse("darts.Remaining", "%d of an edge's %d operations to drop", n, len(of))
			}
		}
		left[kind] = dropWeakest(a.probabilities(), a.Ops, n)
	}
	return Space{Nodes: s.Cells[0].Nodes, Normal: left[genotype.Normal], Reduce: left[genotype.Reduce]}
}

// LimitedGenotype implements Progressive.
func (s *Plain) LimitedGenotype(skips int) genotype.Genotype {
	normal, reduce := s.architectures[genotype.Normal], s.architectures[genotype.Reduce]
	return genotype.Genotype{
		Normal: deriveProgressive(normal.probabilities(), normal.Ops, skips),
		Reduce: deriveProgressive(reduce.probabilities(), reduce.Ops, math.MaxInt),
	}
}

// SetSkipDropout implements Progressive.
func (s *Plain) SetSkipDropout(rate float64) { *s.skipDropout = rate }

// skipDropout is an identity that drops elements in training and scales the others.
type skipDropout struct {
	nn.Layer
	rate *float64
}

// Forward implements nn.Layer.
func (d skipDropout) Forward(x torch.Tensor, m nn.Mode) torch.Tensor {
	return torch.Dropout(d.Layer.Forward(x, m), *d.rate, m.Training)
}

// dropSkips adds dropout to the identities of the cell, whose edges have ops.
func (c *SearchCell) dropSkips(ops [][]genotype.Op, rate *float64) {
	for i := range c.Nodes {
		for j := range i + 2 {
			e := FirstEdge(i) + j
			identity := c.Kind.Stride(j) == 1 // else a factorized reduction
			if k := slices.Index(ops[e], genotype.SkipConnect); k >= 0 && identity {
				c.edges[e].ops[k] = skipDropout{c.edges[e].ops[k], rate}
			}
		}
	}
}

// dropWeakest returns ops without the n operations of the smallest probabilities p on each edge. "none" counts as any
// other operation; of equal ones the first goes.
func dropWeakest(p [][]float64, ops [][]genotype.Op, n int) [][]genotype.Op {
	left := make([][]genotype.Op, len(ops))
	for e, of := range ops {
		weakest := ascending(p[e])[:n]
		for k, op := range of {
			if !slices.Contains(weakest, k) {
				left[e] = append(left[e], op)
			}
		}
	}
	return left
}

// ascending returns the columns of a row from the smallest to the largest entry, equal entries in order.
func ascending(row []float64) []int {
	order := make([]int, len(row))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case row[a] < row[b]:
			return -1
		case row[a] > row[b]:
			return 1
		}
		return 0
	})
	return order
}

// lastOperation returns the column of the one operation that an edge ends with. "none" goes first, then the smallest
// probabilities; of equal ones the last stays.
func lastOperation(p []float64, ops []genotype.Op) int {
	order := ascending(p)
	if last := order[len(order)-1]; ops[last] != genotype.None {
		return last
	}
	return order[len(order)-2]
}

// strongInputs returns the two edges of a node whose largest probabilities are the largest, the smaller input first.
// Of equally strong edges the larger inputs stay.
func strongInputs(p [][]float64) []int {
	strength := make([]float64, len(p))
	for j, row := range p {
		strength[j] = slices.Max(row)
	}
	order := ascending(strength)
	kept := order[len(order)-EdgesKept:]
	slices.Sort(kept)
	return kept
}

// progressiveCell returns the cell of each edge's last operation on each node's strong inputs.
func progressiveCell(p [][]float64, ops [][]genotype.Op) (c genotype.Cell) {
	for i := 0; FirstEdge(i) < len(p); i++ {
		for _, j := range strongInputs(p[FirstEdge(i):FirstEdge(i+1)]) {
			e := FirstEdge(i) + j
			c.Edges = append(c.Edges, genotype.Edge{Op: ops[e][lastOperation(p[e], ops[e])], From: j})
		}
		c.Concat = append(c.Concat, i+2)
	}
	return c
}
