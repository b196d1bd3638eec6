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
	// A pass of one architecture is that of all operations weighed by ones and zeros, and changes nothing it should not, when cells are drawn at random.
	torchtest.Scope(t)
	o := torch.Options{Dtype: torch.Float64}
	net, b := smallNetwork(t, 2, nil)
	tables := func(a *architecture, c genotype.Cell) mixture {
		weights := make([]float64, len(a.ops)*a.width())
		for i, e := range c.Edges {
			weights[(firstEdge(i/2)+e.From)*a.width()+slices.Index(genotype.Primitives, e.Op)] = 1
		}
		return a.numbers(torch.FromSliceTo(weights, []int{len(a.ops), a.width()}, o))
	}
	for seed := range uint64(4) {
		g := FullSpace(2).Sample(rand.New(rand.NewPCG(seed, 0)))
		all := func() mixtures {
			return mixtures{normal: tables(net.normal, g.Normal), reduce: tables(net.reduce, g.Reduce)}
		}
		stats, w := net.weights.Stats.Clone(), net.W().Detach().Clone()

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
		torchtest.Close(t, "running statistics", net.weights.Stats, stats, 0)
		torchtest.Close(t, "w", net.W(), w, 0)

		// With AllStatistics they move as where all is computed.
		same := net.PathGradients(g, b, Need{W: true, AllStatistics: true})
		torchtest.Close(t, "gradient of w with all statistics", same.W, got.W, 0)
		moved := net.weights.Stats.Clone()
		net.weights.Stats.Copy_(stats)
		net.gradients(net.W(), b, Need{}, all)
		torchtest.Close(t, "all running statistics", moved, net.weights.Stats, 1e-12)
		net.weights.Stats.Copy_(stats)
		net.PathGradients(g, b, Need{W: true})
		if net.weights.Stats.Sub(moved).Norm().Item() == 0 {
			t.Error("the running statistics of all operations move without being asked for")
		}
		net.weights.Stats.Copy_(stats)
	}
}
