package enas

import (
	"math/rand/v2"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *torch.Error, and the process goes on, when an argument makes no sense.
	space := darts.Everywhere(2, []genotype.Op{genotype.None, genotype.SkipConnect, genotype.MaxPool3x3, genotype.DilConv3x3})
	o := Options{LR: 0.1, Baseline: 0.9}
	controller := func() *Controller {
		c, err := New(space, o)
		if err != nil {
			panic(err)
		}
		return c
	}
	torchtest.Hostile{
		Functions: []any{New},
		Values: []any{
			func() genotype.Op { return genotype.SkipConnect },
			func() genotype.Genotype { return space.Hardest() },
			func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
			func() Options { return o },
			func() darts.Space { return space },
			func() *Controller { return controller() },
		},
		Arguments: map[string]func() []any{
			"Controller.LoadStateDict": func() []any { return []any{controller(), controller().StateDict()} },
		},
		Made:  []any{&Controller{}},
		Cases: 16,
	}.Run(t)
}
