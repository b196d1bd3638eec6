package optim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// optimizer is what the three have in common.
type optimizer interface {
	Step(grads ...torch.Tensor)
	LR() float64
	SetLR(lr float64)
	StateDict() torch.StateDict
	LoadStateDict(torch.StateDict) error
}

// kinds are optimizers whose every setting has an effect.
var kinds = []struct {
	name string
	make func(ps []torch.Tensor) optimizer
}{
	{"SGD", func(ps []torch.Tensor) optimizer {
		return NewSGD(ps, SGDOptions{LR: 0.1, Momentum: 0.9, WeightDecay: 0.01})
	}},
	{"SGD plain", func(ps []torch.Tensor) optimizer { return NewSGD(ps, SGDOptions{LR: 0.1}) }},
	{"SGD Nesterov", func(ps []torch.Tensor) optimizer {
		return NewSGD(ps, SGDOptions{LR: 0.1, Momentum: 0.9, Nesterov: true})
	}},
	{"Adam", func(ps []torch.Tensor) optimizer {
		return NewAdam(ps, AdamOptions{LR: 0.01, Betas: [2]float64{0.5, 0.999}, WeightDecay: 0.01})
	}},
	{"ASGD", func(ps []torch.Tensor) optimizer {
		return NewASGD(ps, ASGDOptions{LR: 0.1, Lambd: 0.01, T0: 2, WeightDecay: 0.01})
	}},
}

func vector(v ...float64) torch.Tensor { return torch.FromSlice(v, len(v)) }

// maxRelative is the largest |got−want| over the larger of |want| and 1.
func maxRelative(got, want []float64) float64 {
	worst := 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(got[i]-w)/max(math.Abs(w), 1)) // NaN stays
	}
	return worst
}

func wantClose(t *testing.T, what string, got torch.Tensor, want []float64, tolerance float64) {
	t.Helper()
	g := got.Float64s()
	if len(g) != len(want) {
		t.Fatalf("%s = %v, want %v", what, g, want)
	}
	if worst := maxRelative(g, want); !(worst <= tolerance) {
		t.Errorf("%s = %v, want %v: off by %.3g, at most %.3g", what, g, want, worst, tolerance)
	}
}

// caught returns the *torch.Error fn panics with.
func caught(t *testing.T, fn func()) error {
	t.Helper()
	err := torch.Do(func() error {
		fn()
		return nil
	})
	if err == nil {
		t.Fatal("no panic")
	}
	return err
}

func TestStepLeavesGradientsAlone(t *testing.T) {
	// Step changes the parameters and not the gradients when it runs twice.
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			torchtest.Scope(t)
			p, g := vector(1, -2, 3), vector(0.5, 1, -4)
			o := k.make([]torch.Tensor{p})
			o.Step(g)
			o.Step(g)
			if got := g.Float64s(); !slices.Equal(got, []float64{0.5, 1, -4}) {
				t.Errorf("gradient became %v", got)
			}
			if got := p.Float64s(); got[0] >= 1 || got[1] >= -2 || got[2] <= 3 {
				t.Errorf("parameters went to %v, not against the gradient", got)
			}
		})
	}
}

func TestStepBuildsNoGraph(t *testing.T) {
	// Step moves a leaf in place and leaves the gradient mode on when the leaf requires a gradient.
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			torchtest.Scope(t)
			p := vector(1, -2).RequiresGrad_(true)
			o := k.make([]torch.Tensor{p})
			p.Mul(p).Sum().Backward(torch.BackwardOptions{})
			o.Step(p.Grad())
			if !p.IsLeaf() || !p.RequiresGrad() || !torch.GradEnabled() {
				t.Errorf("leaf %v, requires grad %v, grad mode %v", p.IsLeaf(), p.RequiresGrad(), torch.GradEnabled())
			}
			for name, b := range o.StateDict() {
				if b.RequiresGrad() {
					t.Errorf("%s requires a gradient", name)
				}
			}
		})
	}
}

func TestStepKeepsNoTensor(t *testing.T) {
	// Step leaves the number of live tensors as it was when it runs many times.
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			torchtest.Scope(t)
			p, q := vector(1, -2, 3), vector(4)
			o := k.make([]torch.Tensor{p, q})
			g, h := vector(1, 1, 1), vector(2)
			before := torch.Live()
			for range 50 {
				o.Step(g, h)
				ClipNorm(1, g, h)
			}
			if after := torch.Live(); after != before {
				t.Errorf("%d live tensors before 50 steps, %d after", before, after)
			}
		})
	}
}

func TestBuffersOutliveTheStepsScope(t *testing.T) {
	// Buffers stay usable when each step runs in a scope of its own.
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			torchtest.Scope(t)
			ps := []torch.Tensor{vector(1, -2, 3)}
			qs := []torch.Tensor{ps[0].Clone()}
			inner, outer := k.make(ps), k.make(qs)
			for range 3 {
				torch.Scoped(func() { inner.Step(vector(1, 2, 3)) })
				outer.Step(vector(1, 2, 3))
			}
			if got, want := ps[0].Float64s(), qs[0].Float64s(); !slices.Equal(got, want) {
				t.Errorf("parameters %v, want %v", got, want)
			}
		})
	}
}

func TestResume(t *testing.T) {
	// A new optimizer that loads a saved state goes on bit by bit as the old one when the gradients are the same.
	for _, k := range kinds {
		for _, dtype := range []torch.Dtype{torch.Float32, torch.Float64} {
			t.Run(fmt.Sprintf("%s %s", k.name, dtype), func(t *testing.T) {
				torchtest.Scope(t)
				options := torch.Options{Dtype: dtype}
				r := rand.New(rand.NewPCG(1, 2))
				ps := []torch.Tensor{draw(r, 7, options), draw(r, 1, options)}
				o := k.make(ps)
				step := func(i int, o optimizer, grads []torch.Tensor) {
					o.SetLR(0.1 / float64(i+1))
					o.Step(grads...)
				}
				for i := range 4 {
					step(i, o, []torch.Tensor{draw(r, 7, options), draw(r, 1, options)})
				}

				saved := torch.StateDict{}
				for name, v := range o.StateDict() {
					saved[name] = v.Clone()
				}
				qs := []torch.Tensor{ps[0].Clone(), ps[1].Clone()}
				resumed := k.make(qs)
				if err := resumed.LoadStateDict(saved); err != nil {
					t.Fatal(err)
				}
				if resumed.LR() != o.LR() {
					t.Errorf("learning rate %g, want %g", resumed.LR(), o.LR())
				}
				for i := range 4 {
					grads := []torch.Tensor{draw(r, 7, options), draw(r, 1, options)}
					step(4+i, o, grads)
					step(4+i, resumed, grads)
				}
				for i := range ps {
					if got, want := qs[i].Float64s(), ps[i].Float64s(); !slices.Equal(got, want) {
						t.Errorf("parameter %d = %v, want %v", i, got, want)
					}
				}
				wantSameState(t, resumed.StateDict(), o.StateDict())
			})
		}
	}
}

func wantSameState(t *testing.T, got, want torch.StateDict) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("state has %d entries, want %d", len(got), len(want))
	}
	for name, w := range want {
		if g := got[name]; !g.Defined() || !slices.Equal(g.Float64s(), w.Float64s()) {
			t.Errorf("%s = %v, want %v", name, g, w)
		}
	}
}

// draw is a normal vector, the same for every dtype up to rounding.
func draw(r *rand.Rand, n int, o torch.Options) torch.Tensor {
	return torch.FromSliceTo(normal(r, n), []int{n}, o)
}

func normal(r *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return v
}

func TestStepRejects(t *testing.T) {
	// Step panics and moves nothing when a gradient does not fit its parameter.
	cases := []struct {
		name  string
		grads func() []torch.Tensor
		want  string
	}{
		{"too few", func() []torch.Tensor { return []torch.Tensor{vector(1, 2)} }, "1 gradients for 2 parameters"},
		{"none", func() []torch.Tensor { return []torch.Tensor{vector(1, 2), {}} }, "no gradient for parameter 1"},
		{"one that would broadcast", func() []torch.Tensor { return []torch.Tensor{vector(1, 2), vector(1)} },
			"gradient 1 has shape [1], its parameter [3]"},
		{"another dtype", func() []torch.Tensor {
			return []torch.Tensor{vector(1, 2), torch.Ones([]int{3}, torch.Options{})}
		}, "gradient 1 is float32 on cpu, its parameter float64 on cpu"},
	}
	for _, k := range []int{0, 3, 4} { // SGD, Adam, ASGD
		for _, c := range cases {
			t.Run(kinds[k].name+" "+c.name, func(t *testing.T) {
				torchtest.Scope(t)
				p, q := vector(1, 2), vector(3, 4, 5)
				o := kinds[k].make([]torch.Tensor{p, q})
				err := caught(t, func() { o.Step(c.grads()...) })
				if want := "torch: optim." + kinds[k].name + ": " + c.want; err.Error() != want {
					t.Errorf("error %q, want %q", err, want)
				}
				if got := p.Float64s(); !slices.Equal(got, []float64{1, 2}) {
					t.Errorf("parameter 0 moved to %v", got)
				}
			})
		}
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	// Making an optimizer or setting its learning rate panics when a number is out of range.
	ps := []torch.Tensor{}
	nan := math.NaN()
	cases := []struct {
		name string
		make func()
		want string
	}{
		{"SGD lr", func() { NewSGD(ps, SGDOptions{LR: -1}) }, "optim.SGD: lr is -1, want a number that is 0 or more"},
		{"SGD momentum", func() { NewSGD(ps, SGDOptions{Momentum: nan}) }, "optim.SGD: momentum is NaN, want a number that is 0 or more"},
		{"SGD decay", func() { NewSGD(ps, SGDOptions{WeightDecay: math.Inf(1)}) }, "optim.SGD: weight_decay is +Inf, want a number that is 0 or more"},
		{"SGD Nesterov", func() { NewSGD(ps, SGDOptions{Nesterov: true}) }, "optim.SGD: nesterov needs a momentum above 0"},
		{"SGD SetLR", func() { NewSGD(ps, SGDOptions{}).SetLR(nan) }, "optim.SGD: lr is NaN, want a number that is 0 or more"},
		{"Adam beta1", func() { NewAdam(ps, AdamOptions{Betas: [2]float64{1, 0.9}}) }, "optim.Adam: beta1 is 1, want 0 <= beta < 1"},
		{"Adam beta2", func() { NewAdam(ps, AdamOptions{Betas: [2]float64{0, nan}}) }, "optim.Adam: beta2 is NaN, want 0 <= beta < 1"},
		{"Adam eps", func() { NewAdam(ps, AdamOptions{Eps: -1e-8}) }, "optim.Adam: eps is -1e-08, want a number that is 0 or more"},
		{"Adam SetLR", func() { NewAdam(ps, AdamOptions{}).SetLR(-1) }, "optim.Adam: lr is -1, want a number that is 0 or more"},
		{"ASGD t0", func() { NewASGD(ps, ASGDOptions{T0: -1}) }, "optim.ASGD: t0 is -1, want a number that is 0 or more"},
		{"ASGD SetLR", func() { NewASGD(ps, ASGDOptions{}).SetLR(-1) }, "optim.ASGD: lr is -1, want a number that is 0 or more"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := caught(t, c.make)
			if want := "torch: " + c.want; err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			if e := (*torch.Error)(nil); !errors.As(err, &e) {
				t.Errorf("error is a %T", err)
			}
		})
	}
}
