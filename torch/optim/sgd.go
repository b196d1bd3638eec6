package optim

import (
	"errors"
	"slices"

	"godarts/torch"
)

// SGDOptions are taken as they are: a zero field is zero.
type SGDOptions struct {
	LR, Momentum, WeightDecay float64
	Nesterov                  bool // needs Momentum
}

func (o SGDOptions) check() error {
	if o.Nesterov && o.Momentum == 0 {
		return errors.New("nesterov needs a momentum above 0")
	}
	return notNegative(setting{"lr", o.LR}, setting{"momentum", o.Momentum}, setting{"weight_decay", o.WeightDecay})
}

// SGD is stochastic gradient descent with momentum μ and weight decay wd:
//
//	d = g + wd·p,  buf = μ·buf + d,  p −= lr·buf
//
// With Nesterov the last step is p −= lr·(d + μ·buf), without momentum p −= lr·d.
// As torch.optim.SGD without dampening.
type SGD struct {
	parameters []torch.Tensor
	momentum   []torch.Tensor // one for each parameter, or none
	masks      []torch.Tensor // one for each parameter, or none, see Mask
	lr         Rate
	o          SGDOptions // but for LR, which lr has
}

// NewSGD makes an optimizer of parameters, which Step overwrites. The momentum
// buffers belong to the present scope and start at zero: the first step is then
// that of PyTorch, which starts them as the gradient. It panics with *torch.Error
// if a setting is negative, or Nesterov is on without momentum.
func NewSGD(parameters []torch.Tensor, o SGDOptions) *SGD {
	must("SGD", o.check())
	s := &SGD{parameters: slices.Clone(parameters), lr: newRate(o.LR, parameters), o: o}
	if o.Momentum != 0 {
		s.momentum = zerosLike(parameters)
	}
	return s
}

func zerosLike(ts []torch.Tensor) []torch.Tensor {
	zeros := make([]torch.Tensor, len(ts))
	for i, t := range ts {
		zeros[i] = torch.ZerosLike(t)
	}
	return zeros
}

// Step moves the parameters. grads, one for each, are left as they are.
func (s *SGD) Step(grads ...torch.Tensor) {
	update("SGD", s.parameters, grads, nil, func(i int, p, g torch.Tensor) {
		d := decayed(g, p, s.o.WeightDecay)
		if s.masks != nil {
			d = d.Mul(s.masks[i])
		}
		if s.o.Momentum != 0 {
			buf := s.momentum[i].MulScalar_(s.o.Momentum).Add_(d)
			if s.o.Nesterov {
				d = d.AddScaled(buf, s.o.Momentum)
			} else {
				d = buf
			}
		}
		p.Addcmul_(d, s.lr.Beside(p), -1)
	})
}

// Mask multiplies d by masks, one for each parameter, in the steps from now on. Elements
// whose mask has been 0 in all steps so far stay as they are. The masks are the caller's and
// may change between steps; they are no part of the state dict. It panics with *torch.Error for
// another number of masks; none ends the masking.
func (s *SGD) Mask(masks ...torch.Tensor) {
	if len(masks) != 0 && len(masks) != len(s.parameters) {
		misuse("SGD", "%d masks for %d parameters", len(masks), len(s.parameters))
	}
	s.masks = masks
}

// LR is the learning rate of the next step.
func (s *SGD) LR() float64 { return s.lr.Value() }

// SetLR changes the learning rate.
func (s *SGD) SetLR(lr float64) {
	o := s.o
	o.LR = lr
	must("SGD", o.check())
	s.lr.Set(lr)
}

// Options are the settings, the present learning rate among them.
func (s *SGD) Options() SGDOptions {
	o := s.o
	o.LR = s.lr.Value()
	return o
}

// Momentum is the buffers themselves, one for each parameter, or nil without
// momentum. Step and LoadStateDict overwrite them.
func (s *SGD) Momentum() []torch.Tensor { return s.momentum }

// Overwritten is all that Step overwrites: the parameters and the momentum buffers.
func (s *SGD) Overwritten() []torch.Tensor { return slices.Concat(s.parameters, s.momentum) }

func (s *SGD) buffers() torch.StateDict {
	sd := torch.StateDict{}
	indexed(sd, "momentum_buffer", s.momentum)
	return sd
}

func (s *SGD) numbers() map[string]float64 {
	return map[string]float64{
		"lr": s.lr.Value(), "momentum": s.o.Momentum, "weight_decay": s.o.WeightDecay, "nesterov": truth(s.o.Nesterov),
	}
}

// truth is 1 for true, the way a state dict holds it.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// StateDict is the buffers, "momentum_buffer.0" and so on, and the settings as
// float64 numbers. The buffers are SGD's own: they change with the next step.
// The numbers are new tensors of the present scope.
func (s *SGD) StateDict() torch.StateDict { return withNumbers(s.buffers(), s.numbers()) }

// LoadStateDict overwrites the buffers and settings by those of sd. It returns an
// error that says what is missing, unexpected, of another shape or out of range,
// and then has changed nothing.
func (s *SGD) LoadStateDict(sd torch.StateDict) error {
	return load("SGD", s.buffers(), s.numbers(), sd, func(n map[string]float64) error {
		o := SGDOptions{LR: n["lr"], Momentum: n["momentum"], WeightDecay: n["weight_decay"], Nesterov: n["nesterov"] != 0}
		if (o.Momentum != 0) != (s.o.Momentum != 0) {
			return errors.New("one of the optimizers has momentum, the other none")
		}
		if err := o.check(); err != nil {
			return err
		}
		s.o = o
		s.lr.Set(o.LR)
		return nil
	})
}
