package optim

import (
	"fmt"
	"math"
	"slices"

	"godarts/torch"
)

// ASGDOptions are the settings of ASGD. All but Alpha are taken as they are:
// Lambd 0 and T0 0, which average from the second step on, are not PyTorch's
// defaults (1e-4 and 1e6).
type ASGDOptions struct {
	LR          float64
	Lambd       float64 // decay of the parameters and of the step size
	Alpha       float64 // power of the step size's decay; 0 means 0.75
	T0          float64 // steps before averaging starts
	WeightDecay float64
}

func (o ASGDOptions) check() error {
	return notNegative(setting{"lr", o.LR}, setting{"lambd", o.Lambd}, setting{"alpha", o.Alpha},
		setting{"t0", o.T0}, setting{"weight_decay", o.WeightDecay})
}

// ASGD is averaged stochastic gradient descent (Polyak and Juditsky 1992). Step t,
// with η the lr of the first step and μ = 1 before it, is
//
//	p = (1 − lambd·η)·p − η·(g + wd·p)
//	average = p if μ = 1, else average + μ·(p − average)
//	η = lr/(1 + lambd·lr·t)^alpha,  μ = 1/max(1, t − t0)
//
// The p in wd·p is that before the step. η is set at the end: a change of the
// learning rate acts one step late. As torch.optim.ASGD, but η and μ are float64.
type ASGD struct {
	parameters []torch.Tensor
	averages   []torch.Tensor
	count      torch.Tensor // steps taken, a float64 without dimensions
	eta, mu    torch.Tensor // η and μ of the next step, likewise; η is not set before the first
	lr         Rate
	o          ASGDOptions // but for LR, which lr has
}

// NewASGD makes an optimizer of parameters, which Step overwrites. The averages
// belong to the present scope and start as the parameters. It panics with
// *torch.Error if a setting is negative.
func NewASGD(parameters []torch.Tensor, o ASGDOptions) *ASGD {
	if o.Alpha == 0 {
		o.Alpha = 0.75
	}
	must("ASGD", o.check())
	number := float64s(parameters)
	a := &ASGD{
		parameters: slices.Clone(parameters), averages: zerosLike(parameters),
		count: torch.Zeros(nil, number), eta: torch.Zeros(nil, number), mu: torch.Ones(nil, number), lr: newRate(o.LR, parameters), o: o,
	}
	torch.NoGrad(func() {
		for i, p := range parameters {
			a.averages[i].Copy_(p)
		}
	})
	return a
}

// Step moves the parameters and their averages. grads, one for each parameter,
// are left as they are.
func (a *ASGD) Step(grads ...torch.Tensor) {
	var eta, last torch.Tensor
	begin := func() {
		eta = torch.Where(a.count.LtScalar(1), a.lr.Tensor(), a.eta)
		last = a.mu.GeScalar(1) // the average is the last p, to the last bit
	}
	update("ASGD", a.parameters, grads, begin, func(i int, p, g torch.Tensor) {
		d := decayed(g, p, a.o.WeightDecay)
		if a.o.Lambd != 0 {
			p.Mul_(oneMinus(eta.MulScalar(a.o.Lambd)).To(p.Options()))
		}
		p.Addcmul_(d, eta.To(p.Options()), -1)
		average := a.averages[i]
		average.Copy_(torch.Where(last, p, p.Sub(average).Mul_(a.mu.To(p.Options())).Add_(average)))
	})
	torch.Scoped(func() { torch.NoGrad(a.advance) })
}

// advance counts a step, and computes η and μ of the next.
func (a *ASGD) advance() {
	a.count.AddScalar_(1)
	eta := a.lr.Tensor()
	if a.o.Lambd != 0 {
		base := eta.MulScalar(a.o.Lambd).Mul(a.count).AddScalar(1)
		eta = eta.Div(torch.Call("aten::pow.Tensor_Tensor", base, torch.Scalar(a.o.Alpha, base.Options()))[0])
	}
	a.eta.Copy_(eta)
	a.mu.Copy_(a.count.AddScalar(-a.o.T0).Clamp(1, math.Inf(1)).Reciprocal_())
}

// LR is the learning rate that the end of the next step turns into a step size.
func (a *ASGD) LR() float64 { return a.lr.Value() }

// SetLR changes the learning rate. From the second step on it acts one step late.
func (a *ASGD) SetLR(lr float64) {
	o := a.o
	o.LR = lr
	must("ASGD", o.check())
	a.lr.Set(lr)
}

// Options are the settings, Alpha's default filled in, with the present learning
// rate.
func (a *ASGD) Options() ASGDOptions {
	o := a.o
	o.LR = a.lr.Value()
	return o
}

// Averages is the averaged parameters themselves, one for each: what to evaluate.
// Step and LoadStateDict overwrite them.
func (a *ASGD) Averages() []torch.Tensor { return a.averages }

// Overwritten is all that Step overwrites: the parameters, their averages, the counter, η and μ.
func (a *ASGD) Overwritten() []torch.Tensor {
	return slices.Concat(a.parameters, a.averages, []torch.Tensor{a.count, a.eta, a.mu})
}

func (a *ASGD) buffers() torch.StateDict {
	sd := torch.StateDict{}
	indexed(sd, "ax", a.averages)
	return sd
}

func (a *ASGD) numbers() map[string]float64 {
	return map[string]float64{
		"step": a.count.Item(), "eta": a.eta.Item(), "mu": a.mu.Item(), "lr": a.lr.Value(), "lambd": a.o.Lambd,
		"alpha": a.o.Alpha, "t0": a.o.T0, "weight_decay": a.o.WeightDecay,
	}
}

// StateDict is the averages, "ax.0" and so on, and η, μ, the step counter and the
// settings as float64 numbers. The averages are ASGD's own: they change with the
// next step. The numbers are new tensors of the present scope.
func (a *ASGD) StateDict() torch.StateDict { return withNumbers(a.buffers(), a.numbers()) }

// LoadStateDict overwrites averages, counters and settings by those of sd. It
// returns an error that says what is missing, unexpected, of another shape or out
// of range, and then has changed nothing.
func (a *ASGD) LoadStateDict(sd torch.StateDict) error {
	return load("ASGD", a.buffers(), a.numbers(), sd, func(n map[string]float64) error {
		o := ASGDOptions{LR: n["lr"], Lambd: n["lambd"], Alpha: n["alpha"], T0: n["t0"], WeightDecay: n["weight_decay"]}
		if err := o.check(); err != nil {
			return err
		}
		if err := notNegative(setting{"eta", n["eta"]}); err != nil {
			return err
		}
		if mu := n["mu"]; !(mu > 0 && mu <= 1) {
			return fmt.Errorf("mu is %g, want 0 < mu <= 1", mu)
		}
		step, err := counter(n["step"])
		if err != nil {
			return err
		}
		a.o = o
		a.lr.Set(o.LR)
		torch.NoGrad(func() {
			a.count.Fill_(float64(step))
			a.eta.Fill_(n["eta"])
			a.mu.Fill_(n["mu"])
		})
		return nil
	})
}
