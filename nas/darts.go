package nas

import (
	"context"
	"fmt"
	"maps"

	"godarts/cells"
	"godarts/darts"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/optim"
)

// dartsStrategy is the paper's Algorithm 1, in both orders. On a supernet of partial
// channels, in first order and with a warm-up, it is PC-DARTS.
type dartsStrategy struct {
	net       darts.Supernet
	w         *optim.SGD
	alpha     *optim.Adam
	architect *darts.Architect
	gradClip  float64
	bfloat16  bool // in the passes that train w; those of α are full, which its finite difference needs
	order     int
	warmup    int    // epochs before α moves
	free      func() // of what the passes were captured in
}

func newDARTS(r *Run) (Strategy, error) {
	if r.Config.Data.IsText() {
		return newRecurrentDARTS(r)
	}
	c := r.Config
	net, err := r.newSupernet()
	if err != nil {
		return nil, err
	}
	d := &dartsStrategy{gradClip: c.W.GradClip, bfloat16: c.W.Precision == config.BF16, order: c.Strategy.Order, warmup: c.Strategy.Warmup}
	d.net, d.free = darts.Captured(net)
	d.w = newSGD(net.W(), c.W)
	d.alpha = newAdam(net.Alphas(), c.Alpha)
	d.architect = darts.NewArchitect(d.net, d.w, d.alpha)
	d.architect.Hessian, err = newHessian(net, d.net, c.Alpha.HVP)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// newSupernet makes the supernet in the form that the config asks for.
func (r *Run) newSupernet() (darts.Supernet, error) {
	images := r.Set.Train
	o := supernetOptions(r.Config, images)
	o.Options = r.options()
	if r.Config.Network.Form == config.Plain {
		return darts.NewPlain(o)
	}
	net, err := darts.NewFast(o)
	if err != nil {
		return nil, err
	}
	if why := net.Why(images.Height, images.Width); why != "" {
		r.note("the plain form of the supernet runs: %s, an odd side", why)
	}
	return net, nil
}

// newHessian is how the second order takes its product: by passes of captured, or
// exactly by net, which it stands for.
func newHessian(net, captured darts.Supernet, o config.HVP) (darts.Hessian, error) {
	if o.Method != config.Exact {
		return darts.FiniteDifference{Net: captured, Radius: o.Radius}, nil
	}
	exact, ok := net.(darts.Hessian)
	if !ok {
		return nil, fmt.Errorf("nas: alpha.hvp.method exact: the supernet %T has no exact product", net)
	}
	return exact, nil
}

func newSGD(w torch.Tensor, o config.W) *optim.SGD {
	return optim.NewSGD([]torch.Tensor{w}, optim.SGDOptions{LR: o.LR, Momentum: o.Momentum, WeightDecay: o.WeightDecay})
}

func newAdam(alphas []torch.Tensor, o config.Alpha) *optim.Adam {
	return optim.NewAdam(alphas, optim.AdamOptions{LR: o.LR, Betas: o.Betas, WeightDecay: o.WeightDecay})
}

// Search implements Strategy.
func (d *dartsStrategy) Search(ctx context.Context, run *Run) (cells.Genotype, error) {
	defer d.free()
	for epoch := range run.Epochs(ctx) {
		d.w.SetLR(run.LR(epoch))
		for s := range run.Steps(ctx, epoch) {
			if epoch >= d.warmup {
				d.architect.Step(s.Train, s.Valid, d.xi()) // 1. α
			}
			g := d.net.Gradients(d.net.W(), s.Train, darts.Need{W: true, BFloat16: d.bfloat16}) // 2. w
			optim.Clip(d.gradClip, g.W)
			d.w.Step(g.W)
			s.Record(g.Loss, g.Logits)
		}
		run.Finish(Epoch{Index: epoch, Valid: run.Validate(ctx, epoch, d.net.Eval), Genotype: d.net.Genotype().String()})
	}
	return d.net.Genotype(), run.Err()
}

// xi is ξ, the learning rate of the virtual step: 0 in first order. The
// reference takes the epoch's learning rate of w.
func (d *dartsStrategy) xi() float64 {
	if d.order != 2 {
		return 0
	}
	return d.w.LR()
}

// StateDict implements Strategy.
func (d *dartsStrategy) StateDict() torch.StateDict {
	sd := d.net.StateDict()
	maps.Copy(sd, prefixed(optimizerW, d.w.StateDict()))
	maps.Copy(sd, prefixed(optimizerAlpha, d.alpha.StateDict()))
	return sd
}

// LoadStateDict implements Strategy.
func (d *dartsStrategy) LoadStateDict(sd torch.StateDict) error {
	net, w := cut(sd, optimizerW)
	net, alpha := cut(net, optimizerAlpha)
	return load(part{d.net, net}, part{d.w, w}, part{d.alpha, alpha})
}
