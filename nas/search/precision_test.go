package search_test

import (
	"math"
	"path/filepath"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

func TestPrecision(t *testing.T) {
	// The weight passes of a run in bf16 give losses near those in full precision, but not equal ones, when both start from the same seed.
	search := func(c *config.Config, s nas.Settings) error {
		_, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, s)
		return err
	}
	train := func(c *config.Config, s nas.Settings) error {
		_, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, s)
		return err
	}
	for _, test := range []struct {
		name, file string
		smaller    []string
		run        func(*config.Config, nas.Settings) error
	}{
		{"search", "../testdata/tiny.yaml", []string{"network.nodes=1", "data.subset=24", "data.batch=4"}, search},
		{"train", "../testdata/tiny-train.yaml", nil, train},
	} {
		t.Run(test.name, func(t *testing.T) {
			losses := func(precision string) (all []float64) {
				watch := nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error { all = append(all, s.Loss); return nil }}
				c := fixture.Load(t, test.file, append(test.smaller, "epochs=1", "w.precision="+precision)...)
				if err := test.run(c, nas.Settings{Hooks: []nas.Hooks{watch}}); err != nil {
					t.Fatal(err)
				}
				return all
			}
			full, half := losses("full"), losses("bf16")
			if len(full) != 3 || len(half) != 3 {
				t.Fatalf("%d and %d steps, want 3", len(full), len(half))
			}
			for i := range full {
				if d := math.Abs(full[i] - half[i]); d == 0 || d > 0.2 {
					t.Errorf("step %d: losses %g and %g", i, full[i], half[i])
				}
			}
			if got := torch.Live(); got != 0 {
				t.Errorf("%d tensors live on", got)
			}
		})
	}
}
