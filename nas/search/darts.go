package search

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
)

// dartsStrategy is the paper's Algorithm 1, in both orders. On a supernet of partial
// channels, in first order and with a warm-up, it is PC-DARTS.
type dartsStrategy struct {
	net       darts.Supernet
	plain     *darts.Plain // the plain form of net
	space     darts.Space
	w         *optim.SGD
	alpha     *optim.Adam
	architect *darts.Architect
	gradClip  float64
	weights   darts.Need // of the passes that train w; those of α are in full precision, which the finite difference needs
	order     int
	warmup    int            // epochs before α moves
	region    *replay.Region // of whole steps; nil where the host looks at passes

	skips     int // most skip connections of a normal cell; negative is any number
	early     *earlyStop
	selection *perturbation
}

func newDARTS(r *nas.Run) (nas.Strategy, error) {
	if r.Config.Data.IsText() {
		return newRecurrentDARTS(r)
	}
	return newGradientSearch(r, config.KeysAs[DARTSKeys](r.Config), 0)
}

// newGradientSearch makes a search on images by DARTS whose α moves after warmup epochs.
func newGradientSearch(r *nas.Run, k DARTSKeys, warmup int) (nas.Strategy, error) {
	c := r.Config
	net, err := NewSupernet(r)
	if err != nil {
		return nil, err
	}
	d := &dartsStrategy{
		space: images.Space(c), gradClip: c.W.GradClip, weights: weightPass(c), order: k.Order, warmup: warmup, skips: k.SkipLimit,
	}
	d.plain = PlainOf(net)
	d.early, d.selection = newEarlyStop(c, k, d.plain), newPerturbation(c, d.plain)
	d.net = net
	d.w = nas.NewSGD(net.W(), c.W)
	d.alpha = nas.NewAdam(net.Alphas(), c.Alpha)
	d.architect = darts.NewArchitect(d.net, d.w, d.alpha)
	if d.architect.Hessian, err = newHessian(net, net, c.Alpha.HVP); err != nil {
		return nil, err
	}
	d.region = replay.New(net.W(), d.overwritten)
	d.architect.Cost, err = newCostTerm(r, images.Space(c))
	return d, err
}

// NewSupernet makes the supernet of the sizes in the run's config, as supernetOf does. Its tensors
// belong to the current scope.
func NewSupernet(r *nas.Run) (darts.Supernet, error) {
	return supernetOf(r, images.SupernetOptions(r.Config, images.Of(r).Images().Train))
}

// supernetOf makes a supernet in the form that the config asks for. If neither the fast form nor
// the wide one can run it makes the plain one, and notes why.
func supernetOf(r *nas.Run, o darts.Options) (darts.Supernet, error) {
	set := images.Of(r).Images().Train
	o.Options = r.Options()
	if r.Config.Network.Form == config.Plain {
		return darts.NewPlain(o)
	}
	net, why, err := fast.Choose(o, set.Height, set.Width)
	if err == nil && why != "" && o.SkipDropout == 0 { // newPDARTS notes skip dropout
		r.Note("the plain form of the supernet runs: %s", why)
	}
	return net, err
}

// PlainOf returns the plain form of a supernet of NewSupernet, with the same weights and α.
func PlainOf(net darts.Supernet) *darts.Plain {
	switch net := net.(type) {
	case *fast.Supernet:
		return net.Plain
	case *fast.Wide:
		return net.Plain
	}
	return net.(*darts.Plain)
}

// Observe returns softmax(α) of a supernet of NewSupernet, in float64, for nas.Observer. c is the config of
// the search.
func Observe(c *config.Config, net darts.Supernet) runfolder.Observation {
	return runfolder.Observation{Cells: observePlain(images.Space(c), PlainOf(net))}
}

// newHessian returns the Hessian-vector product of the second order: by finite differences of passes of
// watched, or exactly by net, of which watched may be a form that notes its passes.
func newHessian(net, watched darts.Supernet, o config.HVP) (darts.Hessian, error) {
	if o.Method != config.Exact {
		return darts.FiniteDifference{Net: watched, Radius: o.Radius}, nil
	}
	exact, ok := net.(darts.Hessian)
	if !ok {
		return nil, fmt.Errorf("nas: alpha.hvp.method exact: the supernet %T has no exact product", net)
	}
	return exact, nil
}

// Search implements Strategy.
func (d *dartsStrategy) Search(ctx context.Context, run *nas.Run) (genotype.Genotype, error) {
	defer d.region.Forget()
	for epoch := range run.Epochs(ctx) {
		if g, stop := d.early.found(epoch); stop {
			return g, run.Err()
		}
		if d.selection.due(epoch) {
			d.project(ctx, run, epoch)
			if run.Err() != nil {
				break
			}
		}
		d.w.SetLR(run.LR(epoch))
		for s := range run.Steps(ctx, epoch) {
			d.step(s, epoch >= d.warmup)
		}
		run.Finish(nas.Epoch{
			Index: epoch, Valid: run.Validate(ctx, epoch, d.eval), Genotype: d.genotype().String(), Eigenvalue: d.early.measure(run, epoch),
		})
	}
	return d.genotype(), run.Err()
}

// step takes a step of w, before it one of α if that moves.
func (d *dartsStrategy) step(s *nas.Step, moves bool) {
	xi := d.xi()
	d.architect.SetXi(xi)
	kind := struct{ moves, second bool }{moves, xi > 0}
	out := d.region.Run(kind, []torch.Tensor{s.Train.X, s.Train.Y, s.Valid.X, s.Valid.Y}, func(in []torch.Tensor) []torch.Tensor {
		train, valid := nn.Batch{X: in[0], Y: in[1]}, nn.Batch{X: in[2], Y: in[3]}
		var norm torch.Tensor
		if moves {
			norm = optim.Norm(d.architect.Step(train, valid, d.xi()).Alphas...) // 1. α
		}
		g := d.net.Gradients(d.net.W(), train, d.weights) // 2. w
		clipped := optim.Clip(d.gradClip, g.W)
		d.w.Step(g.W)
		return []torch.Tensor{g.Loss, g.Logits, clipped, norm}
	})
	s.NormW, s.NormAlpha = out[2], out[3]
	s.RecordLater(out[0], out[1])
}

// eval passes b through the supernet with running statistics.
func (d *dartsStrategy) eval(b nn.Batch) nn.Output {
	r := d.region.Run("evaluation", []torch.Tensor{b.X, b.Y}, func(in []torch.Tensor) []torch.Tensor {
		out := d.net.Eval(nn.Batch{X: in[0], Y: in[1]})
		return []torch.Tensor{out.Loss, out.Logits}
	})
	return nn.Output{Loss: r[0], Logits: r[1]}
}

// overwritten is all that a step overwrites.
func (d *dartsStrategy) overwritten() []torch.Tensor {
	return slices.Concat(slices.Collect(maps.Values(d.net.StateDict())), d.w.Overwritten(), d.alpha.Overwritten())
}

// project begins an epoch of the phase that selects cells by perturbation.
func (d *dartsStrategy) project(ctx context.Context, run *nas.Run, epoch int) {
	if net := d.selection.net; d.net != darts.Supernet(net) {
		d.region.Forget()
		d.net, d.region = net, nil // what the passes compute depends on the decisions
		hessian, err := newHessian(net, net, run.Config.Alpha.HVP)
		if err != nil {
			run.Fail(err)
			return
		}
		d.architect = darts.NewArchitect(net, d.w, d.alpha)
		d.architect.Hessian = hessian
	}
	if epoch == d.selection.first && run.At.Step == 0 { // the phase has a new optimizer of w
		for _, buffer := range d.w.Momentum() {
			buffer.Zero_()
		}
	}
	d.selection.decide(ctx, run, epoch)
}

// genotype returns the current cells.
func (d *dartsStrategy) genotype() genotype.Genotype {
	if d.selection != nil {
		return d.selection.net.Genotype()
	}
	return d.plain.Derive(d.net.Alphas(), d.skips)
}

// xi returns ξ, the learning rate of the virtual step: 0 in first order, else as in the reference the
// epoch's learning rate of w.
func (d *dartsStrategy) xi() float64 {
	if d.order != 2 {
		return 0
	}
	return d.w.LR()
}

// Observe implements nas.Observer. Edges that the phase of perturbations has decided have their
// operation with probability 1, and deleted ones have none.
func (d *dartsStrategy) Observe() (runfolder.Observation, error) {
	cells := observePlain(d.space, d.plain)
	d.selection.observe(cells)
	return runfolder.Observation{Cells: cells, ExpectedCost: observeCost(d.architect.Cost, d.net.Alphas())}, nil
}

// StateDict implements Strategy.
func (d *dartsStrategy) StateDict() torch.StateDict {
	sd := d.net.StateDict()
	maps.Copy(sd, nas.Prefixed(nas.OptimizerW, d.w.StateDict()))
	maps.Copy(sd, nas.Prefixed(nas.OptimizerAlpha, d.alpha.StateDict()))
	maps.Copy(sd, d.early.entries())
	d.selection.save(sd)
	return sd
}

// CheckPosition returns an error if the phase of a selection by perturbation does not fit the position.
func (d *dartsStrategy) CheckPosition(at nas.Position) error { return d.selection.CheckPosition(at) }

// LoadStateDict implements Strategy.
func (d *dartsStrategy) LoadStateDict(sd torch.StateDict) error {
	net, w := nas.Cut(sd, nas.OptimizerW)
	net, alpha := nas.Cut(net, nas.OptimizerAlpha)
	if err := nas.Take(net, d.early.entries()); err != nil {
		return err
	}
	if err := d.selection.load(net); err != nil {
		return err
	}
	d.region.Forget() // settings of the optimizers may be others
	return nas.Load(nas.Part{State: d.net, Entries: net}, nas.Part{State: d.w, Entries: w}, nas.Part{State: d.alpha, Entries: alpha})
}
