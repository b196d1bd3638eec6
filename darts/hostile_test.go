package darts

import (
	"math/rand/v2"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

// made panics with the error of a function that makes sound values.
func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *torch.Error, and the process goes on, when an argument makes no sense.
	x := func(shape ...int) torch.Tensor { return torch.Ones(shape, torch.Options{}) }
	ops := []genotype.Op{genotype.None, genotype.SkipConnect, genotype.MaxPool3x3, genotype.DilConv3x3}
	space := Everywhere(2, ops)
	options := Options{Channels: 2, Layers: 3, Nodes: 2, Classes: 3, InputChannels: 1, StemMultiplier: 1, Normal: space.Normal, Reduce: space.Reduce}
	language := RecurrentOptions{Nodes: 2, LanguageOptions: cells.LanguageOptions{Tokens: 5, Units: 4, Dropout: cells.Dropout{Output: 0.5}, AR: 1}}
	images := func() nn.Batch { return nn.Batch{X: x(2, 1, 8, 8), Y: torch.FromSlice([]int64{0, 2}, 2)} }
	words := func() nn.Batch {
		return nn.Batch{X: torch.FromSlice([]int64{0, 1, 2, 3, 4, 0}, 3, 2), Y: torch.FromSlice([]int64{0, 1, 2, 3, 4, 0}, 6),
			Masks: func() torch.Tensor { return language.DrawMasks(2, rand.New(rand.NewPCG(1, 2))).Select(0, 0) }}
	}
	random := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	plain := func() *Plain { return made(NewPlain(options)) }
	sampled := func() *GumbelSupernet { return made(NewGumbelSupernet(options, 1)) }
	recurrent := func() *RecurrentPlain { return made(NewRecurrentPlain(language)) }
	architect := func(net Supernet) *Architect {
		return NewArchitect(net, optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.1, Momentum: 0.9}), optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 0.1}))
	}
	cell := space.Hardest()
	recurrentCell := RecurrentSpace{Nodes: 2}.Sample(random())
	torchtest.Hostile{
		Functions: []any{
			Edges, Everywhere, FirstEdge, FullSpace, NewArchitect, NewCostTerm, NewPlain, NewPerturbationSupernet, NewRecurrentPlain,
			NewGumbelSupernet, RecurrentEdges,
		},
		Values: []any{
			func() genotype.Op { return genotype.SkipConnect },
			func() genotype.Genotype { return cell },
			func() genotype.Genotype { return recurrentCell },
			func() nn.Batch { return images() },
			func() nn.Batch { return words() },
			func() *rand.Rand { return random() },
			func() *optim.SGD { return optim.NewSGD([]torch.Tensor{x(3)}, optim.SGDOptions{LR: 0.1}) },
			func() *optim.Adam { return optim.NewAdam([]torch.Tensor{x(3)}, optim.AdamOptions{LR: 0.1}) },
			func() Options { return options },
			func() RecurrentOptions { return language },
			func() Space { return space },
			func() CostOptions {
				return CostOptions{Cost: func(genotype.Kind, int, genotype.Op) float64 { return 1 }, Weight: 1}
			},
			func() []torch.Tensor { return []torch.Tensor{x(5, 4), x(5, 4)} },
			func() *CostTerm {
				return NewCostTerm(space, CostOptions{Cost: func(genotype.Kind, int, genotype.Op) float64 { return 1 }, Weight: 1})
			},
			func() RecurrentSpace { return RecurrentSpace{Nodes: 2} },
			func() *Plain { return plain() },
			func() genotype.Kind { return genotype.Reduce },
			func() *Architecture { return plain().Architecture(genotype.Normal) },
			func() *GumbelSupernet { return sampled() },
			func() *PerturbationSupernet { return NewPerturbationSupernet(plain()) },
			func() *RecurrentPlain { return recurrent() },
			func() *Architect { return architect(plain()) },
			func() Need { return Need{W: true} },
			func() FiniteDifference { return FiniteDifference{Net: plain(), Radius: Radius} },
		},
		Wrong: []any{
			func() Options { o := options; o.Nodes = 3000; o.Normal, o.Reduce = nil, nil; return o },
			func() Options { o := options; o.Nodes, o.Layers = 100, 1000; o.Normal, o.Reduce = nil, nil; return o },
			func() Options { o := options; o.Layers = 1 << 30; return o },
			func() Options { o := options; o.Channels = -1; return o },
			func() Options { o := options; o.Partial = 1<<63 - 1; return o },
			func() nn.Batch { b := images(); b.Y = torch.FromSlice([]int64{0, -100}, 2); return b },
		},
		Arguments: map[string]func() []any{
			"Architect.Gradient":       func() []any { return []any{architect(plain()), images(), images(), 0.1} },
			"Architect.Step":           func() []any { return []any{architect(plain()), images(), images(), 0.1} },
			"Plain.Gradients":          func() []any { return []any{plain(), plain().W(), images(), Need{W: true, Alphas: true}} },
			"GumbelSupernet.Gradients": func() []any { return []any{sampled(), plain().W(), images(), Need{W: true, Alphas: true}} },
			"Need.InTF32":              func() []any { return []any{Need{W: true}, func(Need) Result { return Result{} }} },
			"Plain.Derive":             func() []any { return []any{plain(), plain().Alphas(), 1} },
			"Space.Architecture":       func() []any { return []any{space, make([]int, len(space.Options()))} },
			"RecurrentSpace.Architecture": func() []any {
				return []any{RecurrentSpace{Nodes: 2}, make([]int, 4)}
			},
			"FiniteDifference.HessianVectorProduct": func() []any {
				net := plain()
				return []any{FiniteDifference{Net: net, Radius: Radius}, torch.OnesLike(net.W()), images()}
			},
			"Plain.Views": func() []any { return []any{plain(), plain().W()} },
			"PerturbationSupernet.HessianVectorProduct": func() []any {
				return []any{NewPerturbationSupernet(plain()), torch.OnesLike(plain().W()), images()}
			},
			"RecurrentPlain.Views": func() []any { return []any{recurrent(), recurrent().W()} },
			"RecurrentPlain.HessianVectorProduct": func() []any {
				return []any{recurrent(), torch.OnesLike(recurrent().W()), words()}
			},
			"RecurrentPlain.Gradients": func() []any { return []any{recurrent(), recurrent().W(), words(), Need{W: true, Alphas: true}} },
			"PerturbationSupernet.Gradients": func() []any {
				return []any{NewPerturbationSupernet(plain()), plain().W(), images(), Need{Alphas: true}}
			},
			"Plain.HessianVectorProduct": func() []any { return []any{plain(), torch.OnesLike(plain().W()), images()} },
		},
		Made: []any{
			&Architect{}, &Plain{}, &PerturbationSupernet{}, &RecurrentPlain{}, &GumbelSupernet{},
		},
		Cases: 16,
	}.Run(t)
}
