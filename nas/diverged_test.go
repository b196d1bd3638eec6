package nas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
)

// spoiled are settings under which the runs in folders of those names diverge in their first
// step. Steps are counted by the folder's name, lines are what Progress says.
func spoiled(names ...string) (s nas.Settings, steps map[string]int, lines *[]string) {
	steps, lines = map[string]int{}, new([]string)
	spoil := nas.Hooks{OnStep: func(r *nas.Run, s *nas.Step) error {
		name := filepath.Base(r.Dir)
		steps[name]++
		if slices.Contains(names, name) {
			return &runfolder.DivergedError{Epoch: 1, Step: 1, What: "the loss is NaN", LR: s.LR}
		}
		return nil
	}}
	s.Hooks = []nas.Hooks{spoil, nas.Progress(fixture.Writer(func(line string) { *lines = append(*lines, line) }), nil)}
	return s, steps, lines
}

func TestMeasuredNotFinite(t *testing.T) {
	// A run ends with the divergence error, epoch and step from 1, when the loss measured after an epoch is no number.
	for _, test := range []struct {
		name, text string
		run        func(string, *config.Config) error
		want       string
	}{
		{"training", "experiment: train\ndata: {name: synthetic, size: 8, subset: 16, batch: 16}\nnetwork: {channels: 2, layers: 3}\nepochs: 2\nw: {lr: 1e10}", func(dir string, c *config.Config) error {
			_, err := train.Run(t.Context(), dir, c, nas.Settings{})
			return err
		}, "test"},
		{"search", "experiment: search\nstrategy: {name: darts, order: 1}\ndata: {name: synthetic, size: 8, subset: 16, batch: 8}\nnetwork: {channels: 2, layers: 3, nodes: 2}\nepochs: 2\nw: {lr: 1e10}", func(dir string, c *config.Config) error {
			_, err := search.Run(t.Context(), dir, c, nas.Settings{})
			return err
		}, "validation"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := config.Parse("test", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "run")
			err = test.run(dir, c)
			var diverged *runfolder.DivergedError
			if !errors.As(err, &diverged) || diverged.Epoch < 1 || diverged.Step != 1 || !strings.Contains(diverged.What, "the "+test.want+" loss is ") {
				t.Fatalf("got error %v", err)
			}
			known, err := runfolder.ReadDivergence(dir)
			if err != nil || known == nil || *known != *diverged {
				t.Errorf("the folder says %+v, error %v, want %+v", known, err, diverged)
			}
		})
	}
}

func TestTrialDiverges(t *testing.T) {
	// A search goes on with the next cell when the training of one diverges, and a resume neither repeats it nor ends at it.
	for _, strategy := range []string{"random", "evolution", "reinforce"} {
		t.Run(strategy, func(t *testing.T) {
			set := []string{"strategy.name=" + strategy, "strategy.trials=4", "epochs=1", "data.subset=24"}
			if strategy == "evolution" {
				set = append(set, "strategy.evolution.population=2")
			}
			s, steps, lines := spoiled("trial-1", "trial-3")
			ctx, cancel := context.WithCancel(t.Context())
			s.Hooks = append(s.Hooks, nas.Hooks{OnStart: func(r *nas.Run) error {
				if filepath.Base(r.Dir) == "trial-4" {
					cancel()
				}
				return nil
			}})
			dir := filepath.Join(t.TempDir(), "run")
			if _, err := search.Run(ctx, dir, fixture.Tiny(t, set...), s); !errors.Is(err, context.Canceled) {
				t.Fatalf("got error %v", err)
			}
			if want := "note: cell 3/4 diverged at epoch 1, step 1: it counts as the worst\n"; !slices.Contains(*lines, want) {
				t.Errorf("no line %q in %q", want, *lines)
			}
			s, again, _ := spoiled()
			result, err := search.Run(t.Context(), dir, fixture.Tiny(t, set...), s)
			if err != nil {
				t.Fatal(err)
			}
			if steps["trial-1"] != 1 || steps["trial-3"] != 1 || again["trial-1"]+again["trial-2"]+again["trial-3"] > 0 || again["trial-4"] == 0 {
				t.Errorf("steps %v, after the interruption %v", steps, again)
			}
			for trial := 1; trial <= 4; trial++ {
				c, err := runfolder.ReadConfig(filepath.Join(dir, fmt.Sprintf("trial-%d", trial)))
				if err != nil {
					t.Fatal(err)
				}
				if found := result.Genotype.String() == c.Genotype; found && trial%2 == 1 {
					t.Errorf("found is the cell of trial %d, which diverged", trial)
				}
			}
			var kept []string
			for line := range bytes.Lines(fixture.Content(t, dir, runfolder.MetricsFile)) {
				var m map[string]any
				if err := json.Unmarshal(line, &m); err != nil {
					t.Fatal(err)
				}
				_, measured := m["valid_loss"]
				kept = append(kept, fmt.Sprint(m["diverged"] != nil, measured))
			}
			if want := []string{"true false", "false true", "true false", "false true"}; !slices.Equal(kept, want) {
				t.Errorf("metrics say %q, want %q", kept, want)
			}
		})
	}
}

func TestEveryTrialDiverges(t *testing.T) {
	// The search ends with one error that names the learning rate when every cell diverges, and so does a resume.
	c := fixture.Tiny(t, "strategy.name=random", "strategy.trials=2", "epochs=1", "data.subset=24", "w.lr=3")
	dir := filepath.Join(t.TempDir(), "run")
	for range 2 {
		s, steps, _ := spoiled("trial-1", "trial-2")
		_, err := search.Run(t.Context(), dir, c, s)
		want := "nas: every one of 2 cells diverged, w.lr 3 may be too high; the first: nas: epoch 1, step 1: the loss is NaN at learning rate "
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got error %v, want %s...", err, want)
		}
		if steps["trial-1"] > 1 {
			t.Errorf("steps %v", steps)
		}
	}
}

func TestEvaluationDiverges(t *testing.T) {
	// The other evaluations of a search go on when one diverges; the error at the end, and of a later call, names it.
	c := fixture.Tiny(t, "strategy.order=1", "epochs=0", "data.subset=24", "evaluate.random=2", "evaluate.epochs=1", "evaluate.batch=12",
		"evaluate.network.channels=2", "evaluate.network.layers=3")
	dir := filepath.Join(t.TempDir(), "run")
	for _, taken := range []bool{true, false} {
		s, steps, _ := spoiled("random-1")
		result, err := search.Run(t.Context(), dir, c, s)
		var failed *runfolder.FailedError
		want := "nas: 1 of 3 parts diverged: random-1: epoch 1, step 1: the loss is NaN at learning rate "
		if !errors.As(err, &failed) || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("got error %v, want %s...", err, want)
		}
		if (steps["random-2"] > 0) != taken {
			t.Errorf("steps %v", steps)
		}
		e := result.Evaluations
		if len(e) != 3 || e[0].Diverged != nil || e[0].Tested == nil || e[1].Diverged == nil || e[1].Tested != nil || e[2].Tested == nil {
			t.Errorf("got %+v", e)
		}
	}
}

func TestProtocolPartDiverges(t *testing.T) {
	// A protocol goes on without the parts that diverge, marks them in its report, and names them in its error, also in a later call.
	train, err := os.ReadFile("testdata/tiny-train.yaml")
	if err != nil {
		t.Fatal(err)
	}
	whole := fixture.WholeOf(t, "experiment: search\ndata: {name: digits, subset: 24, batch: 12}\nnetwork: {channels: 2, layers: 3, nodes: 1}\nepochs: 0\n", string(train),
		"repeat.trains=2", "repeat.brief.epochs=0", "train.epochs=1")
	dir := filepath.Join(t.TempDir(), "protocol")
	for call := range 2 {
		s, steps, _ := spoiled("train-1")
		r, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{Settings: s})
		want := "nas: 1 of 6 parts diverged: train-1: epoch 1, step 1: the loss is NaN at learning rate "
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("got error %v, want %s...", err, want)
		}
		if len(r.Trainings) != 1 || r.TestError.N != 1 || len(r.FailedTrainings) != 1 || r.FailedTrainings[0].Name != "train-1" {
			t.Errorf("got %+v", r)
		}
		if text := r.Text(); !strings.Contains(text, "train-1") || !strings.Contains(text, "diverged") {
			t.Errorf("the report is %s", text)
		}
		if call > 0 && len(steps) > 0 {
			t.Errorf("the second call takes steps: %v", steps)
		}
	}
}

func TestComparisonPartDiverges(t *testing.T) {
	// A comparison goes on without the search and the training that diverge, and marks them.
	searching := fixture.Tiny(t, "strategy.name=random", "strategy.trials=1", "epochs=1", "data.subset=24")
	other := fixture.Tiny(t, "strategy.order=1", "epochs=0", "data.subset=24")
	training := fixture.Load(t, "testdata/tiny-train.yaml", "epochs=1")
	comparison := &config.NetworkComparison{Compare: config.Defaults(config.Comparison), Searches: []*config.Config{searching, other}, Names: []string{"random", "darts"}, Train: training}
	comparison.Compare.Compare.Seeds = 2
	dir := t.TempDir()
	for call := range 2 {
		s, steps, _ := spoiled("trial-1", "train-0")
		r, err := plan.Compare(t.Context(), dir, comparison, plan.ComparisonSettings{Settings: plan.Settings{Settings: s}, Search: func(ctx context.Context, dir string, c *config.Config) (plan.Cost, error) {
			_, err := search.Run(ctx, dir, c, s)
			if err != nil {
				err = errors.New("exit status 1") // a process reports no more
			}
			return plan.Cost{Seconds: 1}, err
		}})
		want := "nas: 2 of 6 parts diverged: random/search: epoch 1, step 1: the loss is NaN at learning rate "
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "; darts/train-0: ") {
			t.Fatalf("got error %v, want %s...", err, want)
		}
		if len(r.Entries) != 2 || len(r.Entries[1].TestErrors) != 1 || math.IsNaN(r.Entries[1].TestErrors[0]) {
			t.Errorf("got %+v", r)
		}
		for _, want := range []string{"diverged (search)", "% of 1 (diverged: train-0)"} {
			if !strings.Contains(r.Text(), want) || !strings.Contains(r.Markdown(), want) {
				t.Errorf("no %q in %s", want, r.Text())
			}
		}
		if call > 0 && len(steps) > 0 {
			t.Errorf("the second call takes steps: %v", steps)
		}
	}
}
