package enas

import (
	"math"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestShares(t *testing.T) {
	// Shares of one cell are the edges and operations that Draw draws, and those of many cells are near the shares among as many draws.
	torchtest.Scope(t)
	space := mixedSpace()
	c := newTestController(t, space, Options{LR: 0.1, Dtype: torch.Float64})
	torch.NoGrad(func() { c.W().MulScalar_(5) }) // further from uniform
	for i := range 50 {
		shares, want := c.Shares(stream(i), 1), c.Draw(stream(i))
		for kind := range genotype.ConvolutionalKinds {
			used := 0.0
			for _, share := range shares[kind].Edges {
				used += share
			}
			if used != float64(darts.EdgesKept*space.Nodes) {
				t.Fatalf("cell %d: %v edges", i, used)
			}
			for j, edge := range want.Cell(kind).Edges {
				e := darts.FirstEdge(j/2) + edge.From
				if at := indexOf(space.Ops(kind)[e], edge.Op); shares[kind].Edges[e] != 1 || shares[kind].Operations[e][at] != 1 {
					t.Errorf("cell %d: %v of edge %d has shares %v and %v", i, edge, e, shares[kind].Edges[e], shares[kind].Operations[e])
				}
			}
		}
	}
	const n = 2000
	counts := [2]map[[2]int]float64{{}, {}}
	for i := range n {
		g := c.Draw(stream(1000 + i))
		for kind := range genotype.ConvolutionalKinds {
			for j, edge := range g.Cell(kind).Edges {
				e := darts.FirstEdge(j/2) + edge.From
				counts[kind][[2]int{e, indexOf(space.Ops(kind)[e], edge.Op)}] += 1. / n
			}
		}
	}
	shares := c.Shares(stream(0), n)
	for kind, s := range shares {
		for e, share := range s.Edges {
			for k, p := range s.Operations[e] {
				if got, want := share*p, counts[kind][[2]int{e, k}]; math.Abs(got-want) > 0.06 { // four deviations of the difference
					t.Errorf("kind %d, edge %d, operation %d: share %.3f, of draws %.3f", kind, e, k, got, want)
				}
			}
		}
	}
}

// indexOf returns the place of op in ops without "none".
func indexOf(ops []genotype.Op, op genotype.Op) int {
	for k, it := range genotype.Without(ops, genotype.None) {
		if it == op {
			return k
		}
	}
	return -1
}
