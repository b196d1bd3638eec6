package darts

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// recordedTable is a table of α or β: rows, or one row.
func recordedTable(t *testing.T, text json.RawMessage) torch.Tensor {
	t.Helper()
	var rows [][]float32
	if err := json.Unmarshal(text, &rows); err == nil {
		return table(rows)
	}
	var row []float32
	if err := json.Unmarshal(text, &row); err != nil {
		t.Fatal(err)
	}
	return torch.FromSlice(row, len(row))
}

// derivations reads the rows of every recording of a form.
func derivations[Row any](t *testing.T, pattern string) (rows []Row) {
	t.Helper()
	for _, path := range torchtest.Upstream(t, pattern) {
		var of []Row
		if err := json.Unmarshal(torchtest.Content(t, path), &of); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, of...)
	}
	if len(rows) == 0 {
		t.Fatal("nothing is recorded")
	}
	return rows
}

func TestUpstreamPCDARTSDerivation(t *testing.T) {
	// Cells derived with weights of edges are those of PC-DARTS' authors on random tables, ties among them.
	torchtest.Scope(t)
	type row struct {
		Tables   []json.RawMessage // Alpha of normal and of reduction cells, then beta of both
		Genotype string
	}
	for i, row := range derivations[row](t, "derive_pcdarts*.json") {
		var tables []torch.Tensor
		for _, text := range row.Tables {
			tables = append(tables, recordedTable(t, text))
		}
		ops := newArchitecture(4, nil).Ops
		net := &Plain{
			architectures: [2]*Architecture{{Ops: ops, Alpha: tables[0], beta: tables[2]}, {Ops: ops, Alpha: tables[1], beta: tables[3]}},
		}
		if got := net.Genotype().String(); got != row.Genotype {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, row.Genotype)
		}
	}
}

func TestUpstreamGDASDerivation(t *testing.T) {
	// Cells are those that GDAS' authors derive on random tables, ties among them.
	torchtest.Scope(t)
	type row struct {
		Tables         [2]json.RawMessage
		Normal, Reduce [][2][2]any // for each node two pairs of an operation and an input
	}
	for i, row := range derivations[row](t, "derive_gdas*.json") {
		ops := newArchitecture(4, nil).Ops
		net := &GumbelSupernet{Plain: &Plain{
			architectures: [2]*Architecture{{Ops: ops, Alpha: recordedTable(t, row.Tables[0])}, {Ops: ops, Alpha: recordedTable(t, row.Tables[1])}},
		}}
		got := net.Genotype()
		for kind, want := range map[genotype.Kind][][2][2]any{genotype.Normal: row.Normal, genotype.Reduce: row.Reduce} {
			own := got.Cell(kind)
			var edges []genotype.Edge
			for _, node := range want {
				for _, pair := range node {
					edges = append(edges, genotype.Edge{Op: genotype.Op(pair[0].(string)), From: int(pair[1].(float64))})
				}
			}
			if fmt.Sprint(own.Edges) != fmt.Sprint(edges) {
				t.Errorf("row %d, %s:\n got %v\nwant %v", i, kind, own.Edges, edges)
			}
		}
	}
}

// progressiveStage is a stage of P-DARTS: tables of α, the operations that they weigh and,
// of the first two, those that are left; of the last the cells by limit of skip connections.
type progressiveStage struct {
	Normal, Reduce [][]float32
	BeforeNormal   [][]bool `json:"switches_normal"`
	BeforeReduce   [][]bool `json:"switches_reduce"`
	AfterNormal    [][]bool `json:"after_normal"`
	AfterReduce    [][]bool `json:"after_reduce"`
	Genotypes      map[string]string
	Free           string
}

// switched are the operations that are switched on for each edge.
func switched(switches [][]bool) (ops [][]genotype.Op) {
	for _, row := range switches {
		var of []genotype.Op
		for k, on := range row {
			if on {
				of = append(of, genotype.Primitives[k])
			}
		}
		ops = append(ops, of)
	}
	return ops
}

func TestUpstreamPDARTSDerivation(t *testing.T) {
	// The operations left after each stage and the cells for each limit of skip connections are those of P-DARTS' authors on tables of several kinds, ties among them.
	torchtest.Scope(t)
	type row struct {
		Kind   string
		Stages []progressiveStage
	}
	drop := []int{3, 2}
	for i, row := range derivations[row](t, "derive_pdarts*.json") {
		for n, stage := range row.Stages {
			net := &Plain{
				architectures: [2]*Architecture{
					{Ops: switched(stage.BeforeNormal), Alpha: table(stage.Normal)},
					{Ops: switched(stage.BeforeReduce), Alpha: table(stage.Reduce)},
				},
				Cells: []*SearchCell{{Nodes: 4}},
			}
			if n < len(drop) {
				space := net.Remaining(drop[n])
				if fmt.Sprint(space.Normal, space.Reduce) != fmt.Sprint(switched(stage.AfterNormal), switched(stage.AfterReduce)) {
					t.Errorf("row %d (%s), stage %d: left are\n     %v %v\nwant %v %v", i, row.Kind, n,
						space.Normal, space.Reduce, switched(stage.AfterNormal), switched(stage.AfterReduce))
				}
				continue
			}
			if got := net.LimitedGenotype(14).String(); got != stage.Free {
				t.Errorf("row %d (%s), no limit:\n got %s\nwant %s", i, row.Kind, got, stage.Free)
			}
			for limit, want := range stage.Genotypes {
				skips, err := strconv.Atoi(limit)
				if err != nil {
					t.Fatal(err)
				}
				if got := net.LimitedGenotype(skips).String(); got != want {
					t.Errorf("row %d (%s), at most %d skip connections:\n got %s\nwant %s", i, row.Kind, skips, got, want)
				}
			}
		}
	}
}
