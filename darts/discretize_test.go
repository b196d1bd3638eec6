package darts

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestDerivation(t *testing.T) {
	// The genotype of recorded α equals the reference's, also where rows tie.
	torchtest.Scope(t)
	text, err := os.ReadFile(torchtest.Fixture(t, "genotypes_cnn.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Alphas struct {
			Normal [][]float32 `json:"alphas_normal"`
			Reduce [][]float32 `json:"alphas_reduce"`
		}
		Genotype json.RawMessage
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatal("no genotypes were recorded")
	}
	for i, row := range rows {
		var want genotype.Genotype
		if err := json.Unmarshal(row.Genotype, &want); err != nil {
			t.Fatal(err)
		}
		cell := func(rows [][]float32) genotype.Cell {
			a := newArchitecture(4, nil)
			a.Alpha = table(rows)
			return a.derive()
		}
		got := genotype.Genotype{Normal: cell(row.Alphas.Normal), Reduce: cell(row.Alphas.Reduce)}
		if got.String() != want.String() {
			t.Errorf("row %d\n got %s\nwant %s", i, got, want)
		}
	}
}

func table(rows [][]float32) torch.Tensor {
	var flat []float32
	for _, row := range rows {
		flat = append(flat, row...)
	}
	return torch.FromSlice(flat, len(rows), len(rows[0]))
}

func TestDiscretize(t *testing.T) {
	// A node keeps the edges with the strongest real operation when "none" is larger.
	row := func(op int, weight float64) []float64 {
		r := []float64{0.9, 0, 0, 0, 0, 0, 0, 0}
		r[op] = weight
		return r
	}
	mix := [][]float64{
		row(3, .01), row(4, .02), // node 2
		row(5, .03), row(1, .03), row(2, .04), // node 3: a tie between inputs 0 and 1
	}
	got := discretize(mix, newArchitecture(2, nil).Ops)
	want := []genotype.Edge{
		{Op: genotype.SepConv3x3, From: 1}, {Op: genotype.SkipConnect, From: 0},
		{Op: genotype.AvgPool3x3, From: 2}, {Op: genotype.SepConv5x5, From: 0},
	}
	for i, e := range got.Edges {
		if e != want[i] {
			t.Errorf("edge %d: got %v, want %v", i, e, want[i])
		}
	}
	if len(got.Edges) != len(want) {
		t.Errorf("%d edges, want %d", len(got.Edges), len(want))
	}
}

func TestSkipLimit(t *testing.T) {
	// Skips of the smallest weight make way for their edge's next operation or for another edge when there are more than the limit.
	ops := [][]genotype.Op{
		{genotype.None, genotype.SkipConnect, genotype.SepConv3x3}, {genotype.None, genotype.SkipConnect, genotype.SepConv3x3}, // node 2
		{genotype.None, genotype.SkipConnect, genotype.SepConv3x3}, {genotype.SkipConnect}, {genotype.MaxPool3x3, genotype.SkipConnect}, // node 3
	}
	mix := [][]float64{
		{.05, .6, .35}, {.1, .5, .4},
		{.1, .55, .01}, {.8}, {.3, .2},
	}
	const skip, conv, pool = genotype.SkipConnect, genotype.SepConv3x3, genotype.MaxPool3x3
	for _, test := range []struct {
		limit int
		want  []genotype.Edge
	}{
		{4, []genotype.Edge{{Op: skip, From: 0}, {Op: skip, From: 1}, {Op: skip, From: 1}, {Op: skip, From: 0}}},
		{3, []genotype.Edge{{Op: skip, From: 0}, {Op: conv, From: 1}, {Op: skip, From: 1}, {Op: skip, From: 0}}},
		// Without a skip, edge 2 weighs less than edge 4, which takes its place.
		{2, []genotype.Edge{{Op: skip, From: 0}, {Op: conv, From: 1}, {Op: skip, From: 1}, {Op: pool, From: 2}}},
		// The strongest of node 2 is its second edge now.
		{1, []genotype.Edge{{Op: conv, From: 1}, {Op: conv, From: 0}, {Op: skip, From: 1}, {Op: pool, From: 2}}},
		// Edge 3 has nothing else.
		{0, []genotype.Edge{{Op: conv, From: 1}, {Op: conv, From: 0}, {Op: skip, From: 1}, {Op: pool, From: 2}}},
	} {
		if got := deriveLimited(mix, ops, test.limit); !slices.Equal(got.Edges, test.want) {
			t.Errorf("limit %d: got %v, want %v", test.limit, got.Edges, test.want)
		}
	}
	if ops[1][1] != skip {
		t.Error("the caller's operations changed")
	}
}

func TestDerive(t *testing.T) {
	// Derive is Genotype when it is given the present alpha, and limits the skips of only the normal cell when it is told.
	torchtest.Scope(t)
	torch.ManualSeed(1)
	net, err := NewPlain(Options{Channels: 2, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := net.Derive(net.Alphas(), -1).String(), net.Genotype().String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var skips []torch.Tensor
	for _, alpha := range net.Alphas() {
		table := alpha.Detach().Clone()
		table.Narrow(1, slices.Index(genotype.Primitives, genotype.SkipConnect), 1).AddScalar_(5)
		skips = append(skips, table)
	}
	count := func(c genotype.Cell) (n int) {
		for _, e := range c.Edges {
			if e.Op == genotype.SkipConnect {
				n++
			}
		}
		return n
	}
	for limit, want := range map[int]int{-1: 4, 0: 0, 3: 3, 4: 4} {
		g := net.Derive(skips, limit)
		if normal, reduce := count(g.Normal), count(g.Reduce); normal != want || reduce != 4 {
			t.Errorf("limit %d: %d skips in the normal cell, %d in the reduction cell, want %d and 4", limit, normal, reduce, want)
		}
	}
}
