package darts_test

import (
	"math"
	"testing"

	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// distances are sums over seeds of the logarithms of how far the plain and the fast form
// are from float64, by what is compared.
type distances map[string][2]float64

func (d distances) add(what string, form int, got, want torch.Tensor) {
	sums := d[what]
	sums[form] += math.Log(got.ToDtype(torch.Float64).Sub(want).Norm().Item() / want.Norm().Item())
	d[what] = sums
}

func (d distances) check(t *testing.T, seeds float64) {
	t.Helper()
	for what, sums := range d {
		plain, fast := math.Exp(sums[0]/seeds), math.Exp(sums[1]/seeds)
		t.Logf("%s: plain %.2g, fast %.2g", what, plain, fast)
		if fast > 1.5*plain {
			t.Errorf("%s: the fast form is %.3g off, the plain form %.3g", what, fast, plain)
		}
	}
}

func TestFastPrecision(t *testing.T) {
	// The fast form is at most half as far again from float64 as the plain form when both run in float32.
	//
	// A distance hangs on whether rounding moves a value across the kink of a ReLU: 1e-3 if it does, 1e-6 if not.
	// Hence the geometric mean over seeds.
	if testing.Short() {
		t.Skip("float64 passes over three networks")
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
			state := copyOf(exact.StateDict())
			want := exact.Gradients(exact.W(), nn.Batch{X: b.X.ToDtype(torch.Float64), Y: b.Y}, need)
			plain, err := darts.NewPlain(o)
			if err != nil {
				t.Fatal(err)
			}
			fast, err := darts.NewFast(o)
			if err != nil {
				t.Fatal(err)
			}
			for form, net := range []darts.Supernet{plain, fast} {
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
