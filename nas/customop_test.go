package nas

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas/config"
)

func TestSearchWithRegisteredOp(t *testing.T) {
	// Strategies search a space that a config gives a registered operation, those with a fast form note that the plain one runs.
	if testing.Short() {
		t.Skip("-short: four searches")
	}
	const note = "the plain form of the supernet runs: the fast form has no blur_3x3"
	for _, test := range []struct {
		name  string
		set   []string
		noted bool
	}{
		{"darts", []string{"strategy.name=darts"}, true},
		{"gdas", []string{"strategy.name=gdas"}, false},
		{"enas", []string{"strategy.name=enas", "strategy.candidates=2", "strategy.controller.updates=1", "strategy.controller.aggregate=1"}, false},
		{"rsps", []string{"strategy.name=rsps", "strategy.candidates=2", "strategy.finalists=1", "strategy.score_batches=1"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := config.Load("testdata/tiny.yaml", append(test.set, "epochs=1", "space.operations=[skip_connect, blur_3x3]")...)
			if err != nil {
				t.Fatal(err)
			}
			var notes []string
			look := Hooks{OnStart: func(r *Run) error {
				notes = slices.Clone(r.notes)
				return nil
			}}
			result, err := Search(t.Context(), filepath.Join(t.TempDir(), "run"), c, Settings{Hooks: []Hooks{look}})
			if err != nil {
				t.Fatal(err)
			}
			if err := result.Genotype.Validate(); err != nil || len(result.Genotype.Normal.Edges) != 4 {
				t.Errorf("%v: %v", err, result.Genotype)
			}
			if noted := slices.Contains(notes, note); noted != test.noted {
				t.Errorf("notes %q, want that of the form: %v", notes, test.noted)
			}
		})
	}
	_, err := config.Load("testdata/tiny.yaml", "space.operations=[skip_connect, blur_3x4]")
	if err == nil || !strings.Contains(err.Error(), "(nearest: blur_3x3)") {
		t.Errorf("a wrong name: %v", err)
	}
}
