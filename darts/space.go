package darts

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
)

// Edges returns the number of edges of a cell with that many intermediate nodes: node i has one from each of the two
// inputs and of the i nodes before it.
func Edges(nodes int) int { return nodes * (nodes + 3) / 2 }

// FirstEdge returns the row of node i's first edge in a table of α.
func FirstEdge(i int) int { return Edges(i) }

// Space is the set of convolutional cells that a search chooses from. Each node has two edges from distinct inputs,
// and each edge one of its operations other than "none".
//
// Methods panic with *torch.Error for a space that Validate refuses.
type Space struct {
	Nodes int
	// Operations of each edge of normal and reduction cells, node by node, by input.
	Normal, Reduce [][]genotype.Op
}

// Ops returns the operations of each edge of cells of that kind.
func (s Space) Ops(kind genotype.Kind) [][]genotype.Op {
	if kind == genotype.Reduce {
		return s.Reduce
	}
	return s.Normal
}

// cellsOf names cells of that kind in errors.
func cellsOf(kind genotype.Kind) string {
	return [genotype.ConvolutionalKinds]string{"normal cells", "reduction cells"}[kind]
}

// FullSpace returns the paper's space: all of genotype.Primitives on every edge.
func FullSpace(nodes int) Space { return Everywhere(nodes, genotype.Primitives) }

// Everywhere returns the space with the same operations on every edge. It panics with *torch.Error for a number of
// nodes that no cell has.
func Everywhere(nodes int, ops []genotype.Op) Space {
	if nodes < 1 || nodes > genotype.MaxNodes {
		torch.Misuse("darts.Space", "%d nodes, wanted 1 to %d", nodes, genotype.MaxNodes)
	}
	all := slices.Repeat([][]genotype.Op{ops}, Edges(nodes))
	return Space{Nodes: nodes, Normal: all, Reduce: all}
}

// Validate returns an error if no cell is in s.
func (s Space) Validate() error {
	if s.Nodes < 1 || s.Nodes > genotype.MaxNodes {
		return fmt.Errorf("darts: space: %d nodes, want 1 to %d", s.Nodes, genotype.MaxNodes)
	}
	for kind := range genotype.ConvolutionalKinds {
		ops := s.Ops(kind)
		if ops == nil {
			return fmt.Errorf("darts: space: no operations of %s", cellsOf(kind))
		}
		if err := validateOperations(s.Nodes, ops); err != nil {
			return fmt.Errorf("darts: space: operations of %s: %w", cellsOf(kind), err)
		}
	}
	return nil
}

// mustBeValid panics with *torch.Error where Validate returns an error.
func (s Space) mustBeValid() {
	if err := s.Validate(); err != nil {
		torch.Misuse("darts.Space", "%s", err)
	}
}

// mustHold panics with *torch.Error unless g has the nodes of s, and edges of them.
func (s Space) mustHold(g genotype.Genotype) {
	s.mustBeValid()
	for _, c := range []genotype.Cell{g.Normal, g.Reduce} {
		if len(c.Edges) != EdgesKept*s.Nodes {
			torch.Misuse("darts.Space", "a cell of %d edges, wanted two for each of %d nodes", len(c.Edges), s.Nodes)
		}
		for i, edge := range c.Edges {
			if node := i / EdgesKept; edge.From < 0 || edge.From > node+1 {
				torch.Misuse("darts.Space", "node %d has no edge from state %d", node, edge.From)
			}
		}
	}
}

// Has reports whether op is on an edge of s.
func (s Space) Has(op genotype.Op) bool {
	return slices.ContainsFunc(slices.Concat(s.Normal, s.Reduce), func(ops []genotype.Op) bool { return slices.Contains(ops, op) })
}

// Sample draws cells uniformly: for each node two distinct inputs, and an operation for each. In the paper's space
// the distribution is that of the genotype derived from an α of independent standard normal entries, which its
// authors used for their random baseline.
func (s Space) Sample(r *rand.Rand) genotype.Genotype {
	s.mustBeValid()
	draw := func(ops [][]genotype.Op) genotype.Cell {
		var c genotype.Cell
		for i := range s.Nodes {
			for _, from := range r.Perm(i + 2)[:EdgesKept] {
				of := genotype.Without(ops[FirstEdge(i)+from], genotype.None)
				c.Edges = append(c.Edges, genotype.Edge{Op: of[r.IntN(len(of))], From: from})
			}
			c.Concat = append(c.Concat, i+2)
		}
		return c
	}
	return genotype.Genotype{Normal: draw(s.Normal), Reduce: draw(s.Reduce)}
}

// Hardest returns the cells of s with the strictest demands on the sizes of images and batches. Nodes have skip
// connections of stride 2 where they can, which need even sides, then operations with batch norms, which need more
// than one value per channel.
func (s Space) Hardest() genotype.Genotype {
	s.mustBeValid()
	pick := func(kind genotype.Kind) (c genotype.Cell) {
		for i := range s.Nodes {
			edges := make([]genotype.Edge, i+2)
			for from := range edges {
				stride := kind.Stride(from)
				of := genotype.Without(s.Ops(kind)[FirstEdge(i)+from], genotype.None)
				edges[from] = genotype.Edge{Op: slices.MaxFunc(of, func(a, b genotype.Op) int { return demand(a, stride) - demand(b, stride) }), From: from}
			}
			slices.SortStableFunc(edges, func(a, b genotype.Edge) int {
				return demand(b.Op, kind.Stride(b.From)) - demand(a.Op, kind.Stride(a.From))
			})
			c.Edges = append(c.Edges, edges[:EdgesKept]...)
			c.Concat = append(c.Concat, i+2)
		}
		return c
	}
	return genotype.Genotype{Normal: pick(genotype.Normal), Reduce: pick(genotype.Reduce)}
}

// demand orders operations for Hardest.
func demand(op genotype.Op, stride int) int {
	switch {
	case op == genotype.SkipConnect && stride > 1:
		return 2
	case op.Normed(stride):
		return 1
	}
	return 0
}

// Mutate returns cells that differ from g in the operation or the input of one edge, as in regularized evolution
// (Real et al., AAAI 2019). Where the edge of a new input does not have the operation, Mutate draws one of its own.
// In a space with only one architecture it returns g.
func (s Space) Mutate(g genotype.Genotype, r *rand.Rand) genotype.Genotype {
	s.mustHold(g)
	g.Normal.Edges, g.Reduce.Edges = slices.Clone(g.Normal.Edges), slices.Clone(g.Reduce.Edges)
	// Edges and changes, of the operation or of the input, in random order, until one is possible.
	const changes = 2
	each := len(g.Normal.Edges)
	for _, at := range r.Perm(2 * each * changes) {
		kind := genotype.Kind(at / changes / each)
		edges := g.Cell(kind).Edges
		i := at / changes % each
		node, edge, other := i/EdgesKept, &edges[i], edges[i^1]
		ops := s.Ops(kind)[FirstEdge(node):FirstEdge(node+1)]
		if at%changes == 0 {
			if choice := genotype.Without(ops[edge.From], genotype.None, edge.Op); len(choice) > 0 {
				edge.Op = choice[r.IntN(len(choice))]
				return g
			}
			continue
		}
		if node == 0 {
			continue // both inputs are taken
		}
		from := r.IntN(node) // of the node+2 inputs but the two of its edges
		for _, taken := range []int{min(edge.From, other.From), max(edge.From, other.From)} {
			if from >= taken {
				from++
			}
		}
		edge.From = from
		if !slices.Contains(ops[from], edge.Op) {
			choice := genotype.Without(ops[from], genotype.None)
			edge.Op = choice[r.IntN(len(choice))]
		}
		return g
	}
	return g
}

// Options returns the numbers of options of the decisions that make cells, for callers that decide one by one: normal
// cell first, for each node the pair of its inputs, then the operation of each edge that it could have.
func (s Space) Options() (options []int) {
	s.mustBeValid()
	for kind := range genotype.ConvolutionalKinds {
		for i := range s.Nodes {
			options = append(options, len(pairs(i+2)))
			for _, of := range s.Ops(kind)[FirstEdge(i):FirstEdge(i+1)] {
				options = append(options, len(genotype.Without(of, genotype.None)))
			}
		}
	}
	return options
}

// Architecture returns the cells of one option for each decision, see Options.
func (s Space) Architecture(chosen []int) genotype.Genotype {
	mustChoose(chosen, s.Options())
	next := func() int {
		n := chosen[0]
		chosen = chosen[1:]
		return n
	}
	cell := func(ops [][]genotype.Op) (c genotype.Cell) {
		for i := range s.Nodes {
			inputs := pairs(i + 2)[next()]
			var decided []genotype.Op
			for _, of := range ops[FirstEdge(i):FirstEdge(i+1)] {
				decided = append(decided, genotype.Without(of, genotype.None)[next()])
			}
			for _, from := range inputs {
				c.Edges = append(c.Edges, genotype.Edge{Op: decided[from], From: from})
			}
			c.Concat = append(c.Concat, i+2)
		}
		return c
	}
	normal := cell(s.Normal)
	return genotype.Genotype{Normal: normal, Reduce: cell(s.Reduce)}
}

// mustChoose panics with *torch.Error unless chosen has one option for each decision.
func mustChoose(chosen, options []int) {
	if len(chosen) != len(options) {
		torch.Misuse("darts.Architecture", "%d decisions, wanted %d", len(chosen), len(options))
	}
	for i, n := range chosen {
		if n < 0 || n >= options[i] {
			torch.Misuse("darts.Architecture", "decision %d is option %d of %d", i, n, options[i])
		}
	}
}

// pairs returns all pairs of n inputs.
func pairs(n int) (all [][2]int) {
	for a := range n {
		for b := a + 1; b < n; b++ {
			all = append(all, [2]int{a, b})
		}
	}
	return all
}
