package optim

import (
	"fmt"
	"math"
	"slices"

	"godarts/torch"
)

// AdamOptions are the settings of Adam. LR and WeightDecay are taken as they are.
type AdamOptions struct {
	LR          float64
	Betas       [2]float64 // β1 and β2; both 0 mean 0.9 and 0.999
	Eps         float64    // 0 means 1e-8
	WeightDecay float64    // of the coupled kind: added to the gradient

	// EpsFirst adds Eps before the root's bias is corrected: with (√v + eps)/√(1−β2^t) in
	// place of √v/√(1−β2^t) + eps. So does TensorFlow's Adam. It is no part of the state dict.
	EpsFirst bool
}

func (o AdamOptions) withDefaults() AdamOptions {
	if o.Betas == [2]float64{} {
		o.Betas = [2]float64{0.9, 0.999}
	}
	if o.Eps == 0 {
		o.Eps = 1e-8
	}
	return o
}

func (o AdamOptions) check() error {
	for i, beta := range o.Betas {
		if !(beta >= 0 && beta < 1) {
			return fmt.Errorf("beta%d is %g, want 0 <= beta < 1", i+1, beta)
		}
	}
	return notNegative(setting{"lr", o.LR}, setting{"eps", o.Eps}, setting{"weight_decay", o.WeightDecay})
}

// Adam is the method of Kingma and Ba (arXiv 1412.6980). Step t is
//
//	d = g + wd·p,  m += (1−β1)·(d − m),  v = β2·v + (1−β2)·d²
//	p −= lr/(1−β1^t) · m / (√v/√(1−β2^t) + eps)
//
// As torch.optim.Adam on a CPU, one tensor at a time.
type Adam struct {
	parameters     []torch.Tensor
	expAvg, square []torch.Tensor // m and v
	count          torch.Tensor   // steps taken, a float64 without dimensions
	lr             Rate
	o              AdamOptions // but for LR, which lr has
}

// NewAdam makes an optimizer of parameters, which Step overwrites. The moments
// belong to the present scope. It panics with *torch.Error if a setting is
// negative or a β is not below 1.
func NewAdam(parameters []torch.Tensor, o AdamOptions) *Adam {
	o = o.withDefaults()
	must("Adam", o.check())
	return &Adam{
		parameters: slices.Clone(parameters),
		expAvg:     zerosLike(parameters), square: zerosLike(parameters),
		count: torch.Zeros(nil, float64s(parameters)), lr: newRate(o.LR, parameters), o: o,
	}
}

// Step moves the parameters. grads, one for each, are left as they are.
func (a *Adam) Step(grads ...torch.Tensor) {
	beta1, beta2 := a.o.Betas[0], a.o.Betas[1]
	var stepSize, rootCorrection2 torch.Tensor
	begin := func() {
		a.count.AddScalar_(1)
		stepSize = a.lr.Tensor().Div(oneMinus(pow(beta1, a.count)))
		root := torch.Scalar(0.5, a.count.Options())
		rootCorrection2 = torch.Call("aten::pow.Tensor_Tensor", oneMinus(pow(beta2, a.count)), root)[0]
	}
	update("Adam", a.parameters, grads, begin, func(i int, p, g torch.Tensor) {
		d := decayed(g, p, a.o.WeightDecay)
		m := a.expAvg[i].Lerp_(d, 1-beta1)
		v := a.square[i].MulScalar_(beta2).Addcmul_(d, d, 1-beta2)
		denominator := v.Sqrt()
		if a.o.EpsFirst {
			denominator = denominator.AddScalar_(a.o.Eps).Div(rootCorrection2.To(p.Options()))
		} else {
			denominator = denominator.Div(rootCorrection2.To(p.Options())).AddScalar_(a.o.Eps)
		}
		p.Addcdiv_(m.Mul(stepSize.To(p.Options())), denominator, -1)
	})
}

// oneMinus is 1 − t.
func oneMinus(t torch.Tensor) torch.Tensor { return t.Neg().AddScalar_(1) }

// Steps is the number of steps taken. It waits for the device.
func (a *Adam) Steps() int { return int(a.count.Item()) }

// LR is the learning rate of the next step.
func (a *Adam) LR() float64 { return a.lr.Value() }

// SetLR changes the learning rate.
func (a *Adam) SetLR(lr float64) {
	o := a.o
	o.LR = lr
	must("Adam", o.check())
	a.lr.Set(lr)
}

// Options are the settings, defaults filled in, with the present learning rate.
func (a *Adam) Options() AdamOptions {
	o := a.o
	o.LR = a.lr.Value()
	return o
}

// Overwritten is all that Step overwrites: the parameters, their moments and the counter.
func (a *Adam) Overwritten() []torch.Tensor {
	return slices.Concat(a.parameters, a.expAvg, a.square, []torch.Tensor{a.count})
}

func (a *Adam) buffers() torch.StateDict {
	sd := torch.StateDict{}
	indexed(sd, "exp_avg", a.expAvg)
	indexed(sd, "exp_avg_sq", a.square)
	return sd
}

func (a *Adam) numbers() map[string]float64 {
	return map[string]float64{
		"step": float64(a.Steps()), "lr": a.lr.Value(), "beta1": a.o.Betas[0], "beta2": a.o.Betas[1],
		"eps": a.o.Eps, "weight_decay": a.o.WeightDecay,
	}
}

// StateDict is the moments, "exp_avg.0", "exp_avg_sq.0" and so on, and the step
// counter and settings as float64 numbers. The moments are Adam's own: they
// change with the next step. The numbers are new tensors of the present scope.
func (a *Adam) StateDict() torch.StateDict { return withNumbers(a.buffers(), a.numbers()) }

// LoadStateDict overwrites moments, counter and settings by those of sd. It
// returns an error that says what is missing, unexpected, of another shape or out
// of range, and then has changed nothing.
func (a *Adam) LoadStateDict(sd torch.StateDict) error {
	return load("Adam", a.buffers(), a.numbers(), sd, func(n map[string]float64) error {
		o := AdamOptions{
			LR: n["lr"], Betas: [2]float64{n["beta1"], n["beta2"]}, Eps: n["eps"], WeightDecay: n["weight_decay"], EpsFirst: a.o.EpsFirst,
		}
		if err := o.check(); err != nil {
			return err
		}
		step, err := counter(n["step"])
		if err != nil {
			return err
		}
		a.o = o
		a.lr.Set(o.LR)
		torch.NoGrad(func() { a.count.Fill_(float64(step)) })
		return nil
	})
}

// counter reads the number of steps taken.
func counter(v float64) (int, error) {
	const exact = 1 << 53 // whole numbers up to here are exact in a float64
	if v != math.Trunc(v) || v < 0 || v > exact {
		return 0, fmt.Errorf("step is %g, want a whole number that is 0 or more", v)
	}
	return int(v), nil
}
