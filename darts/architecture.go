package darts

import (
	"fmt"
	"math"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
)

// Architecture is α of one kind of cell, and the operations that it weighs.
type Architecture struct {
	Ops   [][]genotype.Op // of each edge
	Alpha torch.Tensor    // [edges, operations of the longest list]
	beta  torch.Tensor    // [edges], see partial.go; zero if edges are not weighed
	none  torch.Tensor    // bool like alpha, true where an edge has no such operation; zero if all lists are as long
}

// alphaScale is the standard deviation of α at the start.
const alphaScale = 1e-3

// newArchitecture makes the architecture of a cell with ops on its edges; nil means all operations on every edge. α
// is not drawn yet.
func newArchitecture(nodes int, ops [][]genotype.Op) *Architecture {
	if ops == nil {
		ops = slices.Repeat([][]genotype.Op{genotype.Primitives}, Edges(nodes))
	}
	return &Architecture{Ops: ops}
}

func (a *Architecture) Width() int {
	width := 0
	for _, of := range a.Ops {
		width = max(width, len(of))
	}
	return width
}

// draw draws α, in float32, so that one seed starts every type with the same numbers.
func (a *Architecture) draw(o torch.Options) {
	width := a.Width()
	first := torch.Randn([]int{len(a.Ops), width}, torch.Options{}).MulScalar_(alphaScale)
	a.Alpha = torch.Empty(first.Shape(), o).Copy_(first)
	first.Free()
	a.Alpha.RequiresGrad_(true)

	none := make([]bool, 0, len(a.Ops)*width)
	for _, of := range a.Ops {
		for k := range width {
			none = append(none, k >= len(of))
		}
	}
	if slices.Contains(none, true) {
		a.none = torch.FromSliceTo(none, []int{len(a.Ops), width}, torch.Options{Dtype: torch.Bool, Device: o.Device})
	}
}

// Mix returns softmax(α) over the operations of each edge, [edges, operations], 0 where there is none. Eq. 2.
func (a *Architecture) Mix() torch.Tensor {
	return a.scores().Softmax(-1)
}

// scores returns α, −∞ where an edge has no such operation.
func (a *Architecture) scores() torch.Tensor {
	if a.none.Defined() {
		return a.Alpha.MaskedFill(a.none, math.Inf(-1))
	}
	return a.Alpha
}

// mixture holds the weights of operations in a pass, as single numbers [1]. mixture[e][k] is the weight of operation
// k of edge e; the zero Tensor leaves the operation out.
type mixture [][]torch.Tensor

// mixture returns Mix as single numbers.
func (a *Architecture) mixture() mixture { return a.numbers(a.Mix()) }

// numbers cuts a table like α into single numbers.
func (a *Architecture) numbers(table torch.Tensor) mixture {
	width := table.Size(1)
	numbers := table.Flatten().Split(slices.Repeat([]int{1}, len(a.Ops)*width), 0)
	return slices.Collect(slices.Chunk(numbers, width))
}

// path returns the mixture of the operations of a derived cell, each with weight 1. It panics with *torch.Error if
// the space does not have the cell.
func (a *Architecture) path(c genotype.Cell) mixture {
	width := a.Width()
	one := torch.Ones([]int{1}, a.Alpha.Detach().Options())
	mix := make(mixture, len(a.Ops))
	for e := range mix {
		mix[e] = make([]torch.Tensor, width)
	}
	for i, edge := range c.Edges {
		node := i / EdgesKept
		e := FirstEdge(node) + edge.From
		if edge.From < 0 || edge.From > node+1 || e >= len(a.Ops) {
			torch.Misuse("darts.PathGradients", "the supernet has no edge from state %d to node %d", edge.From, node)
		}
		k := slices.Index(a.Ops[e], edge.Op)
		if k < 0 {
			torch.Misuse("darts.PathGradients", "edge %d of the supernet has no %s", e, edge.Op)
		}
		mix[e][k] = one
	}
	return mix
}

// validateOperations checks lists of operations for the edges of a cell.
func validateOperations(nodes int, ops [][]genotype.Op) error {
	if len(ops) != Edges(nodes) {
		return fmt.Errorf("%d lists for the %d edges of %d nodes", len(ops), Edges(nodes), nodes)
	}
	for e, of := range ops {
		real := 0
		for k, op := range of {
			if all := genotype.SearchOps(); !slices.Contains(all, op) {
				return fmt.Errorf("edge %d: %q is no operation of a convolutional search (there are: %v)", e, op, all)
			}
			if slices.Contains(of[:k], op) {
				return fmt.Errorf("edge %d: %s is there twice", e, op)
			}
			if op != genotype.None {
				real++
			}
		}
		if real == 0 {
			return fmt.Errorf("edge %d: no operation besides %s", e, genotype.None)
		}
	}
	return nil
}
