package darts_test

import (
	"os"
	"strconv"
	"testing"

	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// BenchmarkStep takes search steps of the paper's network on batches of 16.
func BenchmarkStep(b *testing.B) {
	o := darts.Options{Channels: 16, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3}
	for _, form := range []struct {
		name string
		make func() (darts.Supernet, error)
	}{
		{"fast", func() (darts.Supernet, error) { return darts.NewFast(o) }},
		{"plain", func() (darts.Supernet, error) { return darts.NewPlain(o) }},
	} {
		for _, order := range []struct {
			name string
			xi   float64
		}{{"first", 0}, {"second", 0.025}} {
			b.Run(form.name+"/"+order.name, func(b *testing.B) { benchmarkStep(b, form.make, order.xi) })
		}
	}
}

func benchmarkStep(b *testing.B, network func() (darts.Supernet, error), xi float64) {
	defer torch.Enter()()
	torch.ManualSeed(1)
	net, err := network()
	if err != nil {
		b.Fatal(err)
	}
	batch := 16
	if s := os.Getenv("BATCH"); s != "" {
		batch, _ = strconv.Atoi(s)
	}
	images := func() nn.Batch {
		return nn.Batch{
			X: torch.Randn([]int{batch, 3, 32, 32}, torch.Options{}).ChannelsLast(),
			Y: torch.RandInt(0, 10, []int{batch}, torch.Options{Dtype: torch.Int64}),
		}
	}
	train, valid := images(), images()
	w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4})
	alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
	architect := darts.NewArchitect(net, w, alpha)
	step := func() {
		torch.Scoped(func() {
			architect.Step(train, valid, xi)
			g := net.Gradients(net.W(), train, darts.Need{W: true})
			optim.ClipNorm(5, g.W)
			w.Step(g.W)
		})
	}
	step()
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "images/s")
}
