package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestASGDByHand(t *testing.T) {
	// ASGD steps with the learning rate of the step before and averages from step 2 on when t0 and lambd are 0.
	torchtest.Scope(t)
	p := vector(4)
	a := NewASGD([]torch.Tensor{p}, ASGDOptions{LR: 3})
	wantClose(t, "before the first step: average", a.Averages()[0], []float64{4}, 0)
	steps := []struct{ lr, p, average float64 }{
		{0.5, 3.5, 3.5}, // η is the first lr
		{1, 3, 3},       // η = 0.5
		{0.25, 2, 2.5},  // η = 1: (3 + 2)/2
		{2, 1.75, 2.25}, // η = 0.25: (3 + 2 + 1.75)/3
	}
	for i, s := range steps {
		a.SetLR(s.lr)
		a.Step(vector(1))
		wantClose(t, fmt.Sprintf("step %d: p", i+1), p, []float64{s.p}, 0)
		wantClose(t, fmt.Sprintf("step %d: average", i+1), a.Averages()[0], []float64{s.average}, 1e-15)
	}
}

func TestASGDDecayByHand(t *testing.T) {
	// ASGD shrinks the parameters by lambd·η and starts averaging after t0 steps when both are set.
	torchtest.Scope(t)
	p := vector(4)
	a := NewASGD([]torch.Tensor{p}, ASGDOptions{LR: 0.5, Lambd: 0.5, Alpha: 1, T0: 2})
	steps := []struct{ p, average float64 }{
		{3, 3},                        // η = 0.5
		{2.4, 2.4},                    // η = 0.5/1.25
		{2, 2},                        // η = 0.5/1.5
		{12. / 7, 12. / 7},            // η = 0.5/1.75
		{1.5, (12./7 + 1.5) / 2},      // η = 0.5/2, μ = 1/2
		{4. / 3, (12./7 + 17./6) / 3}, // η = 0.5/2.25, μ = 1/3
	}
	for i, s := range steps {
		a.Step(vector(0))
		wantClose(t, fmt.Sprintf("step %d: p", i+1), p, []float64{s.p}, 1e-15)
		wantClose(t, fmt.Sprintf("step %d: average", i+1), a.Averages()[0], []float64{s.average}, 1e-15)
	}
}

func TestASGDAveragesParameters(t *testing.T) {
	// The average is the mean of the parameters after steps 2 to n when t0 is 0.
	torchtest.Scope(t)
	r := rand.New(rand.NewPCG(7, 8))
	p := torch.FromSlice(normal(r, 5), 5)
	a := NewASGD([]torch.Tensor{p}, ASGDOptions{LR: 20, WeightDecay: 8e-7})
	sum := make([]float64, 5)
	const n = 30
	for step := 1; step <= n; step++ {
		a.SetLR(20 * (0.5 + r.Float64()))
		a.Step(torch.FromSlice(normal(r, 5), 5))
		if step < 2 {
			continue
		}
		for i, v := range p.Float64s() {
			sum[i] += v / (n - 1)
		}
	}
	wantClose(t, "average", a.Averages()[0], sum, 1e-13)
}

// slowASGD is ASGD on Go numbers.
type slowASGD struct {
	p, average []float64
	eta, mu    float64
	step       int
}

func (s *slowASGD) Step(g []float64, o ASGDOptions) {
	if s.step == 0 {
		s.eta, s.mu = o.LR, 1
	}
	for i := range s.p {
		d := g[i] + o.WeightDecay*s.p[i]
		s.p[i] = s.p[i]*(1-o.Lambd*s.eta) - s.eta*d
		s.average[i] = (1-s.mu)*s.average[i] + s.mu*s.p[i]
	}
	s.step++
	s.eta = o.LR * math.Pow(1+o.Lambd*o.LR*float64(s.step), -o.Alpha)
	s.mu = 1 / math.Max(1, float64(s.step)-o.T0)
}

func TestASGDAgainstSlow(t *testing.T) {
	// ASGD follows the same method in plain Go when gradients are random and the learning rate changes.
	cases := []ASGDOptions{
		{Alpha: 0.75},
		{Alpha: 0.75, WeightDecay: 8e-4},
		{Alpha: 0.75, Lambd: 1e-1, T0: 5, WeightDecay: 0.1},
		{Alpha: 1, Lambd: 1e-4, T0: 1e6},
	}
	for _, o := range cases {
		for _, p := range precisions {
			t.Run(fmt.Sprintf("%+v %s", o, p.dtype), func(t *testing.T) {
				torchtest.Scope(t)
				r := rand.New(rand.NewPCG(9, 10))
				start := normal(r, 33)
				want := &slowASGD{p: start, average: make([]float64, 33)}
				got := torch.FromSliceTo(start, []int{33}, torch.Options{Dtype: p.dtype})
				a := NewASGD([]torch.Tensor{got}, o)
				for range 20 {
					o.LR = 0.2 * r.Float64()
					a.SetLR(o.LR)
					g := normal(r, 33)
					want.Step(g, o)
					a.Step(torch.FromSliceTo(g, []int{33}, torch.Options{Dtype: p.dtype}))
				}
				wantClose(t, "p", got, want.p, p.tolerance)
				wantClose(t, "average", a.Averages()[0], want.average, p.tolerance)
			})
		}
	}
}

func TestASGDDefaults(t *testing.T) {
	// NewASGD fills in alpha only when all options are zero.
	torchtest.Scope(t)
	if got, want := NewASGD(nil, ASGDOptions{}).Options(), (ASGDOptions{Alpha: 0.75}); got != want {
		t.Errorf("options %+v, want %+v", got, want)
	}
}
