package fast

import (
	"math/rand/v2"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *torch.Error, and the process goes on, when an argument makes no sense.
	x := func(shape ...int) torch.Tensor { return torch.Ones(shape, torch.Options{}) }
	ops := []genotype.Op{genotype.None, genotype.SkipConnect, genotype.MaxPool3x3, genotype.DilConv3x3}
	space := darts.Everywhere(2, ops)
	options := darts.Options{Channels: 2, Layers: 3, Nodes: 2, Classes: 3, InputChannels: 1, StemMultiplier: 1, Normal: space.Normal, Reduce: space.Reduce}
	language := darts.RecurrentOptions{Nodes: 2, LanguageOptions: cells.LanguageOptions{Tokens: 5, Units: 4, Dropout: cells.Dropout{Output: 0.5}, AR: 1}}
	images := func() nn.Batch { return nn.Batch{X: x(2, 1, 8, 8), Y: torch.FromSlice([]int64{0, 2}, 2)} }
	words := func() nn.Batch {
		return nn.Batch{X: torch.FromSlice([]int64{0, 1, 2, 3, 4, 0}, 3, 2), Y: torch.FromSlice([]int64{0, 1, 2, 3, 4, 0}, 6),
			Masks: func() torch.Tensor { return language.DrawMasks(2, rand.New(rand.NewPCG(1, 2))).Select(0, 0) }}
	}
	made := func(net *Supernet, err error) *Supernet {
		if err != nil {
			panic(err)
		}
		return net
	}
	convolutional := func() *Supernet { return made(New(options)) }
	wide := func() *Wide {
		net, err := NewWide(options)
		if err != nil {
			panic(err)
		}
		return net
	}
	recurrent := func() *Recurrent {
		net, err := NewRecurrent(language)
		if err != nil {
			panic(err)
		}
		return net
	}
	torchtest.Hostile{
		Functions: []any{Choose, New, NewWide, NewRecurrent},
		Values: []any{
			func() genotype.Genotype { return space.Hardest() },
			func() nn.Batch { return images() },
			func() nn.Batch { return words() },
			func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
			func() darts.Options { return options },
			func() darts.RecurrentOptions { return language },
			func() *Supernet { return convolutional() },
			func() *Wide { return wide() },
			func() *Recurrent { return recurrent() },
		},
		Wrong: []any{
			func() darts.Options { o := options; o.Nodes = 3000; o.Normal, o.Reduce = nil, nil; return o },
			func() darts.Options {
				o := options
				o.Nodes, o.Layers = 100, 1000
				o.Normal, o.Reduce = nil, nil
				return o
			},
			func() darts.Options { o := options; o.Layers = 1 << 30; return o },
			func() darts.Options { o := options; o.Channels = -1; return o },
			func() nn.Batch { b := images(); b.Y = torch.FromSlice([]int64{0, -100}, 2); return b },
		},
		Arguments: map[string]func() []any{
			"Supernet.Gradients": func() []any {
				return []any{convolutional(), convolutional().W(), images(), darts.Need{W: true, Alphas: true}}
			},
			"Wide.Gradients": func() []any {
				return []any{wide(), wide().W(), images(), darts.Need{W: true, Alphas: true}}
			},
			"Recurrent.Gradients": func() []any {
				return []any{recurrent(), recurrent().W(), words(), darts.Need{W: true, Alphas: true}}
			},
		},
		Made:  []any{&Supernet{}, &Wide{}, &Recurrent{}},
		Cases: 16,
	}.Run(t)
}
