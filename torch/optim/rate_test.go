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
