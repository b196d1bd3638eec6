package darts_test

import (
	"errors"
	"fmt"
	"testing"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

func TestSizes(t *testing.T) {
	// The search network has the published number of weights and entries when it has the paper's sizes.
	torchtest.Scope(t)
	net, err := darts.NewPlain(darts.Options{Channels: 16, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := net.ParameterCount(), 1930618; got != want {
		t.Errorf("%d weights, want %d", got, want)
	}
	const alphas = 2
	if got, want := len(net.StateDict()), 3257+alphas; got != want {
		t.Errorf("%d entries in the state dict, want %d", got, want)
	}
}

func TestBadSizes(t *testing.T) {
	// No network is made, and no tensor left, when sizes give none.
	torchtest.Scope(t)
	good := darts.Options{Channels: 4, Layers: 3, Nodes: 2, Classes: 10, InputChannels: 1, StemMultiplier: 3}
	for _, test := range []struct {
		name   string
		change func(*darts.Options)
		want   string
	}{
		{"odd channels", func(o *darts.Options) { o.Channels = 5 }, "darts: supernet: 5 channels: a factorized reduction halves them, they must be even"},
		{"too few layers", func(o *darts.Options) { o.Layers = 2 }, "darts: supernet: 2 layers, want at least 3"},
		{"no nodes", func(o *darts.Options) { o.Nodes = 0 }, "darts: supernet: 0 nodes, want at least 1"},
	} {
		o := good
		test.change(&o)
		if _, err := darts.NewPlain(o); err == nil || err.Error() != test.want {
			t.Errorf("%s: got error %v, want %s", test.name, err, test.want)
		}
	}
}

func tinyOptions(o torch.Options) darts.Options {
	return darts.Options{Channels: 2, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 2, Options: o}
}

// tinyNetwork and its batch are of 2 channels, 3 cells, 8x8 images.
func tinyNetwork(t testing.TB) (*darts.Plain, nn.Batch) {
	t.Helper()
	o := torch.Options{Dtype: torch.Float64}
	torch.ManualSeed(1)
	net, err := darts.NewPlain(tinyOptions(o))
	if err != nil {
		t.Fatal(err)
	}
	return net, nn.Batch{X: torch.Randn([]int{6, 1, 8, 8}, o), Y: torch.RandInt(0, 4, []int{6}, torch.Options{Dtype: torch.Int64})}
}

func TestGradientsElsewhere(t *testing.T) {
	// Gradients at another vector leave w and frozen statistics bit-equal, and equal those of a network that has the vector.
	torchtest.Scope(t)
	net, b := tinyNetwork(t)
	before := torchtest.Copied(net.StateDict())
	other := net.W().Detach().AddScalar(0.01)
	got := net.Gradients(other, b, darts.Need{W: true, Alphas: true, FreezeStatistics: true})
	for name, x := range net.StateDict() {
		torchtest.Close(t, name, x, before[name], 0)
	}
	torch.NoGrad(func() { net.W().Copy_(other) })
	want := net.Gradients(net.W(), b, darts.Need{W: true, Alphas: true})
	torchtest.Close(t, "gradient of w", got.W, want.W, 0)
	torchtest.Close(t, "gradient of alpha", got.Alphas[0], want.Alphas[0], 0)
	moved := 0
	for name, x := range net.StateDict() {
		if x.Sub(before[name]).Norm().Item() != 0 {
			moved++
		}
	}
	if moved < 10 {
		t.Errorf("%d tensors moved: running statistics should when they are not frozen", moved)
	}
}

func TestGradientsInBFloat16(t *testing.T) {
	// Gradients in bfloat16 are float32 tensors near the full ones, and Gradients after them are full again, when asked for both in turn.
	torchtest.Scope(t)
	torch.ManualSeed(1)
	net, err := darts.NewPlain(darts.Options{Channels: 2, Layers: 3, Nodes: 1, Classes: 4, InputChannels: 1, StemMultiplier: 2})
	if err != nil {
		t.Fatal(err)
	}
	b := nn.Batch{X: torch.Randn([]int{4, 1, 8, 8}, torch.Options{}), Y: torch.RandInt(0, 4, []int{4}, torch.Options{Dtype: torch.Int64})}
	pass := func(half bool) darts.Result {
		return net.Gradients(net.W(), b, darts.Need{W: true, Alphas: true, FreezeStatistics: true, BFloat16: half})
	}
	full, half, again := pass(false), pass(true), pass(false)
	for _, it := range []struct {
		name              string
		full, half, again torch.Tensor
	}{{"loss", full.Loss, half.Loss, again.Loss}, {"w", full.W, half.W, again.W}, {"alpha", full.Alphas[0], half.Alphas[0], again.Alphas[0]}} {
		distance := it.half.Sub(it.full).Norm().Item() / it.full.Norm().Item()
		if it.half.Dtype() != torch.Float32 || distance == 0 || !(distance < 0.3) {
			t.Errorf("%s: %s, relative distance %g", it.name, it.half.Dtype(), distance)
		}
		torchtest.Close(t, it.name, it.again, it.full, 0)
	}
}

func TestGradientsOfAlpha(t *testing.T) {
	// The gradients of alpha and w equal finite differences in float64.
	torchtest.Scope(t)
	net, b := tinyNetwork(t)
	g := net.Gradients(net.W(), b, darts.Need{W: true, Alphas: true, FreezeStatistics: true})
	loss := func() float64 {
		return net.Gradients(net.W(), b, darts.Need{FreezeStatistics: true}).Loss.Item()
	}
	const eps = 1e-6
	for _, it := range []struct {
		name  string
		x, dx torch.Tensor
	}{{"w", net.W(), g.W}, {"normal", net.Alphas()[0], g.Alphas[0]}, {"reduce", net.Alphas()[1], g.Alphas[1]}} {
		direction := torch.Randn(it.x.Shape(), it.x.Options())
		move := func(by float64) { torch.NoGrad(func() { it.x.AddScaled_(direction, by) }) }
		move(eps)
		up := loss()
		move(-2 * eps)
		down := loss()
		move(eps)
		want := torch.Scalar((up-down)/(2*eps), it.x.Options())
		torchtest.Close(t, it.name, direction.Mul(it.dx).Sum(), want, 1e-5)
	}
}

func TestStateDictRoundTrip(t *testing.T) {
	// Another network gives the same logits when it has loaded the state dict, and changes nothing when an entry is wrong.
	torchtest.Scope(t)
	net, b := tinyNetwork(t)
	saved := torchtest.Copied(net.StateDict())
	want := net.Eval(b)
	torch.NoGrad(func() { net.W().Zero_() })
	for name, damage := range map[string]func(torch.StateDict){
		"missing":       func(sd torch.StateDict) { delete(sd, "classifier.bias") },
		"missing alpha": func(sd torch.StateDict) { delete(sd, "alphas_reduce") },
		"unknown":       func(sd torch.StateDict) { sd["cells.9"] = sd["classifier.bias"] },
		"shape":         func(sd torch.StateDict) { sd["classifier.bias"] = sd["classifier.weight"] },
	} {
		bad := torchtest.Copied(saved)
		damage(bad)
		if err := net.LoadStateDict(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := net.W().Norm().Item(); n != 0 {
			t.Errorf("%s: the weights changed", name)
		}
	}
	if err := net.LoadStateDict(saved); err != nil {
		t.Fatal(err)
	}
	torchtest.Close(t, "logits", net.Eval(b).Logits, want.Logits, 0)
}

func ExampleArchitect_Step() {
	err := torch.Do(func() error {
		torch.ManualSeed(2)
		net, err := darts.NewPlain(darts.Options{Channels: 4, Layers: 3, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3})
		if err != nil {
			return err
		}
		w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4})
		alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
		architect := darts.NewArchitect(net, w, alpha)

		images := nn.Batch{
			X: torch.Randn([]int{8, 3, 8, 8}, torch.Options{}),
			Y: torch.RandInt(0, 10, []int{8}, torch.Options{Dtype: torch.Int64}),
		}
		architect.Step(images, images, w.LR())                   // α, second order
		g := net.Gradients(net.W(), images, darts.Need{W: true}) // w
		optim.ClipNorm(5, g.W)
		w.Step(g.W)
		fmt.Println(len(net.Genotype().Normal.Edges), "edges in a normal cell")
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: 8 edges in a normal cell
}

func TestLabelsOutOfRange(t *testing.T) {
	// Both forms refuse a label that is no class, when they train and when they evaluate.
	torchtest.Scope(t)
	o := darts.Options{Channels: 2, Layers: 3, Nodes: 1, Classes: 3, InputChannels: 1, StemMultiplier: 1}
	plain, err := darts.NewPlain(o)
	if err != nil {
		t.Fatal(err)
	}
	fast, err := fast.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []float64{-100, -1, 3} {
		b := nn.Batch{X: torch.Randn([]int{2, 1, 8, 8}, torch.Options{}), Y: torch.Full([]int{2}, label, torch.Options{Dtype: torch.Int64})}
		for name, net := range map[string]darts.Supernet{"plain": plain, "fast": fast} {
			for pass, run := range map[string]func(){
				"training":   func() { net.Gradients(net.W(), b, darts.Need{W: true, Alphas: true}) },
				"evaluation": func() { net.Eval(b) },
			} {
				var e *torch.Error
				if err := torch.Do(func() error { run(); return nil }); !errors.As(err, &e) {
					t.Errorf("label %g, %s form, %s: got %v", label, name, pass, err)
				}
			}
		}
	}
}
