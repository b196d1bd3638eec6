package cells_test

import (
	"fmt"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

func TestEvaluationWithoutGraph(t *testing.T) {
	// Logits and loss without a graph, by ranks and with batch norms folded, equal those of the layers one by one, whatever the number of ranks.
	for _, name := range []string{"DARTS_V2", "NASNet", "AmoebaNet"} {
		for _, threads := range []int{1, 2, 4} {
			t.Run(fmt.Sprint(name, ", ", threads, " threads"), func(t *testing.T) {
				torchtest.Scope(t)
				defer torch.SetThreads(torch.Threads()) // of this thread, which another test may get
				torch.SetThreads(threads)
				g, err := genotype.Lookup(name)
				if err != nil {
					t.Fatal(err)
				}
				double := torch.Options{Dtype: torch.Float64}
				net, err := cells.NewNetwork(g, cells.NetworkOptions{
					Channels: 4, Layers: 4, Classes: 5, InputChannels: 3, Size: 8, StemMultiplier: 2, LabelSmoothing: 0.1, Options: double,
				})
				if err != nil {
					t.Fatal(err)
				}
				b := nn.Batch{X: torch.Randn([]int{5, 3, 8, 8}, double), Y: torch.RandInt(0, 5, []int{5}, torch.Options{Dtype: torch.Int64})}
				torch.Scoped(func() {
					for range 3 { // statistics and weights that are not those of the start
						net.Forward(b, nn.Mode{Training: true})
					}
				})
				torch.NoGrad(func() { w := net.Weights().W; w.Add_(torch.Randn(w.Shape(), double).MulScalar_(0.1)) })
				want := net.Forward(b, nn.Mode{})
				torch.NoGrad(func() {
					got := net.Forward(b, nn.Mode{})
					torchtest.Close(t, "logits", got.Logits, want.Logits.Detach(), 1e-12)
					torchtest.Close(t, "loss", got.Loss, want.Loss.Detach(), 1e-12)
				})
			})
		}
	}
}

func TestEvaluationPlaces(t *testing.T) {
	// Logits without a graph equal those with one when the output has inputs of a cell or leaves nodes out, and when operations have no place to write to, odd channels or images that do not fill a part.
	cell := func(concat []int, edges ...genotype.Edge) genotype.Cell {
		return genotype.Cell{Edges: edges, Concat: concat}
	}
	sep, dil, skip := genotype.SepConv5x5, genotype.DilConv3x3, genotype.SkipConnect
	for name, g := range map[string]genotype.Genotype{
		"inputs in the output": {
			Normal: cell([]int{0, 1, 3}, genotype.Edge{Op: sep, From: 0}, genotype.Edge{Op: skip, From: 1}, genotype.Edge{Op: skip, From: 0}, genotype.Edge{Op: skip, From: 2}),
			Reduce: cell([]int{3}, genotype.Edge{Op: skip, From: 0}, genotype.Edge{Op: sep, From: 1}, genotype.Edge{Op: dil, From: 1}, genotype.Edge{Op: skip, From: 2}),
		},
		"operations without a place": {
			Normal: cell([]int{2, 3}, genotype.Edge{Op: genotype.MaxPool3x3, From: 0}, genotype.Edge{Op: genotype.AvgPool3x3, From: 1}, genotype.Edge{Op: genotype.AvgPool3x3, From: 2}, genotype.Edge{Op: genotype.Conv7x1_1x7, From: 2}),
			Reduce: cell([]int{2, 3}, genotype.Edge{Op: genotype.Conv7x1_1x7, From: 0}, genotype.Edge{Op: genotype.MaxPool3x3, From: 1}, genotype.Edge{Op: genotype.SepConv7x7, From: 0}, genotype.Edge{Op: genotype.MaxPool3x3, From: 2}),
		},
	} {
		for _, channels := range []int{6, 8} {
			for _, n := range []int{1, 5} {
				t.Run(fmt.Sprint(name, ", ", channels, " channels, ", n, " images"), func(t *testing.T) {
					torchtest.Scope(t)
					double := torch.Options{Dtype: torch.Float64}
					net, err := cells.NewNetwork(g, cells.NetworkOptions{
						Channels: channels, Layers: 4, Classes: 5, InputChannels: 3, Size: 8, StemMultiplier: 2, Options: double,
					})
					if err != nil {
						t.Fatal(err)
					}
					b := nn.Batch{X: torch.Randn([]int{n, 3, 8, 8}, double), Y: torch.RandInt(0, 5, []int{n}, torch.Options{Dtype: torch.Int64})}
					want := net.Forward(b, nn.Mode{}).Logits.Detach()
					torchtest.Close(t, "logits", net.Logits(b.X), want, 1e-12)
				})
			}
		}
	}
}

func TestEvaluationAfterTraining(t *testing.T) {
	// Evaluation without a graph follows the weights when it alternates with steps of training, by the optimizer and by a load.
	torchtest.Scope(t)
	double := torch.Options{Dtype: torch.Float64}
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	net, err := cells.NewNetwork(g, cells.NetworkOptions{Channels: 4, Layers: 3, Classes: 5, InputChannels: 3, Size: 8, StemMultiplier: 1, Options: double})
	if err != nil {
		t.Fatal(err)
	}
	b := nn.Batch{X: torch.Randn([]int{3, 3, 8, 8}, double), Y: torch.RandInt(0, 5, []int{3}, torch.Options{Dtype: torch.Int64})}
	w := net.Weights()
	step := optim.NewSGD([]torch.Tensor{w.W}, optim.SGDOptions{LR: 0.1, Momentum: 0.9})
	before := torch.StateDict{}
	for name, v := range net.StateDict() {
		before[name] = v.Clone().Detach()
	}
	var last torch.Tensor
	for round := range 4 {
		want := net.Forward(b, nn.Mode{}).Logits.Detach()
		torchtest.Close(t, fmt.Sprint("logits of round ", round), net.Logits(b.X), want, 1e-12)
		if last.Defined() && last.Sub(want).Abs().Sum().Item() == 0 {
			t.Errorf("round %d: nothing has changed", round)
		}
		last = want
		if round == 2 {
			if err := net.LoadStateDict(before); err != nil {
				t.Fatal(err)
			}
			continue
		}
		torch.Scoped(func() {
			gradient := torch.ZerosLike(w.W)
			w.Gradient(net.Forward(b, nn.Mode{Training: true}).Loss, gradient, nil)
			step.Step(gradient)
		})
	}
}
