package search_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

// costly are searches with alpha.cost, in each of which α can go as far as it wants.
var costly = []struct {
	name, file string
	set        []string
}{
	{"darts, first order", "tiny.yaml", []string{"strategy.order=1"}},
	{"darts, second order", "tiny.yaml", []string{"strategy.order=2"}},
	{"pc-darts", "tiny.yaml", []string{"strategy.name=pc-darts", "network.channels=8", "strategy.warmup=0"}},
	{"gdas", "tiny.yaml", []string{"strategy.name=gdas", "network.layers=3"}},
	{"p-darts", "tiny-p-darts.yaml", []string{"data.subset=32", "data.batch=8", "epochs=6", "strategy.warmup=0", "strategy.drop=[1, 1]"}},
}

func TestCostWeight(t *testing.T) {
	// A search ends in cells without multiply-adds when alpha.cost.weight is large, and its expected cost falls.
	for _, test := range costly {
		t.Run(test.name, func(t *testing.T) {
			set := append([]string{
				"alpha.cost.weight=1000", "alpha.lr=0.3", "network.nodes=2", "data.subset=24", "alpha.weight_decay=0",
				"space.operations=[max_pool_3x3, sep_conv_3x3, dil_conv_5x5]",
			}, test.set...)
			c := fixture.Load(t, "../testdata/"+test.file, set...)
			dir := filepath.Join(t.TempDir(), "run")
			found, err := search.Run(t.Context(), dir, c, nas.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			for kind := range genotype.ConvolutionalKinds {
				for _, edge := range found.Genotype.Cell(kind).Edges {
					if edge.Op != genotype.MaxPool3x3 {
						t.Errorf("%v has %s", kind, edge.Op)
					}
				}
			}
			r, err := record.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			last := r.Epochs[len(r.Epochs)-1]
			if last.ExpectedCost == nil { // p-darts has dropped all that costs anything
				last = r.Epochs[1]
			}
			if first := r.Epochs[0]; first.ExpectedCost == nil || *last.ExpectedCost >= *first.ExpectedCost {
				t.Errorf("expected cost %v in the first epoch, %v in the last", first.ExpectedCost, last.ExpectedCost)
			}
		})
	}
}

func TestCostTarget(t *testing.T) {
	// The expected cost comes to a target between the least and the most when the weight is large, for multiply-adds and parameters.
	if testing.Short() {
		t.Skip("-short: six searches")
	}
	for _, of := range []string{"multiply-adds", "parameters"} {
		t.Run(of, func(t *testing.T) {
			set := []string{
				"alpha.cost.of=" + of, "alpha.cost.weight=1000", "alpha.lr=0.02", "network.nodes=1", "data.subset=64", "data.batch=4", "epochs=6", "alpha.weight_decay=0",
				"space.operations=[max_pool_3x3, sep_conv_3x3]",
			}
			expected := func(more ...string) (first, last float64) {
				t.Helper()
				dir := filepath.Join(t.TempDir(), "run")
				if _, err := search.Run(t.Context(), dir, fixture.Load(t, "../testdata/tiny.yaml", append(set, more...)...), nas.Settings{}); err != nil {
					t.Fatal(err)
				}
				r, err := record.Read(dir)
				if err != nil {
					t.Fatal(err)
				}
				return *r.Epochs[0].ExpectedCost, *r.Epochs[len(r.Epochs)-1].ExpectedCost
			}
			high, low := expected()
			target := (high + 2*low) / 3
			_, got := expected("alpha.cost.target=" + strconv.FormatFloat(target, 'f', 0, 64))
			if got < target-0.03*(high-low) || got > target+0.03*(high-low) {
				t.Errorf("ends at %.0f, the target is %.0f, without a target from %.0f to %.0f", got, target, high, low)
			}
		})
	}
}

func TestCostOfFreeSpace(t *testing.T) {
	// A search is refused when no operation of its space costs anything.
	c := fixture.Load(t, "../testdata/tiny.yaml", "alpha.cost.weight=1", "space.operations=[max_pool_3x3, avg_pool_3x3]")
	_, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{})
	if err == nil || !strings.Contains(err.Error(), "nas: alpha.cost: no operation of the space costs anything") {
		t.Errorf("got %v", err)
	}
}

func TestFront(t *testing.T) {
	// The front of a search with two objectives has each cell that was tried and that no other beats in both, once, and only those.
	c := fixture.Tiny(t, "strategy.name=evolution", "strategy.cost.of=parameters", "strategy.trials=9", "strategy.evolution.population=3", "epochs=1")
	dir := filepath.Join(t.TempDir(), "run")
	found, err := search.Run(t.Context(), dir, c, nas.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var tried []runfolder.TrainResult
	for trial := range 9 {
		folder := filepath.Join(dir, fmt.Sprintf("trial-%d", trial+1))
		of, err := runfolder.ReadConfig(folder)
		if err != nil {
			t.Fatal(err)
		}
		var r runfolder.TrainResult
		if err := runfolder.ReadResult(folder, of, &r); err != nil {
			t.Fatal(err)
		}
		tried = append(tried, r)
	}
	want := 0
	for i, r := range tried {
		beaten := slices.ContainsFunc(tried, func(o runfolder.TrainResult) bool {
			return o.ValidError <= r.ValidError && o.Parameters <= r.Parameters && (o.ValidError < r.ValidError || o.Parameters < r.Parameters)
		})
		same := func(o runfolder.TrainResult) bool { return o.Genotype.String() == r.Genotype.String() }
		if beaten || slices.ContainsFunc(tried[:i], same) {
			continue
		}
		want++
		if !slices.ContainsFunc(found.Front, func(f runfolder.FrontCell) bool {
			return f.Trial == i+1 && f.Cost == float64(r.Parameters) && math.Abs(f.ValidError-r.ValidError) < 1e-9
		}) {
			t.Errorf("trial %d is not on the front: %+v", i+1, r)
		}
	}
	if want == 0 || len(found.Front) != want {
		t.Errorf("%d cells on the front, want %d", len(found.Front), want)
	}
}
