package search

import (
	"math"
	"testing"

	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestTemperature(t *testing.T) {
	// τ goes from its first to its last value in equal steps when there are 250 epochs, and is the first when there is one.
	for _, test := range []struct {
		epoch, epochs int
		want          float64
	}{{0, 250, 10}, {249, 250, 0.1}, {83, 250, 6.7}, {0, 1, 10}, {1, 2, 0.1}} {
		if got := temperature([2]float64{10, 0.1}, test.epoch, test.epochs); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("epoch %d of %d: %g, want %g", test.epoch, test.epochs, got, test.want)
		}
	}
}

func TestClippedWithAlpha(t *testing.T) {
	// The norm that clips w's step includes the gradients of α from w's pass and, if there was one, from α's last step.
	torchtest.Scope(t)
	c, err := config.Load("../testdata/tiny.yaml", "strategy.name=gdas", "network.layers=3", "network.dtype=float64", "w.grad_clip=0.1")
	if err != nil {
		t.Fatal(err)
	}
	r := &nas.Run{Config: c}
	if err := r.Open(false); err != nil {
		t.Fatal(err)
	}
	torch.ManualSeed(1)
	s, err := newGDAS(r)
	if err != nil {
		t.Fatal(err)
	}
	g := s.(*gdasStrategy)
	torch.NoGrad(func() {
		for _, d := range g.dAlpha {
			d.Copy_(torch.Randn(d.Shape(), d.Options()))
		}
	})
	step := &nas.Step{Run: r}
	for _, load := range r.Feed.Batches(t.Context(), nas.Position{}) {
		load.Fill(step)
		break
	}
	torch.ManualSeed(2)
	of := g.net.Gradients(g.net.W(), step.Train, darts.Need{W: true, Alphas: true, FreezeStatistics: true})
	norm := of.W.Square().Sum().Item()
	for i, d := range of.Alphas {
		norm += d.Add(g.dAlpha[i]).Square().Sum().Item()
	}
	// Nesterov's first step, with d the clipped gradient and the decay: lr·(1 + μ)·d. What was not chosen yet does not decay.
	d := of.W.MulScalar(c.W.GradClip/(math.Sqrt(norm)+1e-6)).AddScaled(g.net.W().Detach().Mul(g.net.Reached()), c.W.WeightDecay)
	want := g.net.W().Detach().AddScaled(d, -c.W.LR*(1+c.W.Momentum))

	torch.ManualSeed(2)
	g.step(step)
	torchtest.Close(t, "w", g.net.W(), want, 1e-12)
	if g.dAlpha[0].Norm().Item() == 0 || g.dAlpha[0].Sub(of.Alphas[0]).Norm().Item() == 0 {
		t.Error("the gradient that is kept is not that of α's step")
	}
}
