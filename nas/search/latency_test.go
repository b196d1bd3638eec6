package search_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/latency"
	"godarts/nas/nastest"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

// tableFor writes a table for the search of tiny.yaml with the items set, whose operations take what seconds says.
func tableFor(t *testing.T, seconds func(latency.Layer) float64, set ...string) (file string) {
	t.Helper()
	c := fixture.Tiny(t, set...)
	sizes, err := images.Sizes(c)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := images.LatencyLayers(c, sizes)
	if err != nil {
		t.Fatal(err)
	}
	table := &latency.Table{}
	for _, l := range layers {
		table.Add(latency.Row{Layer: l, Seconds: seconds(l), Passes: 1})
	}
	file = filepath.Join(t.TempDir(), "table.json")
	if err := table.Write(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// uneven gives each layer a time of its own, about a millisecond.
func uneven(l latency.Layer) float64 {
	return 1e-4 * (float64(len(l.Op)) + float64(l.Channels)/77 + float64(l.Side)/13 + float64(l.Stride)/3)
}

func TestLatencyOfCells(t *testing.T) {
	// The expected latency of a search in float64 is the mean over all cells that can be derived, by enumeration, of what the table says of each, when α is any.
	set := []string{
		"network.dtype=float64", "network.nodes=2", "space.operations=[none, skip_connect, sep_conv_3x3]", "alpha.lr=0.7", "epochs=2", "data.subset=24",
	}
	file := tableFor(t, uneven, set...)
	c := fixture.Tiny(t, append(set, "alpha.cost.of=latency", "alpha.cost.table="+file, "alpha.cost.weight=0.5")...)
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := search.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	r, err := record.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	sizes, err := images.Sizes(c)
	if err != nil {
		t.Fatal(err)
	}
	table, err := latency.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	times := images.NewLatencies(c, sizes, table.Rows)
	for _, epoch := range r.Epochs {
		var halves [2][]weighed // of normal and reduction cells
		for kind, mix := range epoch.Cells {
			halves[kind] = enumerate(mix)
		}
		mean, sum := 0.0, 0.0
		for _, normal := range halves[0] {
			for _, reduce := range halves[1] {
				p := normal.p * reduce.p
				mean += p * times.Cell(genotype.Genotype{Normal: normal.cell, Reduce: reduce.cell})
				sum += p
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("the probabilities of %d cells sum to %v", len(halves[0])*len(halves[1]), sum)
		}
		if got := *epoch.ExpectedCost; math.Abs(got-mean) > 1e-12*mean {
			t.Errorf("epoch %d: expected latency %.15g s, by enumeration %.15g s", epoch.Epoch, got, mean)
		}
	}
}

// weighed is a cell and its probability.
type weighed struct {
	cell genotype.Cell
	p    float64
}

// enumerate lists all cells of two nodes that can be derived from a mix: two different edges into each node, all pairs
// alike, each with an operation by its probability.
func enumerate(mix runfolder.CellMix) (all []weighed) {
	all = []weighed{{genotype.Cell{Concat: []int{2, 3}}, 1}}
	for node := 2; node < 4; node++ {
		var into []runfolder.EdgeMix
		for _, e := range mix.Edges {
			if e.Node == node {
				into = append(into, e)
			}
		}
		pairs := float64(len(into)*(len(into)-1)) / 2
		var next []weighed
		for _, before := range all {
			for a := range into {
				for b := range a {
					for i, p := range into[a].P {
						for j, q := range into[b].P {
							edges := append(slices.Clone(before.cell.Edges),
								genotype.Edge{Op: genotype.Op(mix.Operations[j]), From: into[b].From}, genotype.Edge{Op: genotype.Op(mix.Operations[i]), From: into[a].From})
							next = append(next, weighed{genotype.Cell{Edges: edges, Concat: before.cell.Concat}, before.p * p * q / pairs})
						}
					}
				}
			}
		}
		all = next
	}
	return all
}

func TestLatencyWeight(t *testing.T) {
	// A search ends in the operations that its table calls quick when alpha.cost.weight is large, whatever they compute.
	for _, quick := range []genotype.Op{genotype.MaxPool3x3, genotype.SepConv3x3} {
		set := []string{"network.nodes=2", "data.subset=24", "alpha.weight_decay=0", "alpha.lr=0.3", "space.operations=[max_pool_3x3, sep_conv_3x3, dil_conv_5x5]"}
		file := tableFor(t, func(l latency.Layer) float64 {
			if l.Op == quick {
				return 1e-4
			}
			return 2e-4
		}, set...)
		c := fixture.Tiny(t, append(set, "alpha.cost.weight=1000", "alpha.cost.of=latency", "alpha.cost.table="+file)...)
		found, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for kind := range genotype.ConvolutionalKinds {
			for _, edge := range found.Genotype.Cell(kind).Edges {
				if edge.Op != quick {
					t.Errorf("%v has %s, quick is %s", kind, edge.Op, quick)
				}
			}
		}
	}
}

func TestLatencyStrategies(t *testing.T) {
	// Searches that count latency keep the contract of strategies: valid cells, the same bytes after any interruption.
	if testing.Short() {
		t.Skip("-short: many searches")
	}
	for _, test := range []struct {
		name string
		set  []string
		more func(table string) []string
	}{
		{"darts", nil, func(table string) []string {
			return []string{"alpha.cost.weight=1", "alpha.cost.of=latency", "alpha.cost.table=" + table}
		}},
		{"evolution", []string{"strategy.name=evolution", "strategy.trials=3", "strategy.evolution.population=2", "epochs=1"}, func(table string) []string {
			return []string{"strategy.cost.of=latency", "strategy.cost.table=" + table, "space.latency.most=1", "space.latency.table=" + table}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := tableFor(t, uneven, test.set...)
			nastest.TestStrategy(t, fixture.Tiny(t, append(test.set, test.more(file)...)...))
		})
	}
}

func TestLatencyBound(t *testing.T) {
	// Random search tries only cells within space.latency.most by the table, and its front is by latency, when both are given.
	set := []string{"strategy.name=random", "strategy.trials=6", "epochs=1", "network.nodes=1", "space.operations=[max_pool_3x3, sep_conv_3x3]", "data.subset=24"}
	file := tableFor(t, uneven, set...)
	sizes, err := images.Sizes(fixture.Tiny(t, set...))
	if err != nil {
		t.Fatal(err)
	}
	table, err := latency.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	times := images.NewLatencies(fixture.Tiny(t, set...), sizes, table.Rows)
	tried := func(dir string, more ...string) (seconds []float64, front []runfolder.FrontCell) {
		t.Helper()
		found, err := search.Run(t.Context(), dir, fixture.Tiny(t, append(set, more...)...), nas.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for trial := range 6 {
			g, err := runfolder.ReadGenotype(filepath.Join(dir, "trial-"+string(rune('1'+trial))))
			if err != nil {
				t.Fatal(err)
			}
			seconds = append(seconds, times.Cell(g))
		}
		return seconds, found.Front
	}
	free, front := tried(filepath.Join(t.TempDir(), "run"), "strategy.cost.of=latency", "strategy.cost.table="+file)
	if len(front) == 0 {
		t.Fatal("no front")
	}
	for i, f := range front {
		if f.Cost != free[f.Trial-1] || i > 0 && (f.Cost <= front[i-1].Cost || f.ValidError >= front[i-1].ValidError) {
			t.Errorf("cell %d of the front: %+v after %+v; trials take %v", i, f, front[max(i-1, 0)], free)
		}
	}
	least, most := slices.Min(free), slices.Max(free)
	bounded, _ := tried(filepath.Join(t.TempDir(), "run"), "space.latency.most="+number((least+most)/2), "space.latency.table="+file)
	if got := slices.Max(bounded); got > (least+most)/2 {
		t.Errorf("a cell takes %v s, the bound is %v s", got, (least+most)/2)
	}
	c := fixture.Tiny(t, append(set, "space.latency.most=1e-5", "space.latency.table="+file)...)
	want := "nas: space.latency.most: 0.00001 s, of 200 random cells the smallest makes a network of "
	if _, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{}); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s...", err, want)
	}
}

func TestTableOfRun(t *testing.T) {
	// A run goes on with the table that it began with only, rows that it does not read aside, and is refused without a trace when a row is missing.
	set := []string{"network.nodes=1", "data.subset=24", "space.operations=[max_pool_3x3, sep_conv_3x3]"}
	file := tableFor(t, uneven, set...)
	cost := func(more ...string) *config.Config {
		return fixture.Tiny(t, append(append(set, "alpha.cost.weight=1", "alpha.cost.of=latency", "alpha.cost.table="+file), more...)...)
	}
	dir := filepath.Join(t.TempDir(), "run")
	stop := nas.Hooks{OnEpoch: func(*nas.Run, *nas.Epoch) error { return context.Canceled }}
	if _, err := search.Run(t.Context(), dir, cost(), nas.Settings{Hooks: []nas.Hooks{stop}}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	table, err := latency.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	change := func(row int, by float64) {
		t.Helper()
		table.Rows[row].Seconds += by
		if err := table.Write(file); err != nil {
			t.Fatal(err)
		}
	}
	goOn := func() error {
		_, err := search.Run(t.Context(), dir, cost(), nas.Settings{Hooks: []nas.Hooks{stop}})
		return err
	}
	change(3, 0.5)
	want := "nas: alpha.cost.table: " + file + " has other times than when the run in " + dir + " began: " + table.Rows[3].Layer.String() + " takes "
	if err := goOn(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("another table: %v, want %s...", err, want)
	}
	change(3, -0.5)
	table.Rows[3].Seconds = uneven(table.Rows[3].Layer)
	table.Add(latency.Row{Layer: latency.Layer{Op: genotype.DilConv3x3, Channels: 2, Side: 8, Stride: 1}, Seconds: 1})
	change(0, 0)
	if err := goOn(); !errors.Is(err, context.Canceled) { // at the end of the next epoch
		t.Errorf("the same table with one more row: %v", err)
	}
	kept := filepath.Join(dir, runfolder.LatenciesFile)
	if err := os.WriteFile(kept, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := goOn(); err == nil || !strings.Contains(err.Error(), kept) || !strings.Contains(err.Error(), "restore it, or delete it") {
		t.Errorf("a damaged record of the table: %v", err)
	}
	other := filepath.Join(t.TempDir(), "run")
	_, err = search.Run(t.Context(), other, cost("space.operations=[max_pool_3x3, sep_conv_5x5]"), nas.Settings{})
	want = "nas: alpha.cost.table: " + file + " has no row for sep_conv_5x5, 36 channels, side 8, stride 1 (and 4 more): `darts latency CONFIG --table " + file + "` measures what it lacks"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := os.Stat(other); !os.IsNotExist(err) {
		t.Errorf("the refused run left its folder: %v", err)
	}
}

// number prints x so that it reads back to the same bits.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
