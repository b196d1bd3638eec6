package plan_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/plan"
)

// sweepOf returns a sweep over the tiny search, with more lines in its file.
func sweepOf(t *testing.T, base, more string) *config.SweepPlan {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"base.yaml": base, "sweep.yaml": "experiment: sweep\nbase: base.yaml\n" + more} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := config.LoadSweep(filepath.Join(dir, "sweep.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSweepDiverged(t *testing.T) {
	// A sweep marks the runs that diverge, goes on with the others, and names them, also in a later call.
	s := sweepOf(t, "experiment: train\ndata: {name: digits, subset: 24, batch: 12, train_portion: 0.5}\nnetwork: {channels: 2, layers: 3}\n",
		"keys: {w.lr: [0.025, 1e30, 0.05]}\nhalving: {rungs: [1, 2], keep: 0.5}\n")
	dir := filepath.Join(t.TempDir(), "sweep")
	for range 2 {
		r, err := plan.Sweep(t.Context(), dir, s, plan.Settings{})
		if err == nil || !strings.HasPrefix(err.Error(), "nas: 1 of 3 parts diverged: point-2-seed-0: epoch 1, step ") {
			t.Fatalf("got %v", err)
		}
		text := r.Text(200)
		if !strings.Contains(text, "diverged") || strings.Count(text, "done") != 3 || r.Best == "" {
			t.Errorf("the table is %s", text)
		}
	}
}

func TestSweepFromScratch(t *testing.T) {
	// A search that trains each cell it tries starts anew in each rung, with the epochs of that.
	s := sweepOf(t, "experiment: search\nstrategy: {name: random, trials: 2}\ndata: {name: digits, subset: 24, batch: 12}\nnetwork: {channels: 2, layers: 3, nodes: 1}\n",
		"keys: {w.lr: [0.025, 0.05]}\nhalving: {rungs: [1, 2], keep: 0.5}\n")
	dir := filepath.Join(t.TempDir(), "sweep")
	if _, err := plan.Sweep(t.Context(), dir, s, plan.Settings{}); err != nil {
		t.Fatal(err)
	}
	again, err := filepath.Glob(filepath.Join(dir, "point-*-epochs-2", "result.json"))
	if err != nil || len(again) != 1 {
		t.Errorf("second rung: %q, %v", again, err)
	}
	for _, point := range []string{"point-1-seed-2", "point-2-seed-2"} {
		if !bytes.Contains(fixture.Content(t, dir, filepath.Join(point, "config.yaml")), []byte("\nepochs: 1\n")) {
			t.Errorf("%s has other epochs", point)
		}
	}
}
