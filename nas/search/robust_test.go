package search_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/search"
)

// small is a space of few passes.
const small = "space.operations=[none, skip_connect, max_pool_3x3]"

// epochLine is what metrics.jsonl says of an epoch.
type epochLine struct {
	Step       int      `json:"step"`
	LR         float64  `json:"lr"`
	TrainLoss  float64  `json:"train_loss"`
	ValidLoss  float64  `json:"valid_loss"`
	Genotype   string   `json:"genotype"`
	Eigenvalue *float64 `json:"eigenvalue"`
}

// searched is a finished search: its folder, its cells, its epochs and what it said.
type searched struct {
	dir      string
	genotype genotype.Genotype
	epochs   []epochLine
	said     string
}

func searchTiny(t *testing.T, set ...string) (s searched) {
	t.Helper()
	s.dir = filepath.Join(t.TempDir(), "run")
	var said bytes.Buffer
	result, err := search.Run(t.Context(), s.dir, fixture.Tiny(t, set...), nas.Settings{Hooks: []nas.Hooks{nas.Progress(&said, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	s.genotype, s.said = result.Genotype, said.String()
	for line := range bytes.Lines(fixture.Content(t, s.dir, "metrics.jsonl")) {
		var e epochLine
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Step == 0 {
			s.epochs = append(s.epochs, e)
		}
	}
	return s
}

func TestEarlyStop(t *testing.T) {
	// Measuring changes nothing but what is recorded when the eigenvalue does not grow enough, and the search ends with earlier cells when it does.
	common := []string{small, "network.nodes=2", "epochs=3", "alpha.lr=0.5"}
	measured := append(common, "strategy.early_stop.every=1", "strategy.early_stop.window=1", "strategy.early_stop.start=0", "strategy.early_stop.delta=1")
	off := searchTiny(t, common...)
	steady := searchTiny(t, append(measured, "strategy.early_stop.factor=1e9")...)
	stopped := searchTiny(t, append(measured, "strategy.early_stop.factor=1e-9")...)
	for _, entry := range []string{"alphas_normal", "classifier.weight", "stem.1.running_mean", "optimizer.w.momentum_buffer.0"} {
		if !slices.Equal(stateOf(t, off.dir, entry), stateOf(t, steady.dir, entry)) {
			t.Errorf("%s: another when the eigenvalue is measured", entry)
		}
	}
	if len(steady.epochs) != 3 || len(stopped.epochs) != 2 {
		t.Fatalf("%d epochs without growth and %d with it, want 3 and 2", len(steady.epochs), len(stopped.epochs))
	}
	var eigenvalues []float64
	for i, e := range steady.epochs {
		if off.epochs[i].Eigenvalue != nil || e.Eigenvalue == nil || *e.Eigenvalue < 1e-3-1e-6 {
			t.Fatalf("epoch %d: eigenvalue %v, where none is measured %v", i, e.Eigenvalue, off.epochs[i].Eigenvalue)
		}
		eigenvalues = append(eigenvalues, *e.Eigenvalue)
		e.Eigenvalue = nil
		if e != off.epochs[i] {
			t.Errorf("epoch %d: %+v, without measuring %+v", i, e, off.epochs[i])
		}
	}
	if got := stateOf(t, steady.dir, "early_stop.eigenvalues"); !slices.Equal(got, eigenvalues) || eigenvalues[0] == eigenvalues[1] {
		t.Errorf("the checkpoint has eigenvalues %v, the metrics %v", got, eigenvalues)
	}
	if off.genotype.String() != off.epochs[2].Genotype || stopped.genotype.String() != off.epochs[0].Genotype {
		t.Errorf("cells %s, stopped %s; epochs %+v", off.genotype, stopped.genotype, off.epochs)
	}
	if off.epochs[0].Genotype == off.epochs[1].Genotype {
		t.Error("the cells of both epochs are the same, which shows nothing")
	}
	const note = "note: the search ends early after epoch 2: the dominant eigenvalue has grown; its cells are those of epoch 1\n"
	if !strings.Contains(stopped.said, note) || strings.Contains(steady.said, "ends early") {
		t.Errorf("said %q", stopped.said)
	}
}

func TestEarlyStopResumed(t *testing.T) {
	// A search that was interrupted when its last epoch had ended takes no further step when it goes on, and returns the same cells.
	c := fixture.Tiny(t, small, "network.nodes=2", "epochs=3", "alpha.lr=0.5", "strategy.early_stop.every=1", "strategy.early_stop.window=1",
		"strategy.early_stop.start=0", "strategy.early_stop.delta=1", "strategy.early_stop.factor=1e-9")
	dir := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var first string
	stop := nas.Hooks{OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
		if e.Index == 0 {
			first = e.Genotype
		} else {
			cancel()
		}
		return nil
	}}
	if _, err := search.Run(ctx, dir, c, nas.Settings{Hooks: []nas.Hooks{stop}}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	step := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error {
		t.Error("a step was taken")
		return nil
	}}
	result, err := search.Run(t.Context(), dir, c, nas.Settings{Hooks: []nas.Hooks{step}})
	if err != nil || result.Genotype.String() != first {
		t.Errorf("got %s, error %v, want %s", result.Genotype, err, first)
	}
}

func TestEveryOtherEpoch(t *testing.T) {
	// Every other epoch and the last are measured when that is asked for.
	s := searchTiny(t, small, "network.nodes=1", "epochs=4", "strategy.early_stop.every=2")
	for i, want := range []bool{true, false, true, true} {
		if got := s.epochs[i].Eigenvalue != nil; got != want {
			t.Errorf("epoch %d is measured: %v, want %v", i, got, want)
		}
	}
	if got := stateOf(t, s.dir, "early_stop.eigenvalues"); !slices.Equal(got, []float64{*s.epochs[0].Eigenvalue, *s.epochs[2].Eigenvalue}) {
		t.Errorf("%v are the eigenvalues for the rule, want those of the first and the third epoch", got)
	}
}

func TestSkipLimitKey(t *testing.T) {
	// Cells of all epochs have no more skips than the limit, from the same alpha, when there is one.
	common := []string{small, "network.nodes=2", "epochs=2", "seed=3"}
	skips := func(s searched) (most int) {
		for _, e := range s.epochs {
			g, err := genotype.Parse(e.Genotype)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, edge := range g.Normal.Edges {
				if edge.Op == genotype.SkipConnect {
					n++
				}
			}
			most = max(most, n)
		}
		return most
	}
	free := searchTiny(t, common...)
	limited := searchTiny(t, append(common, "strategy.skip_limit=0")...)
	if skips(free) == 0 || skips(limited) != 0 || limited.genotype.String() != limited.epochs[1].Genotype {
		t.Errorf("%d skips without limit, %d with a limit of 0; cells %s", skips(free), skips(limited), limited.genotype)
	}
	if !slices.Equal(stateOf(t, free.dir, "alphas_normal"), stateOf(t, limited.dir, "alphas_normal")) {
		t.Error("the limit changes alpha")
	}
}

func TestPerturbation(t *testing.T) {
	// Every edge is decided and the cells follow the decisions when a selection by perturbation ends. The search before it equals one with a selection by alpha.
	set := []string{small, "epochs=1", "data.subset=48"}
	byAlpha := searchTiny(t, set...)
	set = append(set, "strategy.selection=perturbation", "strategy.perturbation.interval=2", "strategy.perturbation.lr=0.01")
	s := searchTiny(t, set...)
	const edges, decisions = 5, 6 // of cells of 2 nodes
	if want := 1 + (decisions-1)*2 + 1; len(s.epochs) != want || fixture.Tiny(t, set...).RunEpochs() != want {
		t.Fatalf("%d epochs, want %d", len(s.epochs), want)
	}
	if s.epochs[0] != byAlpha.epochs[0] {
		t.Errorf("the epoch of the search was %+v, by alpha %+v", s.epochs[0], byAlpha.epochs[0])
	}
	for i, e := range s.epochs[1:] {
		if e.LR != 0.01 {
			t.Errorf("epoch %d: learning rate %g", i+1, e.LR)
		}
	}
	ops := []genotype.Op{genotype.None, genotype.SkipConnect, genotype.MaxPool3x3}
	rows := stateOf(t, s.dir, "perturbation.rows")
	for kind, cell := range []genotype.Cell{s.genotype.Normal, s.genotype.Reduce} {
		rows := rows[kind*edges:][:edges]
		kept := 0
		for e, row := range rows {
			switch {
			case row == -1:
				t.Errorf("kind %d: edge %d is not decided", kind, e)
			case row >= 0 && e >= 2:
				kept++
			case row < 0 && e < 2:
				t.Errorf("kind %d: edge %d of the first node is deleted", kind, e)
			}
		}
		if kept != 2 {
			t.Errorf("kind %d: the second node keeps %d edges: %v", kind, kept, rows)
		}
		for i, edge := range cell.Edges {
			row := rows[[]int{0, 0, 2, 2}[i]+edge.From]
			if row < 0 || ops[int(row)] != genotype.None && ops[int(row)] != edge.Op {
				t.Errorf("kind %d: %v is in the cell, decided was %v", kind, edge, rows)
			}
		}
	}
	another := searchTiny(t, append(set, "strategy.perturbation.lr=0.02")...)
	if another.epochs[3].TrainLoss == s.epochs[3].TrainLoss {
		t.Error("the learning rate of the phase changes nothing")
	}
}
