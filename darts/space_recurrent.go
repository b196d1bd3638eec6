package darts

import (
	"math/rand/v2"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
)

// RecurrentSpace is the set of recurrent cells with that many nodes. Each node has one state before it and one
// activation. Methods panic with *torch.Error for a number of nodes that no cell has.
type RecurrentSpace struct{ Nodes int }

// mustBeValid panics with *torch.Error for a number of nodes that no cell has.
func (s RecurrentSpace) mustBeValid() {
	if s.Nodes < 1 || s.Nodes > genotype.MaxNodes {
		torch.Misuse("darts.RecurrentSpace", "%d nodes, wanted 1 to %d", s.Nodes, genotype.MaxNodes)
	}
}

// recurrentChoices are the activations that a node can have.
var recurrentChoices = genotype.Without(genotype.RecurrentPrimitives, genotype.None)

// Sample draws a cell uniformly.
func (s RecurrentSpace) Sample(r *rand.Rand) genotype.Genotype {
	s.mustBeValid()
	var c genotype.Cell
	for i := range s.Nodes {
		op := recurrentChoices[r.IntN(len(recurrentChoices))]
		c.Edges = append(c.Edges, genotype.Edge{Op: op, From: r.IntN(i + 1)})
		c.Concat = append(c.Concat, i+1)
	}
	return genotype.Genotype{Recurrent: c}
}

// Mutate returns a cell that differs from g in the activation or the state of one node. The first node has only one
// state to choose from.
func (s RecurrentSpace) Mutate(g genotype.Genotype, r *rand.Rand) genotype.Genotype {
	s.mustBeValid()
	if len(g.Recurrent.Edges) != s.Nodes {
		torch.Misuse("darts.RecurrentSpace", "a cell of %d nodes, wanted %d", len(g.Recurrent.Edges), s.Nodes)
	}
	g.Recurrent.Edges = slices.Clone(g.Recurrent.Edges)
	i := r.IntN(s.Nodes)
	edge := &g.Recurrent.Edges[i]
	if i > 0 && r.IntN(2) == 0 {
		from := r.IntN(i) // of the i+1 states but its own
		if from >= edge.From {
			from++
		}
		edge.From = from
		return g
	}
	choice := genotype.Without(recurrentChoices, edge.Op)
	edge.Op = choice[r.IntN(len(choice))]
	return g
}

// Options returns the numbers of options of the decisions that make a cell: for each node the state, then the
// activation.
func (s RecurrentSpace) Options() (options []int) {
	s.mustBeValid()
	for i := range s.Nodes {
		options = append(options, i+1, len(recurrentChoices))
	}
	return options
}

// Architecture returns the cell of one option for each decision, see Options.
func (s RecurrentSpace) Architecture(chosen []int) genotype.Genotype {
	mustChoose(chosen, s.Options())
	var c genotype.Cell
	for i := range s.Nodes {
		c.Edges = append(c.Edges, genotype.Edge{Op: recurrentChoices[chosen[2*i+1]], From: chosen[2*i]})
		c.Concat = append(c.Concat, i+1)
	}
	return genotype.Genotype{Recurrent: c}
}
