package cells

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *torch.Error, and the process goes on, when an argument makes no sense.
	x := func(shape ...int) torch.Tensor { return torch.Ones(shape, torch.Options{}) }
	root := func() nn.Path { return new(nn.Builder).Root() }
	derived := uniformGenotype(genotype.SepConv3x3)
	recurrent := genotype.Genotype{Recurrent: genotype.Cell{Edges: []genotype.Edge{{Op: genotype.ActTanh, From: 0}, {Op: genotype.ActReLU, From: 1}}, Concat: []int{1, 2}}}
	options := NetworkOptions{Channels: 2, Layers: 3, Classes: 3, InputChannels: 1, Size: 8, StemMultiplier: 1}
	language := LanguageOptions{Tokens: 5, Units: 4, Dropout: Dropout{Output: 0.5, Word: 0.1}, AR: 1, TAR: 1}
	images := func() nn.Batch { return nn.Batch{X: x(2, 1, 8, 8), Y: torch.FromSlice([]int64{0, 2}, 2)} }
	words := func() nn.Batch {
		return nn.Batch{X: torch.FromSlice([]int64{0, 1, 2, 3, 4, 0}, 3, 2), Y: torch.FromSlice([]int64{0, 1, 2, 3, 4, 0}, 6),
			Masks: func() torch.Tensor { return language.DrawMasks(2, rand.New(rand.NewPCG(1, 2))).Select(0, 0) }}
	}
	network := func() *Network {
		n, err := NewNetwork(derived, options)
		if err != nil {
			panic(err)
		}
		return n
	}
	model := func() *RecurrentNetwork {
		n, err := NewRecurrentNetwork(recurrent, RecurrentOptions{LanguageOptions: language})
		if err != nil {
			panic(err)
		}
		return n
	}
	kept := func() (keep [][]bool) {
		for _, g := range options.Groups(derived) {
			keep = append(keep, slices.Repeat([]bool{true}, g.Size()))
		}
		return keep
	}
	fresh := 0
	torchtest.Hostile{
		Functions: []any{
			Activation, AddProduct, Cut, DropPath, FactorizedReduce, Gate, NewLanguage, NewNetwork, NewRecurrentNetwork, RowsOf,
			Operation, ReLUConvBN, RegisterOp, RegisteredOp, WriteProduct,
		},
		Values: []any{
			func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
			func() genotype.Op { return genotype.SepConv3x3 },
			func() genotype.Op { return genotype.ActTanh },
			func() genotype.Edge { return genotype.Edge{Op: genotype.SepConv3x3, From: 0} },
			func() genotype.Cell { return derived.Normal },
			func() genotype.Genotype { return derived },
			func() genotype.Genotype { return recurrent },
			func() nn.Batch { return images() },
			func() nn.Batch { return words() },
			func() nn.Path { return root() },
			func() *nn.Value { return &nn.Value{Channels: 4, Height: 6, Width: 6} },
			func() *nn.Trace { return new(nn.Trace) },
			func() Identity { return Identity{} },
			func() NetworkOptions { return options },
			func() []*Group { return options.Groups(derived) },
			func() *Group { return options.Groups(derived)[0] },
			func() [][]bool { return kept() },
			func() LanguageOptions { return language },
			func() RecurrentOptions { return RecurrentOptions{LanguageOptions: language} },
			func() FastPass { return FastPass{W: model().weights.W, Batch: words(), Training: true} },
			func() *Language { return model().Language },
			func() *Network { return network() },
			func() *RecurrentNetwork { return model() },
			func() FastCell {
				n := model()
				var cell FastCell
				n.Fast(FastPass{W: n.weights.W, Batch: words()}, func(c *Columns) FastCell {
					cell = n.newDerivedCell(c)
					return cell
				})
				return cell
			},
		},
		Arguments: map[string]func() []any{
			"Cut":                   func() []any { return []any{network().StateDict(), options.Groups(derived), kept()} },
			"NetworkOptions.Left":   func() []any { return []any{options, derived, kept()} },
			"Gate":                  func() []any { return []any{x(2, 3), x(2, 6), torch.Tensor.Tanh} },
			"Network.Forward":       func() []any { return []any{network(), images(), nn.Mode{Training: true, DropPath: 0.5}} },
			"Network.Logits":        func() []any { return []any{network(), x(2, 1, 8, 8)} },
			"Network.LoadStateDict": func() []any { return []any{network(), network().StateDict()} },
			"Language.LoadStateDict": func() []any {
				return []any{model().Language, model().StateDict()}
			},
			"Language.At":   func() []any { return []any{model().Language, model().weights.W} },
			"Language.Tied": func() []any { return []any{model().Language, model().weights.W} },
			"Language.Fast": func() []any {
				n := model()
				return []any{n.Language, FastPass{W: n.weights.W, Batch: words(), Training: true}, n.newDerivedCell}
			},
			"Language.Pass": func() []any {
				n := model()
				return []any{n.Language, words(), nn.Mode{Training: true}, n.step}
			},
			"Language.State0": func() []any { return []any{model().Language, x(2, 4), x(2, 4), Masks{}} },
			"RegisterOp": func() []any {
				fresh++
				return []any{genotype.Op(fmt.Sprint("own_", fresh)), CustomOp{New: func(nn.Path, int, int, bool) nn.Layer { return Identity{} }}}
			},
			"RecurrentNetwork.Forward":   func() []any { return []any{model(), words(), nn.Mode{Training: true}} },
			"RecurrentNetwork.Gradients": func() []any { return []any{model(), words(), torch.ZerosLike(model().weights.W)} },
		},
		Made:  []any{&Language{}, &Network{}, &RecurrentNetwork{}},
		Cases: 150,
	}.Run(t)
}
