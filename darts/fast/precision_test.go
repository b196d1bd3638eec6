package fast_test

import (
	"math"
	"slices"
	"testing"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/torchtest"
)

// distances are sums over seeds of the logarithms of how far each form, the plain one first, is from float64, by what
// is compared.
type distances map[string][]float64

func (d distances) add(what string, form int, got, want torch.Tensor) {
	if form == len(d[what]) {
		d[what] = append(d[what], 0)
	}
	d[what][form] += math.Log(got.ToDtype(torch.Float64).Sub(want).Norm().Item() / want.Norm().Item())
}

func (d distances) check(t *testing.T, seeds float64) {
	t.Helper()
	for what, sums := range d {
		plain := math.Exp(sums[0] / seeds)
		for form, sum := range sums[1:] {
			far := math.Exp(sum / seeds)
			t.Logf("%s: plain %.2g, form %d %.2g", what, plain, form+1, far)
			if far > 1.5*plain {
				t.Errorf("%s: form %d is %.3g off, the plain form %.3g", what, form+1, far, plain)
			}
		}
	}
}

func TestFastPrecision(t *testing.T) {
	// The fast and the wide form are at most half as far again from float64 as the plain form when all run in float32.
	//
	// A distance depends on whether rounding moves a value across the kink of a ReLU: 1e-3 if it does, 1e-6 if not.
	// Hence the geometric mean over seeds.
	if testing.Short() {
		t.Skip("-short: float64 passes over three networks")
	}
	torchtest.Scope(t)
	const seeds = 8
	o := sizes()
	o.Channels = 8
	exactly := o
	exactly.Dtype = torch.Float64
	far := distances{}
	for seed := range uint64(seeds) {
		torch.Scoped(func() {
			torch.ManualSeed(seed)
			exact, err := darts.NewPlain(exactly)
			if err != nil {
				t.Fatal(err)
			}
			b := nn.Batch{X: torch.Randn([]int{64, 3, 16, 16}, torch.Options{}), Y: torch.RandInt(0, 5, []int{64}, torch.Options{Dtype: torch.Int64})}
			need := darts.Need{W: true, Alphas: true}
			state := torchtest.Copied(exact.StateDict())
			want := exact.Gradients(exact.W(), nn.Batch{X: b.X.ToDtype(torch.Float64), Y: b.Y}, need)
			plain, err := darts.NewPlain(o)
			if err != nil {
				t.Fatal(err)
			}
			fast, err := fast.New(o)
			if err != nil {
				t.Fatal(err)
			}
			for form, net := range []darts.Supernet{plain, fast, wideIn(t, o)} {
				if err := net.LoadStateDict(state); err != nil {
					t.Fatal(err)
				}
				got := net.Gradients(net.W(), b, need)
				for what, pair := range map[string][2]torch.Tensor{
					"logits": {got.Logits, want.Logits}, "gradient of w": {got.W, want.W},
					"gradient of normal alpha": {got.Alphas[0], want.Alphas[0]}, "gradient of reduce alpha": {got.Alphas[1], want.Alphas[1]},
				} {
					far.add(what, form, pair[0], pair[1])
				}
			}
		})
	}
	far.check(t, seeds)
}

func TestStepFloat32(t *testing.T) {
	// A first-order step in float32 gives gradients, α, weights and statistics of float64, in both forms, from most of the states around a recorded one.
	//
	// A gradient jumps by 1e-3 where a value crosses the kink of a ReLU or the tie of a max pool. Some value is within
	// rounding of that in one state of twenty or so, and falls on one side or the other by the order in which a
	// processor adds up. Other states have other values there: hence the median over states. TestRecordings
	// compares float64 with the reference.
	if testing.Short() {
		t.Skip("-short: steps of three networks from five states")
	}
	torchtest.Scope(t)
	const states = 5
	golden := torchtest.Golden(t, torchtest.Fixture(t, "cnn_search_first_order.safetensors"))
	double, single := recording{t, golden, torch.Options{Dtype: torch.Float64}}, recording{t, golden, torch.Options{}}
	exact, err := darts.NewPlain(double.options())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := darts.NewPlain(single.options())
	if err != nil {
		t.Fatal(err)
	}
	fast, err := fast.New(single.options())
	if err != nil {
		t.Fatal(err)
	}
	far := map[string][]float64{}
	torch.ManualSeed(1)
	for i := range states {
		torch.Scoped(func() {
			start := single.state("init.")
			if i > 0 {
				for _, x := range start {
					x.Mul_(torch.Randn(x.Shape(), x.Options()).MulScalar(1e-3).AddScalar(1))
				}
			}
			want := double.step(exact, start)
			for form, net := range map[string]network{"plain": plain, "fast": fast} {
				got, worst := single.step(net, start), 0.0
				for name, x := range want {
					d := got[name].ToDtype(torch.Float64).Sub(x).Norm().Item()
					if norm := x.Norm().Item(); norm > 0 {
						d /= norm
					}
					if !(d <= worst) { // so that no number is the worst
						worst = d
					}
				}
				far[form] = append(far[form], worst)
			}
		})
	}
	for form, all := range far {
		t.Logf("%s: %.2g", form, all)
		slices.Sort(all) // those that are no numbers come first
		if median := all[states/2]; math.IsNaN(all[0]) || median > torchtest.Float32 {
			t.Errorf("%s form: the distances of the worst tensor are %.3g, their median is to be at most %g", form, all, torchtest.Float32)
		}
	}
}

// step takes net one step of the search on the recording's first batches, from start, and gives
// all that comes of it.
func (r recording) step(net network, start torch.StateDict) torch.StateDict {
	r.t.Helper()
	if err := net.LoadStateDict(start); err != nil {
		r.t.Fatal(err)
	}
	w, adam := r.optimizers(net)
	train := r.batch(0, "train")
	dAlpha := darts.NewArchitect(net, w, adam).Gradient(train, r.batch(0, "valid"), 0).Alphas
	adam.Step(dAlpha...)
	g := net.Gradients(net.W(), train, darts.Need{W: true})
	out := torch.StateDict{"loss": g.Loss, "logits": g.Logits, "gradient of normal alpha": dAlpha[0], "gradient of reduce alpha": dAlpha[1]}
	for name, x := range net.Views(g.W.Clone()) {
		out["gradient of "+name] = x
	}
	optim.ClipNorm(r.number("grad_clip"), g.W)
	w.Step(g.W)
	for name, x := range torchtest.Copied(net.StateDict()) {
		out[name] = x
	}
	return out
}
