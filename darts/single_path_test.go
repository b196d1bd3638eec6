package darts

import (
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestPath(t *testing.T) {
	// A pass of a random architecture equals one of all operations weighed by ones and zeros, and changes nothing else.
	torchtest.Scope(t)
	o := torch.Options{Dtype: torch.Float64}
	net, b := smallNetwork(t, 2, nil)
	tables := func(a *Architecture, c genotype.Cell) mixture {
		weights := make([]float64, len(a.Ops)*a.Width())
		for i, e := range c.Edges {
			weights[(FirstEdge(i/2)+e.From)*a.Width()+slices.Index(genotype.Primitives, e.Op)] = 1
		}
		return a.numbers(torch.FromSliceTo(weights, []int{len(a.Ops), a.Width()}, o))
	}
	for seed := range uint64(4) {
		g := FullSpace(2).Sample(rand.New(rand.NewPCG(seed, 0)))
		all := func() mixtures {
			return mixtures{of: [2]mixture{tables(net.architectures[0], g.Normal), tables(net.architectures[1], g.Reduce)}}
		}
		stats, w := net.Weights.Stats.Clone(), net.W().Detach().Clone()

		got := net.PathGradients(g, b, Need{W: true, FreezeStatistics: true})
		want := net.gradients(net.W(), b, Need{W: true, FreezeStatistics: true}, all)
		torchtest.Close(t, "loss", got.Loss, want.Loss, 1e-12)
		torchtest.Close(t, "logits", got.Logits, want.Logits, 1e-12)
		torchtest.Close(t, "gradient of w", got.W, want.W, 1e-11)

		forward := net.PathGradients(g, b, Need{FreezeStatistics: true})
		torchtest.Close(t, "loss alone", forward.Loss, got.Loss, 0)
		if forward.W.Defined() {
			t.Error("a gradient that was not needed")
		}
		torchtest.Close(t, "evaluation", net.PathEval(g, b).Logits, net.eval(b, all).Logits, 1e-12)
		torchtest.Close(t, "running statistics", net.Weights.Stats, stats, 0)
		torchtest.Close(t, "w", net.W(), w, 0)

		// With AllStatistics they move as where all is computed.
		same := net.PathGradients(g, b, Need{W: true, AllStatistics: true})
		torchtest.Close(t, "gradient of w with all statistics", same.W, got.W, 0)
		moved := net.Weights.Stats.Clone()
		net.Weights.Stats.Copy_(stats)
		net.gradients(net.W(), b, Need{}, all)
		torchtest.Close(t, "all running statistics", moved, net.Weights.Stats, 1e-12)
		net.Weights.Stats.Copy_(stats)
		net.PathGradients(g, b, Need{W: true})
		if net.Weights.Stats.Sub(moved).Norm().Item() == 0 {
			t.Error("the running statistics of all operations move without being asked for")
		}
		net.Weights.Stats.Copy_(stats)
	}
}
