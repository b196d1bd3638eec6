package nasbench201

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/config"
	"godarts/nas/report"
)

// load reads a config of configs/ and applies set to it.
func load(t *testing.T, name string, set ...string) *config.Config {
	t.Helper()
	c, err := config.Load("../../configs/"+name, set...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func compare(t *testing.T, table *Table, c *config.Config, workers int) report.TableComparison {
	t.Helper()
	comparison, err := table.Compare(context.Background(), c, workers)
	if err != nil {
		t.Fatal(err)
	}
	return comparison
}

func TestCompare(t *testing.T) {
	// A comparison is the same with any number of workers, differs for other seeds, and agrees with the table.
	table := Synthetic()
	c := load(t, "nasbench201.toy.yaml")
	one := compare(t, table, c, 1)
	if diff := cmp.Diff(one, compare(t, table, c, 7)); diff != "" {
		t.Errorf("with 7 workers: %s", diff)
	}
	shifted := *c
	shifted.Seed = 1
	for i, entry := range compare(t, table, &shifted, 2).Entries {
		if cmp.Equal(one.Entries[i].Runs, entry.Runs) {
			t.Errorf("%s: other seeds give the same searches", entry.Name)
		}
		if diff := cmp.Diff(one.Entries[i].Runs[1:], entry.Runs[:len(entry.Runs)-1]); diff != "" {
			t.Errorf("%s: a seed's search depends on its place: %s", entry.Name, diff)
		}
	}
	for _, entry := range one.Entries {
		for _, run := range entry.Runs {
			cell, err := ParseCell(run.Cell)
			if err != nil {
				t.Fatal(err)
			}
			r := table.Result(cell)
			want := []float64{r.Test200[CIFAR10], r.Test200[CIFAR100], r.Test200[ImageNet16]}
			if !cmp.Equal(run.Judged, want) || run.Told != r.Valid12[CIFAR10] || len(run.Trace) != one.Queries || run.Trace[one.Queries-1] != want[0] {
				t.Errorf("%s, seed %d: %+v, the table has %+v", entry.Name, run.Seed, run, r)
			}
		}
	}
}

func TestCompareKeys(t *testing.T) {
	// Each key of the config changes the strategies it belongs to, and no other.
	table := Synthetic()
	plain := compare(t, table, load(t, "nasbench201.toy.yaml"), 2)
	for _, test := range []struct {
		set     string
		changed [3]bool // random, evolution, reinforce
	}{
		{"compare.dataset=cifar100", [3]bool{true, true, true}},
		{"compare.queries=30", [3]bool{true, true, true}},
		{"compare.evolution.population=5", [3]bool{false, true, false}},
		{"compare.evolution.sample=2", [3]bool{false, true, false}},
		{"compare.reinforce.lr=0.01", [3]bool{false, false, true}},
		{"compare.reinforce.momentum=0.1", [3]bool{false, false, true}},
	} {
		t.Run(test.set, func(t *testing.T) {
			got := compare(t, table, load(t, "nasbench201.toy.yaml", test.set), 2)
			for i, entry := range got.Entries {
				if changed := !cmp.Equal(entry.Runs, plain.Entries[i].Runs); changed != test.changed[i] {
					t.Errorf("%s: changed is %v, want %v", entry.Name, changed, test.changed[i])
				}
			}
		})
	}
	if got := compare(t, table, load(t, "nasbench201.toy.yaml", "compare.dataset=imagenet16"), 1); got.Judged[0] != "ImageNet16-120" || got.Best[0] != table.Best(ImageNet16) {
		t.Errorf("judged by %v, best %v", got.Judged, got.Best)
	}
}

func TestCompareStops(t *testing.T) {
	// Compare returns the context's error when that is done.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Synthetic().Compare(ctx, load(t, "nasbench201.toy.yaml"), 2); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestPublished(t *testing.T) {
	// Means on the published table are the published ones by the benchmark's settings, and the order of the strategies is right by better settings.
	table := realTable(t)
	set := []string{}
	slack := 0.0
	if testing.Short() {
		// 50 seeds instead of 500 have a standard error of 0.05 instead of 0.016.
		set, slack = []string{"compare.seeds=50"}, 0.1
	}
	// Random search and evolution by the benchmark's own settings reach what was published.
	// REINFORCE by the learning rate of its scripts does not, here, in 100 queries.
	comparison := compare(t, table, load(t, "nasbench201.yaml", set...), runtime.NumCPU())
	for i, want := range []struct{ least, most float64 }{{93.65, 93.75}, {93.87, 93.97}, {93.05, 93.25}} {
		entry := comparison.Entries[i]
		if got := entry.Judged(0); got.Mean < want.least-slack || got.Mean > want.most+slack {
			t.Errorf("%s: %v, want a mean of %v to %v", entry.Name, got, want.least-slack, want.most+slack)
		}
		if entry.Published == nil {
			t.Errorf("%s: no published figure", entry.Name)
		}
	}
	set = append(set, "compare.evolution.sample=10", "compare.reinforce.lr=0.1")
	comparison = compare(t, table, load(t, "nasbench201.yaml", set...), runtime.NumCPU())
	for i, published := range []bool{true, false, false} {
		if entry := comparison.Entries[i]; (entry.Published != nil) != published {
			t.Errorf("%s by settings of our own: published %v", entry.Name, entry.Published)
		}
	}
	random, reinforce, evolution := comparison.Entries[0].Judged(0).Mean, comparison.Entries[2].Judged(0).Mean, comparison.Entries[1].Judged(0).Mean
	if !(random < reinforce && reinforce < evolution) {
		t.Errorf("random %.2f, reinforce %.2f, evolution %.2f: want this order", random, reinforce, evolution)
	}
}

func TestBestIsFound(t *testing.T) {
	// A search finds the cell with the best score, not the last one.
	table := Synthetic()
	before := compare(t, table, load(t, "nasbench201.toy.yaml", "compare.queries=20"), 2)
	after := compare(t, table, load(t, "nasbench201.toy.yaml", "compare.queries=25"), 2)
	same := 0
	for i, entry := range before.Entries {
		for j, run := range entry.Runs {
			switch later := after.Entries[i].Runs[j].Told; {
			case later < run.Told:
				t.Errorf("%s, seed %d: told %v in 20 queries, %v in 25", entry.Name, run.Seed, run.Told, later)
			case later == run.Told:
				same++
			}
		}
	}
	if same == 0 {
		t.Error("every search found a better cell at last, which shows nothing")
	}
}
