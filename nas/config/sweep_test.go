package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sweepFiles are a sweep and its base.
func sweepFiles(sweep string) map[string]string {
	return map[string]string{
		"s.yaml": "experiment: sweep\nbase: b.yaml\n" + sweep,
		"b.yaml": "experiment: search\nseed: 4\nepochs: 7\ndata: {name: digits}\nexpect: {test_error: 3}",
		"t.yaml": "experiment: train\ndata: {name: digits}",
	}
}

// points lists what the runs of a sweep have, a text for each.
func points(t *testing.T, sweep string, set ...string) (all []string) {
	t.Helper()
	s, err := LoadSweep(filepath.Join(write(t, sweepFiles(sweep)), "s.yaml"), set...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Points {
		for _, c := range p.Runs {
			all = append(all, fmt.Sprintf("lr %g, alpha %g, epochs %d, seed %d", c.W.LR, c.Alpha.LR, c.Epochs, c.Seed))
			if c.Expect != nil {
				t.Error("a run has the published figure of the base")
			}
		}
	}
	return all
}

func TestLoadSweep(t *testing.T) {
	// A sweep has a run for each combination of lists, for each listed run, or for each draw, with each seed, and items of the command line change it and its base.
	for _, test := range []struct {
		name, sweep string
		set, want   []string
	}{
		{"nothing", "", nil, []string{"lr 0.025, alpha 0.0003, epochs 7, seed 4"}},
		{"grid", "keys: {w.lr: [0.1, 0.2], epochs: [1, 2]}", nil, []string{
			"lr 0.1, alpha 0.0003, epochs 1, seed 4", "lr 0.1, alpha 0.0003, epochs 2, seed 4",
			"lr 0.2, alpha 0.0003, epochs 1, seed 4", "lr 0.2, alpha 0.0003, epochs 2, seed 4"}},
		{"list", "keys:\n- {w.lr: 0.1, alpha.lr: 1e-2}\n- epochs: 2", nil, []string{"lr 0.1, alpha 0.01, epochs 7, seed 4", "lr 0.025, alpha 0.0003, epochs 2, seed 4"}},
		{"seeds", "seeds: [9, 1]", nil, []string{"lr 0.025, alpha 0.0003, epochs 7, seed 9", "lr 0.025, alpha 0.0003, epochs 7, seed 1"}},
		{"draws", "keys: {w.lr: [0.1, 0.2], alpha.lr: {from: 1e-4, to: 1e-2, scale: log}, epochs: {from: 1, to: 9}}\ndraws: 2", nil,
			[]string{"lr 0.2, alpha 0.00925, epochs 9, seed 4", "lr 0.2, alpha 0.009516, epochs 3, seed 4"}},
		{"halving", "halving: {rungs: [1, 3]}", nil, []string{"lr 0.025, alpha 0.0003, epochs 3, seed 4"}},
		{"items", "keys: {w.lr: [0.1, 0.2]}", []string{"keys={alpha.lr: [1]}", "base.w.lr=0.5", "seeds=2"}, []string{"lr 0.5, alpha 1, epochs 7, seed 4", "lr 0.5, alpha 1, epochs 7, seed 5"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, points(t, test.sweep, test.set...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadSweepErrors(t *testing.T) {
	// One line names file, line, key and what is right when a sweep cannot be made.
	for _, test := range []struct{ name, sweep, want string }{
		{"unknown key", "keys:\n  w.lrr: [1]", `config: D/s.yaml:4: unknown key "w.lrr" (nearest: "w.lr")`},
		{"wrong value", "keys:\n  alpha.lr: [1]\n  w.lr: [fast]", `config: D/s.yaml:5: w.lr: given text "fast", want a number`},
		{"out of range", "keys:\n- {w.lr: 1}\n- {w.lr: -1}", "config: D/s.yaml:5: w.lr: given -1, want more than 0"},
		{"not of the experiment", "keys:\n  genotype: [DARTS_V1]", `config: D/s.yaml:4: key "genotype" does not apply to experiment search, only to train`},
		{"keys that do not agree", "keys:\n  w.lr: [0.1]\n  w.lr_min: [0.2]", "config: D/s.yaml:5: w.lr_min: 0.2 is above w.lr 0.1, want at most that"},
		{"a seed", "keys: {seed: [1]}", "config: D/s.yaml:3: keys: seed belongs in seeds"},
		{"epochs beside rungs", "keys: {epochs: [1]}\nhalving: {rungs: [1, 2]}", "config: D/s.yaml:3: keys: epochs belongs in halving.rungs"},
		{"a range", "keys: {w.lr: {from: 1, to: 2}}", "config: D/s.yaml:3: keys.w.lr: a range without draws, want a list, or draws: N"},
		{"half a range", "keys: {w.lr: {from: 1}}", "config: D/s.yaml:3: keys: given a mapping, want a range {from: A, to: B, scale: linear or log} with numbers A < B, both above 0 on the scale log; that of w.lr is a mapping"},
		{"too many draws", "keys: {w.lr: [1, 2]}\ndraws: 3", "config: D/s.yaml: draws: 3 of 2 combinations, want at most that, or 0 for all"},
		{"too many whole numbers", "keys: {epochs: {from: 1, to: 2}}\ndraws: 3", "config: D/s.yaml: draws: 3, but keys have only about 2 combinations, want at most that"},
		{"draws of a list", "keys: [{w.lr: 1}]\ndraws: 3", "config: D/s.yaml: draws: has no effect on a list of runs, want 0"},
		{"too many", "keys: {w.lr: [" + strings.Repeat("1, ", 200) + "1]}\nseeds: 1000", "config: D/s.yaml: keys: 201000 runs with the seeds, want at most 10000"},
		{"mistyped sweep key", "halfing: {}", `config: D/s.yaml:3: unknown key "halfing" (nearest: "halving")`},
		{"no base", "base: null", `config: D/s.yaml:3: key "base" is given twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := write(t, sweepFiles(test.sweep))
			_, err := LoadSweep(filepath.Join(dir, "s.yaml"))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, strings.ReplaceAll(err.Error(), dir, "D")); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, test := range []struct{ set, want string }{
		{"base=x.yaml", "config: D/s.yaml: base: config: open D/x.yaml: no such file or directory (nearest: D/b.yaml)"},
		{"base=s.yaml", "config: D/s.yaml: base: D/s.yaml is a sweep experiment, want a search or train experiment"},
		{"base=t.yaml", "config: D/s.yaml: halving: D/t.yaml has data.train_portion 1, want less: runs are compared on the training images that they hold out"},
	} {
		dir := write(t, sweepFiles("halving: {rungs: [1, 2]}"))
		if _, err := LoadSweep(filepath.Join(dir, "s.yaml"), test.set); err == nil || strings.ReplaceAll(err.Error(), dir, "D") != test.want {
			t.Errorf("%s: got %v\nwant %s", test.set, err, test.want)
		}
	}
}

func TestSweepExperiments(t *testing.T) {
	// A sweep that is read back from its folder has no other keys than the one that was written.
	s, err := LoadSweep(filepath.Join(write(t, sweepFiles("keys: {w.lr: [0.1, 2e-1], space.operations: [[skip_connect, sep_conv_3x3], []], data.root: ['a b', \"{\"]}\nhalving: {rungs: [2, 4]}\nseeds: [3]")), "s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := Files(s.Experiments())
	if err != nil {
		t.Fatal(err)
	}
	var read []Experiment
	for _, e := range s.Experiments() {
		c, err := Parse(e.File(), files[e.File()])
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, Experiment{e.Name, c})
	}
	if lines := DiffExperiments(s.Experiments(), read, "written", "read"); len(lines) > 0 {
		t.Errorf("%q\n%s", lines, files["sweep.yaml"])
	}
}
