package search_test

import (
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
)

func TestBudget(t *testing.T) {
	// Every cell that is tried keeps to the budget of weights when there is one, and a budget that no cell keeps is an error.
	for _, name := range []string{"random", "evolution"} {
		t.Run(name, func(t *testing.T) {
			set := []string{"strategy.name=" + name, "strategy.trials=4", "epochs=0", "data.train_portion=0.5"}
			if name == "evolution" {
				set = append(set, "strategy.evolution.population=2")
			}
			largest := func(set ...string) (n int) {
				dir := filepath.Join(t.TempDir(), "run")
				if _, err := search.Run(t.Context(), dir, fixture.Tiny(t, set...), nas.Settings{}); err != nil {
					t.Fatal(err)
				}
				for _, trial := range []string{"trial-1", "trial-2", "trial-3", "trial-4"} {
					c, err := runfolder.ReadConfig(filepath.Join(dir, trial))
					if err != nil {
						t.Fatal(err)
					}
					r, err := train.Run(t.Context(), filepath.Join(dir, trial), c, nas.Settings{})
					if err != nil {
						t.Fatal(err)
					}
					n = max(n, r.Parameters)
				}
				return n
			}
			const budget = "1400"
			if free := largest(set...); free <= 1400 {
				t.Fatalf("without a budget the largest network has %d weights: the budget bounds nothing", free)
			}
			if bound := largest(append(set, "space.parameters="+budget)...); bound > 1400 {
				t.Errorf("a network has %d weights, the budget is %s", bound, budget)
			}
			_, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), fixture.Tiny(t, append(set, "space.parameters=10")...), nas.Settings{})
			if want := "nas: space.parameters: 10, of 200 random cells the smallest makes a network of "; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error %v, want %s...", err, want)
			}
		})
	}
}
