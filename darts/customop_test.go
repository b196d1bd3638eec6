package darts_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/enas"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

// blur is an operation from outside of the module's own: a depthwise convolution with a batch norm.
const blur genotype.Op = "blur_3x3"

func init() {
	cells.RegisterOp(blur, cells.CustomOp{
		New: func(p nn.Path, c, stride int, affine bool) nn.Layer {
			return nn.Sequential{
				nn.NewConv2d(p.At("op").Index(0), c, c, [2]int{3, 3}, torch.Conv2dOptions{Stride: stride, Padding: 1, Groups: c}),
				nn.NewBatchNorm2d(p.At("op").Index(1), c, affine),
			}
		},
		Traits: genotype.Traits{Weights: func(c float64, _ int, affine bool) float64 {
			if affine {
				return 9*c + 2*c
			}
			return 9 * c
		}},
	})
}

func blurOptions(nodes int) darts.Options {
	space := darts.Everywhere(nodes, []genotype.Op{genotype.None, blur, genotype.SkipConnect})
	return darts.Options{
		Channels: 4, Layers: 3, Nodes: nodes, Classes: 3, InputChannels: 1, StemMultiplier: 1,
		Normal: space.Normal, Reduce: space.Reduce, Options: torch.Options{Dtype: torch.Float64},
	}
}

func blurBatch() nn.Batch {
	return nn.Batch{X: torch.Randn([]int{4, 1, 8, 8}, torch.Options{Dtype: torch.Float64}), Y: torch.FromSlice([]int64{0, 2, 1, 1}, 4)}
}

func TestRegisteredOpInSupernet(t *testing.T) {
	// A search step trains a registered operation and α, in the plain form with the reason, when the space has the operation.
	torchtest.Scope(t)
	o := blurOptions(2)
	chosen, why, err := fast.Choose(o, 8, 8)
	if err != nil {
		t.Fatal(err)
	}
	net, ok := chosen.(*darts.Plain)
	if want := "the fast form has no blur_3x3"; !ok || why != want {
		t.Fatalf("%T, %q, want the plain form and %q", chosen, why, want)
	}
	if _, err := fast.New(o); err == nil || err.Error() != "darts: supernet: "+why {
		t.Errorf("fast.New: %v", err)
	}
	if got, want := o.Estimate(8).Weights, float64(net.ParameterCount()); got != want {
		t.Errorf("%g weights are estimated, there are %g", got, want)
	}
	if net.Cost(1, 8).MultiplyAdds == 0 {
		t.Error("the supernet costs nothing")
	}

	w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.1, Momentum: 0.9})
	architect := darts.NewArchitect(net, w, optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 0.1}))
	before := net.Alphas()[0].Detach().Clone()
	train, valid := blurBatch(), blurBatch()
	torch.Scoped(func() { architect.Step(train, valid, 0.1) })
	if net.Alphas()[0].Detach().Sub(before).Norm().Item() == 0 {
		t.Error("α did not move")
	}
	g := net.Gradients(net.W(), train, darts.Need{W: true})
	found := 0
	for name, dW := range net.Views(g.W) {
		if !strings.HasSuffix(name, "._ops.1.op.0.weight") {
			continue
		}
		if found++; dW.Norm().Item() == 0 {
			t.Errorf("%s has no gradient", name)
		}
	}
	if want := 3 * darts.Edges(2); found != want {
		t.Errorf("%d blurs have weights, want %d", found, want)
	}
}

func TestRegisteredOpInNetwork(t *testing.T) {
	// Cells with a registered operation are read, drawn from spaces, decided by ENAS' controller, and trained as an evaluation network.
	torchtest.Scope(t)
	o := blurOptions(2)
	space := darts.Space{Nodes: 2, Normal: o.Normal, Reduce: o.Reduce}
	controller, err := enas.New(space, enas.Options{LR: 1e-3})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	all := []genotype.Genotype{space.Hardest()}
	for range 4 {
		all = append(all, space.Sample(r), space.Mutate(all[0], r), controller.Draw(r))
	}
	blurs := 0
	for _, g := range all {
		blurs += strings.Count(g.String(), string(blur))
		if read, err := genotype.Parse(g.String()); err != nil || read.String() != g.String() {
			t.Errorf("%v, read as %v", err, read)
		}
		sizes := cells.NetworkOptions{Channels: 4, Layers: 3, Classes: 3, InputChannels: 1, Size: 8, StemMultiplier: 1, Options: o.Options}
		net, err := cells.NewNetwork(g, sizes)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sizes.Estimate(g).Weights, float64(net.Weights().Count("")); got != want {
			t.Errorf("%g weights are estimated, there are %g", got, want)
		}
		out := net.Forward(blurBatch(), nn.Mode{Training: true, DropPath: 0.2})
		net.Weights().Gradient(out.Loss, torch.Empty(net.Weights().W.Shape(), o.Options), nil)
		torch.NoGrad(func() { net.Forward(blurBatch(), nn.Mode{}) })
	}
	if blurs == 0 {
		t.Error("no cell has the operation")
	}
}

func TestRegisterOpRefuses(t *testing.T) {
	// RegisterOp panics with *torch.Error and registers nothing when a name is taken or none, or there is no constructor.
	layer := func(nn.Path, int, int, bool) nn.Layer { return cells.Identity{} }
	for _, test := range []struct {
		name genotype.Op
		o    cells.CustomOp
		want string
	}{
		{blur, cells.CustomOp{New: layer}, "there is a blur_3x3 already"},
		{genotype.SepConv7x7, cells.CustomOp{New: layer}, "there is a sep_conv_7x7 already"},
		{genotype.ActTanh, cells.CustomOp{New: layer}, "there is a tanh already"},
		{"Blur 3x3", cells.CustomOp{New: layer}, `"Blur 3x3" is no name, want at most 40 of a-z, 0-9 and _, a letter first`},
		{"", cells.CustomOp{New: layer}, `"" is no name`},
		{"blur_5x5", cells.CustomOp{}, `operation "blur_5x5" without a constructor`},
	} {
		err := torch.Do(func() error {
			cells.RegisterOp(test.name, test.o)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.name, err, test.want)
		}
	}
	if got := genotype.Registered(); len(got) != 1 || got[0] != blur {
		t.Errorf("registered are %v", got)
	}
}
