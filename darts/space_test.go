package darts

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/cells/genotype"
)

func TestSample(t *testing.T) {
	// Sampled cells are valid and uniform over inputs and operations when many are drawn.
	r := rand.New(rand.NewPCG(1, 2))
	const draws = 20000
	ops, pairs := map[genotype.Op]int{}, map[[2]int]int{}
	for range draws {
		g := FullSpace(4).Sample(r)
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, e := range g.Normal.Edges {
			ops[e.Op]++
		}
		last := g.Reduce.Edges[6:]
		pairs[[2]int{min(last[0].From, last[1].From), max(last[0].From, last[1].From)}]++
	}
	near := func(what any, got, want int) {
		if diff := got - want; diff*diff > 16*want { // four standard deviations and more
			t.Errorf("%v was drawn %d times, expected about %d", what, got, want)
		}
	}
	if len(ops) != 7 || len(pairs) != 10 {
		t.Fatalf("%d operations, %d pairs of inputs, want 7 and 10", len(ops), len(pairs))
	}
	for op, n := range ops {
		near(op, n, draws*8/7)
	}
	for pair, n := range pairs {
		near(pair, n, draws/10)
	}
}

// within is an error text if g is not of the space.
func within(s Space, g genotype.Genotype) string {
	if err := g.Validate(); err != nil {
		return err.Error()
	}
	for kind, of := range map[string]struct {
		cell genotype.Cell
		ops  [][]genotype.Op
	}{"normal": {g.Normal, s.Normal}, "reduction": {g.Reduce, s.Reduce}} {
		if of.cell.Nodes() != s.Nodes {
			return kind + " cell of other nodes"
		}
		for i, e := range of.cell.Edges {
			if other := of.cell.Edges[i^1]; e.From == other.From {
				return kind + " cell with two edges from one input"
			}
			if e.Op == genotype.None || !slices.Contains(of.ops[FirstEdge(i/2)+e.From], e.Op) {
				return kind + " cell with " + string(e.Op) + " where that is not"
			}
		}
	}
	return ""
}

func TestSpaces(t *testing.T) {
	// Cells that are drawn, changed or decided are of the space, and a change is one edge's, when spaces are full, reduced or narrow.
	spaces := map[string]Space{"full": FullSpace(4), "one node": FullSpace(1), "convolutions": Everywhere(3, []genotype.Op{genotype.SepConv3x3, genotype.SepConv5x5})}
	for name, s := range ReducedSpaces {
		spaces[name] = s
	}
	for name, s := range spaces {
		t.Run(name, func(t *testing.T) {
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(3, 4))
			g := s.Sample(r)
			options := s.Options()
			for range 500 {
				if what := within(s, g); what != "" {
					t.Fatal(what)
				}
				before := g.String()
				child := s.Mutate(g, r)
				if g.String() != before {
					t.Fatal("the parent has changed")
				}
				if n := changedEdges(g, child); n != 1 {
					t.Fatalf("%d edges differ after a mutation of\n%v\n%v", n, g, child)
				}
				g = child
				chosen := make([]int, len(options))
				for i, n := range options {
					chosen[i] = r.IntN(n)
				}
				if what := within(s, s.Architecture(chosen)); what != "" {
					t.Fatal(what)
				}
			}
		})
	}
}

func changedEdges(a, b genotype.Genotype) (n int) {
	x, y := slices.Concat(a.Normal.Edges, a.Reduce.Edges), slices.Concat(b.Normal.Edges, b.Reduce.Edges)
	for i := range x {
		if x[i] != y[i] {
			n++
		}
	}
	return n
}

func TestMutateReaches(t *testing.T) {
	// Every operation and every input of a node is reached when its cells are mutated often.
	s, r := FullSpace(2), rand.New(rand.NewPCG(5, 6))
	g := s.Sample(r)
	ops, inputs := map[genotype.Op]bool{}, map[int]bool{}
	for range 500 {
		g = s.Mutate(g, r)
		ops[g.Reduce.Edges[3].Op] = true
		inputs[g.Reduce.Edges[3].From] = true
	}
	if len(ops) != 7 || len(inputs) != 3 {
		t.Errorf("%d operations, %d inputs, want 7 and 3", len(ops), len(inputs))
	}
	alone := Everywhere(1, []genotype.Op{genotype.None, genotype.SkipConnect})
	g = alone.Sample(r)
	if child := alone.Mutate(g, r); child.String() != g.String() {
		t.Error("the one architecture of a space has another child")
	}
}

func TestOptions(t *testing.T) {
	// Decisions are those of the formula, and give the cells they name, in a space of two nodes.
	s := FullSpace(2)
	if diff := cmp.Diff([]int{1, 7, 7, 3, 7, 7, 7, 1, 7, 7, 3, 7, 7, 7}, s.Options()); diff != "" {
		t.Error(diff)
	}
	g := s.Architecture([]int{0, 3, 4, 2, 0, 1, 2, 0, 6, 5, 1, 0, 0, 3})
	want := genotype.Genotype{
		Normal: genotype.Cell{Edges: []genotype.Edge{{Op: genotype.SepConv3x3, From: 0}, {Op: genotype.SepConv5x5, From: 1}, {Op: genotype.AvgPool3x3, From: 1}, {Op: genotype.SkipConnect, From: 2}}, Concat: []int{2, 3}},
		Reduce: genotype.Cell{Edges: []genotype.Edge{{Op: genotype.DilConv5x5, From: 0}, {Op: genotype.DilConv3x3, From: 1}, {Op: genotype.MaxPool3x3, From: 0}, {Op: genotype.SepConv3x3, From: 2}}, Concat: []int{2, 3}},
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Error(diff)
	}
}

func TestSpaceRefuses(t *testing.T) {
	// A space that gives no cells is refused when its lists are missing, too few or empty.
	for want, s := range map[string]Space{
		"darts: space: no operations of reduction cells":                               {Nodes: 1, Normal: FullSpace(1).Normal},
		"darts: space: operations of normal cells: 2 lists for the 5 edges of 2 nodes": {Nodes: 2, Normal: FullSpace(1).Normal, Reduce: FullSpace(2).Reduce},
		"darts: space: operations of normal cells: edge 0: no operation besides none":  Everywhere(1, []genotype.Op{genotype.None}),
	} {
		if err := s.Validate(); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}
