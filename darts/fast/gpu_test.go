package fast_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
	"godarts/torch/torchtest"
)

// onGPU are supernets on a GPU with the weights of plain, by the names of their forms.
func onGPU(t *testing.T, plain *darts.Plain, o darts.Options, gpu torch.Device) map[string]darts.Supernet {
	t.Helper()
	o.Options = torch.Options{Dtype: torch.Float64, Device: gpu}
	nets := map[string]darts.Supernet{}
	for name, make := range map[string]func() (darts.Supernet, error){
		"plain": func() (darts.Supernet, error) { return darts.NewPlain(o) },
		"fast":  func() (darts.Supernet, error) { return fast.New(o) },
		"wide":  func() (darts.Supernet, error) { return fast.NewWide(o) },
	} {
		net, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if err := net.LoadStateDict(plain.StateDict()); err != nil {
			t.Fatal(err)
		}
		nets[name] = net
	}
	return nets
}

// captured is net.Gradients in a region: captured where there are graphs.
func captured(net darts.Supernet, r *replay.Region, w torch.Tensor, b nn.Batch, need darts.Need) (g darts.Result) {
	key := struct {
		need darts.Need
		own  bool
	}{need, w == net.W()}
	var at torch.Tensor
	if !key.own {
		at = w
	}
	out := r.Run(key, []torch.Tensor{b.X, b.Y, at}, func(in []torch.Tensor) []torch.Tensor {
		w := net.W()
		if !key.own {
			w = in[2]
		}
		g := net.Gradients(w, nn.Batch{X: in[0], Y: in[1]}, need)
		return append([]torch.Tensor{g.Loss, g.Logits, g.W}, g.Alphas...)
	})
	g.Loss, g.Logits, g.W, g.Alphas = out[0], out[1], out[2], out[3:]
	return g
}

func stateOf(net darts.Supernet) []torch.Tensor {
	return slices.Collect(maps.Values(net.StateDict()))
}

func batchOn(b nn.Batch, d torch.Device) nn.Batch {
	return nn.Batch{
		X: b.X.To(torch.Options{Dtype: torch.Float64, Device: d}), Y: b.Y.To(torch.Options{Dtype: torch.Int64, Device: d}),
	}
}

// onCPU is a copy of a tensor of whatever device.
func onCPU(t torch.Tensor) torch.Tensor {
	return t.Detach().To(torch.Options{Dtype: torch.Float64})
}

// closeOnCPU compares a supernet on a GPU with the plain one on the CPU: a pass of both,
// and the states after it.
func closeOnCPU(t *testing.T, plain *darts.Plain, net darts.Supernet, want, got darts.Result) {
	t.Helper()
	closeResults(t, want, got)
	if want.W.Defined() {
		wants := plain.Views(want.W)
		for name, g := range plain.Views(onCPU(got.W)) {
			closeOrTiny(t, "gradient of "+name, g, wants[name], want.W)
		}
	}
	stateOnCPU(t, plain, net)
}

func stateOnCPU(t *testing.T, plain *darts.Plain, net darts.Supernet) {
	t.Helper()
	own := torch.StateDict{}
	for name, x := range net.StateDict() {
		own[name] = onCPU(x)
	}
	closeStates(t, own, plain.StateDict())
}

func TestFormsOnGPU(t *testing.T) {
	// Every form of the supernet gives on the GPU what the plain one gives on the CPU, whatever is needed, when batches change.
	gpu := torchtest.CUDA(t)
	for _, row := range []struct {
		name   string
		change func(*darts.Options)
	}{
		{"two nodes", func(*darts.Options) {}},
		{"four nodes, more cells", func(o *darts.Options) { o.Nodes, o.Layers, o.Channels = 4, 5, 2 }},
	} {
		o := sizes()
		row.change(&o)
		for _, form := range []string{"plain", "fast", "wide"} {
			t.Run(row.name+", "+form, func(t *testing.T) {
				torchtest.Scope(t)
				plain, _ := bothForms(t, o)
				net := onGPU(t, plain, o, gpu)[form]
				region := replay.New(net.W(), func() []torch.Tensor { return stateOf(net) })
				defer region.Forget()
				for i, need := range []darts.Need{
					{W: true, Alphas: true}, {W: true}, {W: true}, {Alphas: true}, {Alphas: true, FreezeStatistics: true}, {Alphas: true}, {},
				} {
					b := randomBatch(o, 6, 8, 8)
					w, own := plain.W(), net.W()
					if i%2 == 1 { // not at W()
						w, own = w.AddScalar(0.01*float64(i)), own.AddScalar(0.01*float64(i))
					}
					closeOnCPU(t, plain, net, plain.Gradients(w, b, need), captured(net, region, own, batchOn(b, gpu), need))
				}
				b := randomBatch(o, 5, 8, 8)
				want, got := plain.Eval(b), net.Eval(batchOn(b, gpu))
				torchtest.Close(t, "logits of Eval", got.Logits, want.Logits, equal)
			})
		}
	}
}

func TestStepsOnGPU(t *testing.T) {
	// Weights, α, statistics and cells are after search steps on the GPU what they are on the CPU, and no step leaves a tensor.
	gpu := torchtest.CUDA(t)
	// step gives steps whose learning rate falls, and the function that ends them. They are captured where there are graphs.
	step := func(net darts.Supernet, train, valid nn.Batch, second bool) (next, end func()) {
		w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4})
		alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
		architect := darts.NewArchitect(net, w, alpha)
		region := replay.New(net.W(), func() []torch.Tensor {
			return slices.Concat(stateOf(net), w.Overwritten(), alpha.Overwritten())
		})
		return func() {
			w.SetLR(0.7 * w.LR())
			xi := 0.0
			if second {
				xi = w.LR()
			}
			architect.SetXi(xi)
			torch.Scoped(func() {
				region.Run(nil, []torch.Tensor{train.X, train.Y, valid.X, valid.Y}, func(in []torch.Tensor) []torch.Tensor {
					train, valid := nn.Batch{X: in[0], Y: in[1]}, nn.Batch{X: in[2], Y: in[3]}
					architect.Step(train, valid, xi)
					g := net.Gradients(net.W(), train, darts.Need{W: true})
					optim.Clip(0.5, g.W)
					w.Step(g.W)
					return nil
				})
			})
		}, region.Forget
	}
	for _, second := range []bool{false, true} {
		t.Run(fmt.Sprint("second order ", second), func(t *testing.T) {
			torchtest.Scope(t)
			plain, _ := bothForms(t, sizes())
			nets := onGPU(t, plain, sizes(), gpu)
			train, valid := randomBatch(sizes(), 6, 8, 8), randomBatch(sizes(), 6, 8, 8)
			const steps = 4
			onCPU, _ := step(plain, train, valid, second)
			for range steps {
				onCPU()
			}
			for name, net := range nets {
				next, end := step(net, batchOn(train, gpu), batchOn(valid, gpu), second)
				defer end()
				next() // captures
				live := torch.Live()
				for range steps - 1 {
					next()
				}
				if torch.Live() != live {
					t.Errorf("%s: %d tensors live, %d after the first step", name, torch.Live(), live)
				}
				stateOnCPU(t, plain, net)
				if got, want := net.Genotype().String(), plain.Genotype().String(); got != want {
					t.Errorf("%s: genotype\n got %s\nwant %s", name, got, want)
				}
			}
		})
	}
}

// masksOn are masks on the device d.
func masksOn(masks func() torch.Tensor, d torch.Device) func() torch.Tensor {
	return func() torch.Tensor { return masks().Upload(d) }
}

func TestRecurrentOnGPU(t *testing.T) {
	// Both forms of the recurrent supernet give on the GPU what the plain one gives on the CPU.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	o := recurrentSizes()
	plain, _ := bothRecurrent(t, o)
	b := randomTokens(o, 5, 4)
	there := batchOn(b, gpu)
	integers := torch.Options{Dtype: torch.Int64, Device: gpu}
	there.X, there.Hidden, there.Masks = b.X.To(integers), b.Hidden.To(torch.Options{Dtype: torch.Float64, Device: gpu}), masksOn(b.Masks, gpu)
	need := darts.Need{W: true, Alphas: true, FreezeStatistics: true}
	want := plain.Gradients(plain.W(), b, need)
	o.Options = torch.Options{Dtype: torch.Float64, Device: gpu}
	for name, make := range map[string]func() (darts.Supernet, error){
		"plain": func() (darts.Supernet, error) { return darts.NewRecurrentPlain(o) },
		"fast":  func() (darts.Supernet, error) { return fast.NewRecurrent(o) },
	} {
		net, err := make()
		if err != nil {
			t.Fatal(err)
		}
		if err := net.LoadStateDict(plain.StateDict()); err != nil {
			t.Fatal(err)
		}
		got := net.Gradients(net.W(), there, need)
		torchtest.Close(t, name+": loss", got.Loss, want.Loss, equal)
		torchtest.Close(t, name+": hidden", got.Hidden, want.Hidden, equal)
		torchtest.Close(t, name+": gradient of w", got.W, want.W, equal)
		torchtest.Close(t, name+": gradient of α", got.Alphas[0], want.Alphas[0], equal)
		torchtest.Close(t, name+": loss of Eval", net.Eval(there).Loss, plain.Eval(b).Loss, equal)
	}
}
