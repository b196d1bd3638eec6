package search_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"godarts/cells"
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
			_, err = search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), fixture.Tiny(t, append(set, "space.multiply_adds=10")...), nas.Settings{})
			if want := "nas: space.multiply_adds: 10, of 200 random cells the smallest makes a network of "; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error %v, want %s...", err, want)
			}
		})
	}
}

func TestBudgetOfMultiplyAdds(t *testing.T) {
	// Every trial keeps to the budget of multiply-adds when there is one that some cells do not keep.
	most := func(set ...string) (n int64) {
		dir := filepath.Join(t.TempDir(), "run")
		c := fixture.Tiny(t, append(set, "strategy.name=random", "strategy.trials=8", "epochs=0", "data.train_portion=0.5")...)
		if _, err := search.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
			t.Fatal(err)
		}
		for trial := range 8 {
			g, err := runfolder.ReadGenotype(filepath.Join(dir, fmt.Sprintf("trial-%d", trial+1)))
			if err != nil {
				t.Fatal(err)
			}
			o := cells.NetworkOptions{Channels: c.Network.Channels, Layers: c.Network.Layers, Classes: 10, InputChannels: 1, Size: 8, StemMultiplier: c.Network.StemMultiplier}
			_, multiplyAdds := o.Count(g)
			n = max(n, multiplyAdds)
		}
		return n
	}
	free := most()
	if bounded := most(fmt.Sprintf("space.multiply_adds=%d", free-1)); bounded >= free {
		t.Errorf("a network of %d multiply-adds, the budget is %d", bounded, free-1)
	}
}
