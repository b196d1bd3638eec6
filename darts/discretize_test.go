package darts

import (
	"encoding/json"
	"os"
	"testing"

	"godarts/cells"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestDerivation(t *testing.T) {
	// The genotype of recorded α is the reference's when rows tie, too.
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
		var want cells.Genotype
		if err := json.Unmarshal(row.Genotype, &want); err != nil {
			t.Fatal(err)
		}
		cell := func(rows [][]float32) cells.Cell {
			a := newArchitecture(4, nil)
			a.alpha = table(rows)
			return a.derive()
		}
		got := cells.Genotype{Normal: cell(row.Alphas.Normal), Reduce: cell(row.Alphas.Reduce)}
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
	got := discretize(mix, newArchitecture(2, nil).ops)
	want := []cells.Edge{
		{Op: cells.SepConv3x3, From: 1}, {Op: cells.SkipConnect, From: 0},
		{Op: cells.AvgPool3x3, From: 2}, {Op: cells.SepConv5x5, From: 0},
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
