package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestAdamByHand(t *testing.T) {
	// Adam moves by lr·d/(|d| + eps) when it takes its first step, whatever the betas.
	cases := []struct {
		name string
		o    AdamOptions
		want []float64
	}{
		{"eps 1", AdamOptions{LR: 0.5, Eps: 1}, []float64{1 - 0.5*1./2, -2 + 0.5*3./4}},
		{"default eps", AdamOptions{LR: 0.5}, []float64{0.5, -1.5}},
		{"betas", AdamOptions{LR: 0.5, Eps: 1, Betas: [2]float64{0, 0.5}}, []float64{0.75, -1.625}},
		{"decay", AdamOptions{LR: 0.5, Eps: 1, WeightDecay: 2}, []float64{1 - 0.5*3./4, -2 + 0.5*7./8}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			torchtest.Scope(t)
			p := vector(1, -2)
			NewAdam([]torch.Tensor{p}, c.o).Step(vector(1, -3))
			wantClose(t, "p", p, c.want, 1e-8)
		})
	}
}

func TestAdamGolden(t *testing.T) {
	// Adam gives PyTorch's bits when it repeats three recorded steps of alpha.
	//
	// The numbers are the first row (edge 0 of the normal cell, 8 operations) of
	// alphas_normal in the recording cnn_search_first_order: float64, PyTorch 2.11.
	alpha := []float64{-0.057037353515625, -0.165283203125, 0.73291015625, -0.31298828125, 0.125, 0.50244140625,
		0.05780029296875, 0.1273193359375}
	steps := []struct{ grad, want []float64 }{
		{
			[]float64{0.015841922655929576, 0.00658208155520355, -0.061861104591928895, -0.010941827934014823,
				-0.012171863793780421, 0.11484675017223521, 0.05223828760815994, -0.10453424567180412},
			[]float64{-0.05733735332556989, -0.16558320265747786, 0.7332101562009228, -0.3126882815165523,
				0.12529999975097275, 0.502141406276008, 0.05750029302611566, 0.12761933590876628},
		},
		{
			[]float64{0.0032327014851718733, -0.014094862330580951, 0.00015935968470733725, -0.016912781856202833,
				0.03275815725037411, -0.015982033732750037, 0.01039384779241408, 0.00044561170686642504},
			[]float64{-0.05753182248366177, -0.16538333422298235, 0.7333474672686011, -0.31237417796032413,
				0.12508310769730743, 0.5020388370274451, 0.05730613929158653, 0.12775923722632532},
		},
		{
			[]float64{-4.1147570257391713e-05, -0.01403756584558133, -0.004949377813757025, -0.017188526932147584,
				-0.013807872970690742, 0.022440720855108287, -0.002419007256985236, 0.03000277753431103},
			[]float64{-0.05763210053072502, -0.165106081300658, 0.7334398257261303, -0.3120562449860716,
				0.1250851038854037, 0.5019285510317045, 0.05721744681553559, 0.12774744096123766},
		},
	}
	torchtest.Scope(t)
	p := vector(alpha...)
	a := NewAdam([]torch.Tensor{p}, AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
	for _, s := range steps {
		a.Step(vector(s.grad...))
		wantClose(t, "alpha", p, s.want, 0)
	}
}

// slowAdam is step t of Adam on Go numbers.
func slowAdam(t int, p, m, v, g []float64, o AdamOptions) {
	b1, b2 := o.Betas[0], o.Betas[1]
	for i := range p {
		d := g[i] + o.WeightDecay*p[i]
		m[i] = b1*m[i] + (1-b1)*d
		v[i] = b2*v[i] + (1-b2)*d*d
		mHat := m[i] / (1 - math.Pow(b1, float64(t)))
		vHat := v[i] / (1 - math.Pow(b2, float64(t)))
		if o.EpsFirst {
			p[i] -= o.LR * mHat * math.Sqrt(1-math.Pow(o.Betas[1], float64(t))) / (math.Sqrt(v[i]) + o.Eps)
			continue
		}
		p[i] -= o.LR * mHat / (math.Sqrt(vHat) + o.Eps)
	}
}

func TestAdamAgainstSlow(t *testing.T) {
	// Adam follows the textbook's formulas in plain Go when gradients are random.
	cases := []AdamOptions{
		{LR: 0.1, Betas: [2]float64{0.9, 0.999}, Eps: 1e-8},
		{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, Eps: 1e-8, WeightDecay: 1e-3},
		{LR: 0.1, Betas: [2]float64{0, 0.9}, Eps: 1e-3, WeightDecay: 0.1},
		{LR: 0.1, Betas: [2]float64{0.5, 0.999}, Eps: 1e-1, EpsFirst: true},
	}
	for _, o := range cases {
		for _, p := range precisions {
			t.Run(fmt.Sprintf("%+v %s", o, p.dtype), func(t *testing.T) {
				torchtest.Scope(t)
				r := rand.New(rand.NewPCG(5, 6))
				want := normal(r, 33)
				got := torch.FromSliceTo(want, []int{33}, torch.Options{Dtype: p.dtype})
				m, v := make([]float64, 33), make([]float64, 33)
				a := NewAdam([]torch.Tensor{got}, o)
				for step := range 20 {
					g := normal(r, 33)
					slowAdam(step+1, want, m, v, g, o)
					a.Step(torch.FromSliceTo(g, []int{33}, torch.Options{Dtype: p.dtype}))
				}
				wantClose(t, "p", got, want, p.tolerance)
			})
		}
	}
}

func TestAdamDefaults(t *testing.T) {
	// NewAdam fills in PyTorch's betas and eps when they are zero, and keeps a single zero beta.
	cases := []struct{ give, want AdamOptions }{
		{AdamOptions{LR: 1}, AdamOptions{LR: 1, Betas: [2]float64{0.9, 0.999}, Eps: 1e-8}},
		{AdamOptions{Betas: [2]float64{0, 0.5}, Eps: 1}, AdamOptions{Betas: [2]float64{0, 0.5}, Eps: 1}},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%+v", c.give), func(t *testing.T) {
			torchtest.Scope(t)
			if got := NewAdam(nil, c.give).Options(); got != c.want {
				t.Errorf("options %+v, want %+v", got, c.want)
			}
		})
	}
}
