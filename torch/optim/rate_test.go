package optim

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestStepsByNumbers(t *testing.T) {
	// SGD and Adam, whose rates are tensors, give the bits of the same formulas with numbers of the host, reading nothing, when the learning rate falls.
	beta2 := 0.999 // a variable: 1 − 0.999 of constants is another number
	for _, dtype := range []torch.Dtype{torch.Float32, torch.Float64} {
		for _, size := range []int{1, 7, 33, 1000} {
			t.Run(fmt.Sprint(dtype, size), func(t *testing.T) {
				torchtest.Scope(t)
				torch.ManualSeed(uint64(size))
				o := torch.Options{Dtype: dtype}
				w, p := torch.Randn([]int{size}, o), torch.Randn([]int{size}, o)
				wantW, buf := w.Clone(), torch.ZerosLike(w)
				wantP, m, v := p.Clone(), torch.ZerosLike(p), torch.ZerosLike(p)
				sgd := NewSGD([]torch.Tensor{w}, SGDOptions{LR: 0.1, Momentum: 0.9, WeightDecay: 3e-4})
				adam := NewAdam([]torch.Tensor{p}, AdamOptions{LR: 0.1, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
				for step := range 5 {
					lr := Cosine(0.1, 0.001, step, 5)
					sgd.SetLR(lr)
					adam.SetLR(lr / 3)
					g := torch.Randn([]int{size}, o)
					torch.NoReads(func() {
						sgd.Step(g)
						adam.Step(g)
					})
					buf.MulScalar_(0.9).Add_(g.AddScaled(wantW, 3e-4))
					wantW.AddScaled_(buf, -lr)
					d := g.AddScaled(wantP, 1e-3)
					m.Lerp_(d, 0.5)
					v.MulScalar_(beta2).Addcmul_(d, d, 1-beta2)
					power := func(x, y float64) float64 {
						return torch.Call("aten::pow.Scalar", x, torch.Scalar(y, torch.Options{Dtype: torch.Float64}))[0].Item()
					}
					n := float64(step + 1)
					denominator := v.Sqrt().DivScalar_(power(1-power(beta2, n), 0.5)).AddScalar_(1e-8)
					wantP.Addcdiv_(m, denominator, -(lr / 3 / (1 - power(0.5, n))))
					torchtest.Close(t, "w", w, wantW, 0)
					torchtest.Close(t, "p", p, wantP, 0)
				}
				if adam.Steps() != 5 {
					t.Errorf("%d steps", adam.Steps())
				}
			})
		}
	}
}

func TestASGDByNumbers(t *testing.T) {
	// ASGD, whose numbers are tensors, gives the bits of the same formulas with numbers of the host, reading nothing, before and after it averages, when the learning rate changes.
	for _, o := range []ASGDOptions{
		{Alpha: 0.75, WeightDecay: 8e-7}, {Alpha: 0.75, Lambd: 0.01, T0: 2, WeightDecay: 1e-3}, {Alpha: 0.75, T0: 10},
	} {
		for _, dtype := range []torch.Dtype{torch.Float32, torch.Float64} {
			for _, size := range []int{1, 7, 33, 1000} {
				t.Run(fmt.Sprint(o, dtype, size), func(t *testing.T) {
					torchtest.Scope(t)
					torch.ManualSeed(uint64(size))
					to := torch.Options{Dtype: dtype}
					w := torch.Randn([]int{size}, to)
					p, average := w.Clone(), w.Clone()
					a := NewASGD([]torch.Tensor{w}, o)
					eta, mu := 0.0, 1.0
					for step := range 7 {
						lr := 0.3 / float64(step+1)
						a.SetLR(lr)
						g := torch.Randn([]int{size}, to)
						torch.NoReads(func() { a.Step(g) })
						if step == 0 {
							eta = lr
						}
						d := decayed(g, p, o.WeightDecay)
						if o.Lambd != 0 {
							p.MulScalar_(1 - float64(o.Lambd*eta))
						}
						p.AddScaled_(d, -eta)
						if mu == 1 {
							average.Copy_(p)
						} else {
							average.Add_(p.Sub(average).MulScalar_(mu))
						}
						n := float64(step + 1)
						eta = lr
						if o.Lambd != 0 {
							power := torch.Scalar(o.Alpha, torch.Options{Dtype: torch.Float64})
							eta = lr / pow(1+float64(float64(o.Lambd*lr)*n), power).Item()
						}
						mu = 1 / max(1, n-o.T0)
						torchtest.Close(t, "w", w, p, 0)
						torchtest.Close(t, "average", a.Averages()[0], average, 0)
						sd := a.StateDict()
						if got := []float64{sd["step"].Item(), sd["eta"].Item(), sd["mu"].Item()}; got[0] != n || got[1] != eta || got[2] != mu {
							t.Errorf("after step %d: count, η and μ are %v, want %v, %v and %v", step, got, n, eta, mu)
						}
					}
				})
			}
		}
	}
}

func TestRate(t *testing.T) {
	// A rate's tensor has the number that Set gave last, and Set refuses another one within NoReads.
	torchtest.Scope(t)
	w := torch.Ones([]int{2}, torch.Options{})
	r := NewRate(0.1, w)
	at := r.Tensor()
	r.Set(math.Pi)
	if r.Value() != math.Pi || at.Item() != math.Pi || r.Beside(w).Item() != float64(float32(math.Pi)) {
		t.Errorf("value %g, tensor %g, beside %g", r.Value(), at.Item(), r.Beside(w).Item())
	}
	err := torch.Do(func() error {
		torch.NoReads(func() {
			r.Set(math.Pi)
			r.Set(3)
		})
		return nil
	})
	var e *torch.Error
	if !errors.As(err, &e) || e.Error() != "torch: optim.Rate: set from 3.141592653589793 to 3 within NoReads" {
		t.Errorf("error %v", err)
	}
}
