package fast_test

import (
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestEstimate(t *testing.T) {
	// The estimate counts the weights of the supernet, for the full space, edges of their own and partial channels.
	reduced := darts.ReducedSpaces["s1"]
	for _, o := range []darts.Options{
		{Channels: 4, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3},
		{Channels: 4, Layers: 3, Nodes: 4, Classes: 3, InputChannels: 1, StemMultiplier: 1, Normal: reduced.Normal, Reduce: reduced.Reduce},
		{Channels: 8, Layers: 5, Nodes: 2, Classes: 3, InputChannels: 1, StemMultiplier: 1, Partial: 2},
	} {
		torchtest.Scope(t)
		net, err := darts.NewPlain(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Estimate(32); got.Weights != float64(net.W().Numel()) || got.PerImage <= 0 {
			t.Errorf("%+v: %v weights, want %d", o, got.Weights, net.W().Numel())
		}
	}
	o := darts.Options{Channels: 4, Layers: 1000, Nodes: 100, Classes: 10, InputChannels: 3, StemMultiplier: 3}
	if err := o.Check(); err == nil || err.Error() != "darts: supernet: 1000 layers of 100 nodes make 41200000 operations, want at most 100000" {
		t.Errorf("got error %v", err)
	}
}

func TestOneValue(t *testing.T) {
	// Both forms refuse one value of a channel when they train, and take it in evaluation.
	torchtest.Scope(t)
	o := darts.Options{Channels: 2, Layers: 3, Nodes: 1, Classes: 2, InputChannels: 1, StemMultiplier: 1}
	plain, fast := bothForms(t, o)
	wide := wideOf(t, plain, o)
	recurrentPlain, recurrentFast := bothRecurrent(t, recurrentSizes())
	for _, test := range []struct {
		name   string
		values int
		pass   func(values int, net darts.Supernet) error
		nets   []darts.Supernet
	}{
		{"images", 1, func(n int, net darts.Supernet) error {
			b := randomBatch(o, n, 4, 4)
			net.Eval(b)
			return torch.Do(func() error { net.Gradients(net.W(), b, darts.Need{W: true, Alphas: true}); return nil })
		}, []darts.Supernet{plain, fast, wide}},
		{"columns", 1, func(n int, net darts.Supernet) error {
			b := randomTokens(recurrentSizes(), 2, n)
			net.Eval(b)
			return torch.Do(func() error { net.Gradients(net.W(), b, darts.Need{W: true}); return nil })
		}, []darts.Supernet{recurrentPlain, recurrentFast}},
	} {
		for i, net := range test.nets {
			if err := test.pass(1, net); err == nil || !strings.Contains(err.Error(), "training needs more than one value per channel") {
				t.Errorf("%s, form %d: got error %v", test.name, i, err)
			}
			if err := test.pass(2, net); err != nil {
				t.Errorf("%s, form %d, two of them: %v", test.name, i, err)
			}
			for name, x := range net.StateDict() {
				if x.Dtype().IsFloat() && x.IsFinite().ToDtype(torch.Float32).Amin(nil, false).Item() == 0 {
					t.Errorf("%s, form %d: %s is not finite", test.name, i, name)
				}
			}
		}
	}
}

func TestHardest(t *testing.T) {
	// The hardest cells take skip connections of stride 2 wherever the space has them, then operations with batch norms.
	some := darts.Space{
		Nodes:  2,
		Normal: [][]genotype.Op{{genotype.SkipConnect, genotype.DilConv3x3}, {genotype.None, genotype.MaxPool3x3}, {genotype.AvgPool3x3}, {genotype.AvgPool3x3}, {genotype.SepConv3x3}},
		Reduce: [][]genotype.Op{{genotype.SepConv3x3, genotype.SkipConnect}, {genotype.None, genotype.MaxPool3x3}, {genotype.AvgPool3x3}, {genotype.AvgPool3x3}, {genotype.SkipConnect, genotype.SepConv5x5}},
	}
	want := "Genotype(normal=[('dil_conv_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 2), ('avg_pool_3x3', 0)], normal_concat=range(2, 4), " +
		"reduce=[('skip_connect', 0), ('max_pool_3x3', 1), ('sep_conv_5x5', 2), ('avg_pool_3x3', 0)], reduce_concat=range(2, 4))"
	if got := some.Hardest(); got.String() != want || got.Validate() != nil {
		t.Errorf("got %v, want %s", got, want)
	}
	for _, e := range darts.FullSpace(4).Hardest().Reduce.Edges {
		if e.Op != genotype.SkipConnect || e.From > 1 {
			t.Errorf("edge %v of the full space's reduction cell", e)
		}
	}
}
