package search

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/cells"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/nn"
)

func init() {
	cells.RegisterOp("blur_3x3", cells.CustomOp{
		New: func(p nn.Path, c, stride int, affine bool) nn.Layer {
			return nn.Sequential{
				nn.NewConv2d(p.At("op").Index(0), c, c, [2]int{3, 3}, torch.Conv2dOptions{Stride: stride, Padding: 1, Groups: c}),
				nn.NewBatchNorm2d(p.At("op").Index(1), c, affine),
			}
		},
	})
}

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
			c, err := config.Load("../testdata/tiny.yaml", append(test.set, "epochs=1", "space.operations=[skip_connect, blur_3x3]")...)
			if err != nil {
				t.Fatal(err)
			}
			var notes []string
			look := nas.Hooks{OnStart: func(r *nas.Run) error {
				notes = slices.Clone(r.Notes())
				return nil
			}}
			result, err := Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{look}})
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
	_, err := config.Load("../testdata/tiny.yaml", "space.operations=[skip_connect, blur_3x4]")
	if err == nil || !strings.Contains(err.Error(), "(nearest: blur_3x3)") {
		t.Errorf("a wrong name: %v", err)
	}
}
