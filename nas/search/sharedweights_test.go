package search_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// mortal is a context that is done after it has been asked a given number of times.
type mortal struct {
	context.Context
	looks int
}

func (m *mortal) Err() error {
	if m.looks--; m.looks < 0 {
		return context.Canceled
	}
	return m.Context.Err()
}

// TestStoppedAnywhere is of what lies between the steps, which nastest interrupts.
func TestStoppedAnywhere(t *testing.T) {
	// A search ends with the same cell and bytes after it was interrupted at any of the places where it looks at its context.
	for _, test := range []struct {
		name string
		c    *config.Config
	}{
		{"enas", fixture.Tiny(t, "strategy.name=enas", "strategy.controller.updates=2", "strategy.controller.aggregate=2", "strategy.candidates=3", "data.subset=24", "network.nodes=1", "epochs=1")},
		{"rsps", fixture.Tiny(t, "strategy.name=rsps", "strategy.candidates=4", "strategy.score_batches=2", "strategy.finalists=2", "data.subset=24", "network.nodes=1", "epochs=1")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("-short: searches some 30 times")
			}
			search := func(ctx context.Context, dir string) (string, error) {
				result, err := search.Run(ctx, dir, test.c, nas.Settings{})
				return result.Genotype.String(), err
			}
			whole := filepath.Join(t.TempDir(), "run")
			want, err := search(t.Context(), whole)
			if err != nil {
				t.Fatal(err)
			}
			for looks := 0; ; looks++ {
				dir := filepath.Join(t.TempDir(), "run")
				_, err := search(&mortal{t.Context(), looks}, dir)
				if err == nil {
					if looks < 10 {
						t.Errorf("the context was looked at %d times, want more", looks)
					}
					return
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				got, err := search(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("stopped after %d looks: %s", looks, diff)
				}
				if got, want := bytesOf(t, dir), bytesOf(t, whole); got != want {
					t.Fatalf("stopped after %d looks: the final checkpoints differ", looks)
				}
			}
		})
	}
}

func bytesOf(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, runfolder.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestSharedWeights(t *testing.T) {
	// A step moves the weights of one operation of each edge at most, the same in cells of a kind, and those of stem, preprocessing and classifier when nothing decays and nothing has momentum.
	for _, strategy := range []struct {
		name string
		set  []string
	}{
		{"rsps", []string{"strategy.name=rsps", "strategy.candidates=1", "strategy.score_batches=1", "strategy.finalists=1"}},
		{"enas", []string{"strategy.name=enas", "strategy.controller.updates=0", "strategy.candidates=1", "w.nesterov=false", "data.train_portion=0.5"}},
	} {
		t.Run(strategy.name, func(t *testing.T) {
			torchtest.Scope(t)
			weights := func(set ...string) torch.StateDict { // after one step
				dir := filepath.Join(t.TempDir(), "run")
				all := slices.Concat(strategy.set, []string{"w.lr_min=0", "w.momentum=0", "w.weight_decay=0", "data.subset=24", "network.nodes=1", "epochs=1"}, set)
				if _, err := search.Run(t.Context(), dir, fixture.Tiny(t, all...), nas.Settings{}); err != nil {
					t.Fatal(err)
				}
				sd, err := torchtest.Golden(t, filepath.Join(dir, runfolder.CheckpointFile)).LoadAll()
				if err != nil {
					t.Fatal(err)
				}
				return sd
			}
			before, after := weights("w.lr=1e-30"), weights()
			operation := regexp.MustCompile(`^cells\.(\d)\._ops\.(\d)\._ops\.(\d)\.`)
			moved := map[string]string{} // by cell and edge
			for name, w := range before {
				if !strings.HasSuffix(name, "weight") || strings.HasPrefix(name, "controller.") {
					continue
				}
				same := w.Sub(after[name]).Abs().Amax(nil, false).Item() == 0
				at := operation.FindStringSubmatch(name)
				switch {
				case at == nil && same:
					t.Errorf("%s has not moved", name)
				case at != nil && !same:
					edge := at[1] + "." + at[2]
					if other, ok := moved[edge]; ok && other != at[3] {
						t.Errorf("two operations of edge %s have moved, %s and %s", edge, other, at[3])
					}
					moved[edge] = at[3]
				}
			}
			if len(moved) == 0 {
				t.Error("no operation has moved")
			}
			for edge, op := range moved { // cells 1 and 2 reduce
				if of, ok := strings.CutPrefix(edge, "1."); ok && moved["2."+of] != op {
					t.Errorf("edge %s: operation %s of cell 1 has moved, %q of cell 2", of, op, moved["2."+of])
				}
			}
		})
	}
}

func TestControllerSteps(t *testing.T) {
	// The controller takes its steps after each epoch, and stays as it was drawn without any.
	for updates, keys := range map[int][]string{0: nil, 2: {"strategy.controller.aggregate=2"}} {
		dir := filepath.Join(t.TempDir(), "run")
		set := append(keys, "strategy.name=enas", fmt.Sprintf("strategy.controller.updates=%d", updates), "data.subset=24")
		if _, err := search.Run(t.Context(), dir, fixture.Tiny(t, set...), nas.Settings{}); err != nil {
			t.Fatal(err)
		}
		const epochs = 2
		if got := stateOf(t, dir, "controller.adam.step")[0]; int(got) != epochs*updates {
			t.Errorf("%v steps, want %d", got, epochs*updates)
		}
		if b := stateOf(t, dir, "controller.baseline")[0]; (b == 0) != (updates == 0) {
			t.Errorf("%d updates: baseline %v", updates, b)
		}
	}
}

func TestRestarts(t *testing.T) {
	// The learning rate goes up again when a cosine of schedule restarts is over.
	var rates []float64
	watch := nas.Hooks{OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
		rates = append(rates, e.LR)
		return nil
	}}
	c := fixture.Tiny(t, "w.schedule=restarts", "w.restart=1", "w.lr=0.2", "w.lr_min=0.1", "epochs=3", "data.subset=24")
	if _, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{watch}}); err != nil {
		t.Fatal(err)
	}
	if want := []float64{0.2, 0.2, 0.15}; len(rates) != 3 || rates[0] != want[0] || rates[1] != want[1] || math.Abs(rates[2]-want[2]) > 1e-15 {
		t.Errorf("learning rates %v, want %v", rates, want)
	}
}
