package darts

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/cells/genotype"
)

func TestRecurrentSpace(t *testing.T) {
	// Cells that are drawn, changed or decided are valid, and a change is one node's, when the space has some nodes or one.
	for _, nodes := range []int{1, 2, 8} {
		s, r := RecurrentSpace{nodes}, rand.New(rand.NewPCG(1, uint64(nodes)))
		g := s.Sample(r)
		states := map[int]bool{}
		for range 500 {
			child := s.Mutate(g, r)
			if err := child.Validate(); err != nil {
				t.Fatal(err)
			}
			changed := 0
			for i, e := range child.Recurrent.Edges {
				if e != g.Recurrent.Edges[i] {
					changed++
				}
			}
			if changed != 1 {
				t.Fatalf("%d nodes differ after a mutation of\n%v\n%v", changed, g, child)
			}
			g = child
			states[g.Recurrent.Edges[nodes-1].From] = true
			var chosen []int
			for _, n := range s.Options() {
				chosen = append(chosen, r.IntN(n))
			}
			if err := s.Architecture(chosen).Validate(); err != nil {
				t.Fatal(err)
			}
		}
		if len(states) != nodes {
			t.Errorf("the last of %d nodes was fed from %d states", nodes, len(states))
		}
	}
	want := genotype.Cell{Edges: []genotype.Edge{{Op: genotype.ActSigmoid, From: 0}, {Op: genotype.ActTanh, From: 1}}, Concat: []int{1, 2}}
	if diff := cmp.Diff(want, RecurrentSpace{2}.Architecture([]int{0, 2, 1, 0}).Recurrent); diff != "" {
		t.Error(diff)
	}
}
