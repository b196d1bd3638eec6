package search_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

func TestTrialDoneButNotCounted(t *testing.T) {
	// A search that trains each cell ends with the same bytes when it was interrupted between a trial and its own checkpoint.
	for _, test := range []struct {
		name string
		set  []string
	}{
		{"random", []string{"strategy.name=random"}},
		{"evolution", []string{"strategy.name=evolution", "strategy.evolution.population=2"}},
		{"reinforce", []string{"strategy.name=reinforce"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			const trials = 2
			c := fixture.Tiny(t, append(test.set, "strategy.trials=2", "epochs=1", "data.subset=24")...)
			undisturbed, dir := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
			asked := 0
			count := func() error { asked++; return nil }
			if _, err := search.Run(t.Context(), undisturbed, c, nas.Settings{Guard: count}); err != nil {
				t.Fatal(err)
			}
			died := errors.New("died")
			for trial := 1; trial <= trials; trial++ {
				// The search's own question comes last of those of a trial, and before it saves.
				left := asked / trials
				die := func() error {
					if left--; left == 0 {
						return died
					}
					return nil
				}
				if trial > 1 {
					left++ // the trial before is counted first
				}
				if _, err := search.Run(t.Context(), dir, c, nas.Settings{Guard: die}); !errors.Is(err, died) {
					t.Fatalf("trial %d: %v", trial, err)
				}
				if !runfolder.Finished(filepath.Join(dir, "trial-"+string(rune('0'+trial)))) {
					t.Fatalf("trial %d is not complete", trial)
				}
			}
			if _, err := search.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{runfolder.CheckpointFile, runfolder.GenotypeFile, runfolder.MetricsFile, "result.json"} {
				if !bytes.Equal(fixture.Content(t, dir, file), fixture.Content(t, undisturbed, file)) {
					t.Errorf("%s differs from the undisturbed search's", file)
				}
			}
		})
	}
}
