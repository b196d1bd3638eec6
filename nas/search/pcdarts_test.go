package search_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/search"
)

func TestWarmUp(t *testing.T) {
	// Alpha and beta stay as they were drawn while PC-DARTS trains only the weights, and both move after that.
	tables := []string{"alphas_normal", "alphas_reduce", "betas_normal", "betas_reduce"}
	state := func(steps int) map[string][]float64 {
		dir := filepath.Join(t.TempDir(), "run")
		ctx, cancel := context.WithCancel(t.Context())
		stop := nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
			if s.Epoch*s.Of+s.Index+1 == steps {
				cancel() // which saves the run
			}
			return nil
		}}
		c := fixture.Tiny(t, "strategy.name=pc-darts", "strategy.warmup=1", "strategy.partial=2", "network.channels=4")
		if _, err := search.Run(ctx, dir, c, nas.Settings{Hooks: []nas.Hooks{stop}}); err == nil {
			t.Fatal("the search was not stopped")
		}
		all := map[string][]float64{"w": stateOf(t, dir, "classifier.weight")}
		for _, name := range tables {
			all[name] = stateOf(t, dir, name)
		}
		return all
	}
	const epoch = 3 // steps
	first, last, after := state(1), state(epoch), state(epoch+1)
	for _, name := range tables {
		if !slices.Equal(first[name], last[name]) {
			t.Errorf("%s moved in the warm-up", name)
		}
		if slices.Equal(last[name], after[name]) {
			t.Errorf("%s does not move after the warm-up", name)
		}
	}
	if slices.Equal(first["w"], last["w"]) {
		t.Error("the weights do not move in the warm-up")
	}
}
