package nas

import (
	"context"
	"maps"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/optim"
)

// recurrentDARTS is the paper's Algorithm 1 on a text, in both orders. Reference
// rnn/train_search.py.
type recurrentDARTS struct {
	net       darts.Supernet
	w         *optim.SGD
	alpha     *optim.Adam
	architect *darts.Architect
	gradClip  float64
	order     int
	columns   int // in memory at a time

	hidden, hiddenValid torch.Tensor // [1,B,H]: the states before the next chunks of both texts
}

func newRecurrentDARTS(r *Run) (Strategy, error) {
	c := r.Config
	net, err := r.newRecurrentSupernet()
	if err != nil {
		return nil, err
	}
	d := &recurrentDARTS{net: net, gradClip: c.W.GradClip, order: config.KeysAs[DARTSKeys](c).Order, columns: c.Data.Columns()}
	d.w, d.alpha = newSGD(net.W(), c.W), newAdam(net.Alphas(), c.Alpha)
	d.architect = darts.NewArchitect(net, d.w, d.alpha)
	d.architect.Clip, d.architect.Corrected = c.W.GradClip, c.Alpha.Corrected
	if d.architect.Hessian, err = newHessian(net, net, c.Alpha.HVP); err != nil {
		return nil, err
	}
	shape := []int{1, c.Data.Batch, c.Network.Hidden}
	d.hidden, d.hiddenValid = torch.Zeros(shape, r.options()), torch.Zeros(shape, r.options())
	return d, nil
}

// newRecurrentSupernet makes the supernet of a text in the form that the config asks for.
func (r *Run) newRecurrentSupernet() (darts.Supernet, error) {
	o := recurrentSupernetOptions(r.Config, len(r.Corpus.Words), r.options())
	if r.Config.Network.Form == config.Plain {
		return darts.NewRecurrentPlain(o)
	}
	return fast.NewRecurrent(o)
}

func recurrentSupernetOptions(c *config.Config, words int, to torch.Options) darts.RecurrentOptions {
	o := darts.RecurrentOptions{LanguageOptions: languageOptions(c, words), Nodes: c.Network.Nodes}
	o.Options = to
	return o
}

// Search implements Strategy.
func (d *recurrentDARTS) Search(ctx context.Context, run *Run) (genotype.Genotype, error) {
	for epoch := range run.Epochs(ctx) {
		if run.at.Step == 0 {
			d.hidden.Zero_()
			d.hiddenValid.Zero_()
		}
		for s := range run.Steps(ctx, epoch) {
			d.w.SetLR(s.LR)
			d.stepAlpha(s)
			s.Record(d.stepW(s), torch.Tensor{})
		}
		run.Finish(Epoch{Index: epoch, Valid: run.Validate(ctx, epoch, d.net.Eval), Genotype: d.net.Genotype().String()})
	}
	return d.net.Genotype(), run.Err()
}

// stepAlpha steps α along the mean of its gradients over the parts of the batch. The
// state before the next chunk of the validation text comes from its pass.
func (d *recurrentDARTS) stepAlpha(s *Step) {
	xi := 0.0
	if d.order == 2 {
		xi = d.w.LR() // as rescaled for this chunk
	}
	d.alpha.Step(meanOver(d.hidden.Size(1), d.columns, func(from int) []torch.Tensor {
		train, valid := columnsOf(s.Train, d.hidden, from, d.columns), columnsOf(s.Valid, d.hiddenValid, from, d.columns)
		g := d.architect.Gradient(train, valid, xi)
		keepState(d.hiddenValid, g.Hidden, from)
		return g.Alphas
	})...)
}

// stepW steps w by the chunk that trains it, from the state before stepAlpha, and
// gives the loss.
func (d *recurrentDARTS) stepW(s *Step) (loss torch.Tensor) {
	mean := meanOver(d.hidden.Size(1), d.columns, func(from int) []torch.Tensor {
		g := d.net.Gradients(d.net.W(), columnsOf(s.Train, d.hidden, from, d.columns), darts.Need{W: true, Regularised: true})
		keepState(d.hidden, g.Hidden, from)
		return []torch.Tensor{g.W, g.Loss}
	})
	optim.Clip(d.gradClip, mean[0])
	d.w.Step(mean[0])
	return mean[1]
}

// meanOver is the mean of what pass gives for each so many of all columns, from
// one on. Only one pass is in memory at a time.
func meanOver(all, columns int, pass func(from int) []torch.Tensor) (mean []torch.Tensor) {
	for from := 0; from < all; from += columns {
		torch.Scoped(func() {
			of := pass(from)
			if from == 0 {
				mean = of
				for _, t := range mean {
					torch.Keep(t)
				}
				return
			}
			torch.NoGrad(func() {
				for i, t := range of {
					mean[i].Add_(t)
				}
			})
		})
	}
	if parts := all / columns; parts > 1 {
		torch.NoGrad(func() {
			for _, t := range mean {
				t.DivScalar_(float64(parts))
			}
		})
	}
	return mean
}

// keepState writes the state after some columns [1,b,H] over theirs in hidden.
func keepState(hidden, after torch.Tensor, from int) {
	torch.NoGrad(func() { hidden.Narrow(1, from, after.Size(1)).Copy_(after) })
}

// Names of the states in checkpoints.
const (
	nameHidden      = "hidden"
	nameHiddenValid = "hidden_valid"
)

// StateDict implements Strategy.
func (d *recurrentDARTS) StateDict() torch.StateDict {
	sd := d.net.StateDict()
	maps.Copy(sd, prefixed(optimizerW, d.w.StateDict()))
	maps.Copy(sd, prefixed(optimizerAlpha, d.alpha.StateDict()))
	sd[nameHidden], sd[nameHiddenValid] = d.hidden, d.hiddenValid
	return sd
}

// LoadStateDict implements Strategy.
func (d *recurrentDARTS) LoadStateDict(sd torch.StateDict) error {
	net, w := cut(sd, optimizerW)
	net, alpha := cut(net, optimizerAlpha)
	if err := take(net, map[string]torch.Tensor{nameHidden: d.hidden, nameHiddenValid: d.hiddenValid}); err != nil {
		return err
	}
	return load(part{d.net, net}, part{d.w, w}, part{d.alpha, alpha})
}
