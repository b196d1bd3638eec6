package runtable_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/runtable"
	_ "godarts/nas/search"
)

// run is a record of a run of a config.
func run(t *testing.T, dir, text string, state record.State) *record.Run {
	t.Helper()
	c, err := config.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &record.Run{Dir: dir, Config: c, State: state}
}

func published(t *testing.T, name string) genotype.Genotype {
	t.Helper()
	g, err := genotype.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// searches are five runs with all that a table shows.
func searches(t *testing.T) (all []*record.Run) {
	t.Helper()
	for seed := range 3 {
		r := run(t, fmt.Sprintf("/runs/second-%d", seed), fmt.Sprintf(`experiment: search
strategy: {name: darts, order: 2}
data: {name: digits}
evaluate: {random: 2}
seed: %d
expect: {test_error: 2.76, std: 0.09, source: a}
`, seed), record.Done)
		evaluation := func(name string, e float64) runfolder.TrainResult {
			return runfolder.TrainResult{Name: name, Tested: &runfolder.Tested{TestError: e}, Parameters: 3e6}
		}
		g := published(t, "DARTS_V1")
		if seed == 1 {
			g.Reduce = g.Normal
		}
		r.Search = &runfolder.SearchResult{Genotype: g, Evaluations: []runfolder.TrainResult{
			evaluation("found", 3+float64(seed)), evaluation("random-1", 5), evaluation("random-2", 6)}}
		r.Epochs = []runfolder.Metric{{ValidAccuracy: new(0.5), Observation: &runfolder.Observation{Parameters: 2e6, MultiplyAdds: 5e8}},
			{Epoch: 1, ValidAccuracy: new(0.875)}}
		r.Timings = []runfolder.Timing{{Seconds: 100}, {Epoch: 1, Seconds: 5400}}
		all = append(all, r)
	}
	all[2].State, all[2].Search = record.Diverged, nil
	first := run(t, "/runs/first", "experiment: search\nstrategy: {name: darts}\ndata: {name: digits}\nevaluate: {random: 2}\n", record.Running)
	training := run(t, "/runs/deep/training", "experiment: train\ngenotype: DARTS_V1\ndata: {name: digits}\n", record.Done)
	training.Train = &runfolder.TrainResult{Genotype: published(t, "DARTS_V1"), Tested: &runfolder.Tested{TestError: 4}, Parameters: 12345}
	return append(all, first, training)
}

func TestOf(t *testing.T) {
	// A table has the keys in which runs differ, what each reached, and what it took; runs of other seeds fold into one.
	for name, test := range map[string]struct {
		options runtable.Options
		want    string
	}{
		"each": {runtable.Options{}, `
| run | experiment | strategy | cell | strategy.order | seed | validation error, % | test error, % | random cells, % | published, % | parameters, M | multiply-adds, M | search time, h | state |
| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| second-0 | search | darts | DARTS_V1 | 2 | 0 | 12.50 | 3.00 | 5.50 ± 0.71 | 2.76 ± 0.09 | 3.000 | 500.00 | 1.50 | done |
| second-1 | search | darts | cell 1 | 2 | 1 | 12.50 | 4.00 | 5.50 ± 0.71 | 2.76 ± 0.09 | 3.000 | 500.00 | 1.50 | done |
| second-2 | search | darts |  | 2 | 2 | 12.50 |  |  | 2.76 ± 0.09 | 2.000 | 500.00 | 1.50 | diverged |
| first | search | darts |  | 1 | 2 |  |  |  |  |  |  |  | running |
| deep/training | train |  | DARTS_V1 |  | 0 |  | 4.00 |  |  | 0.012 |  |  | done |
`},
		"folded": {runtable.Options{Fold: true}, `
| run | experiment | strategy | cell | strategy.order | runs | validation error, % | best validation error, % | test error, % | best test error, % | random cells, % | published, % | parameters, M | multiply-adds, M | search time, h | state |
| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| second-* | search | darts |  | 2 | 3 | 12.50 ± 0.00 | 12.50 | 3.50 ± 0.71 | 3.00 | 5.50 ± 0.58 | 2.76 ± 0.09 | 2.667 ± 0.577 | 500.00 ± 0.00 | 1.50 ± 0.00 | 2 done, 1 diverged |
| first | search | darts |  | 1 | 1 |  |  |  |  |  |  |  |  |  | running |
| deep/training | train |  | DARTS_V1 |  | 1 |  |  | 4.00 | 4.00 |  |  | 0.012 |  |  | done |
`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), runtable.Of(searches(t), test.options).Markdown()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCellsInCSV(t *testing.T) {
	// CSV has the whole cell that a run trains or has found so far, though readers do not see it where each has its own.
	first := run(t, "/runs/first", "experiment: search\ndata: {name: digits}\n", record.Running)
	first.Epochs = []runfolder.Metric{{Genotype: published(t, "DARTS_V1").String()}, {Epoch: 1}}
	second := run(t, "/runs/second", "experiment: search\ndata: {name: digits}\n", record.Running)
	table := runtable.Of([]*record.Run{first, second}, runtable.Options{})
	if text := table.Text(80); strings.Contains(text, "cell") {
		t.Errorf("got %s", text)
	}
	rows, err := csv.NewReader(strings.NewReader(table.CSV())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if rows[0][2] != "genotype" || rows[1][2] != published(t, "DARTS_V1").String() || rows[2][2] != "" {
		t.Errorf("got %q", rows)
	}
}

func TestNames(t *testing.T) {
	// Runs are named by their paths below the folder that holds all.
	for name, test := range map[string]struct{ dirs, want []string }{
		"none":     {nil, nil},
		"one":      {[]string{"/a/b/run"}, []string{"run"}},
		"beside":   {[]string{"/a/b/x", "/a/b/y"}, []string{"x", "y"}},
		"deep":     {[]string{"/a/b/x/found", "/a/c"}, []string{"b/x/found", "c"}},
		"in a run": {[]string{"/a/run", "/a/run/found"}, []string{"run", "run/found"}},
		"twice":    {[]string{"/a/run", "/a/run"}, []string{"run", "run"}},
		"the root": {[]string{"/", "/a"}, []string{"/", "a"}},
		"alike":    {[]string{"/a/run", "/a/run-2"}, []string{"run", "run-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			var runs []*record.Run
			for _, dir := range test.dirs {
				runs = append(runs, &record.Run{Dir: dir})
			}
			if diff := cmp.Diff(test.want, runtable.Names(runs)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
