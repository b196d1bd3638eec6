package search

import (
	"context"
	"maps"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/fast"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
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
	columns   int // columns in memory at a time
	lr        float64
	region    *replay.Region // of whole steps

	hidden, hiddenValid torch.Tensor // [1,B,H]: the states before the next chunks of the two texts
	masks, masksValid   *texts.Masks // of the passes over them
}

func newRecurrentDARTS(r *nas.Run) (nas.Strategy, error) {
	c := r.Config
	net, err := newRecurrentSupernet(r)
	if err != nil {
		return nil, err
	}
	d := &recurrentDARTS{net: net, gradClip: c.W.GradClip, order: config.KeysAs[DARTSKeys](c).Order, columns: c.Data.Columns(), lr: c.W.LR}
	d.w, d.alpha = nas.NewSGD(net.W(), c.W), nas.NewAdam(net.Alphas(), c.Alpha)
	d.architect = darts.NewArchitect(net, d.w, d.alpha)
	d.architect.Clip, d.architect.Corrected = c.W.GradClip, c.Alpha.Corrected
	if d.architect.Hessian, err = newHessian(net, net, c.Alpha.HVP); err != nil {
		return nil, err
	}
	shape := []int{1, c.Data.Batch, c.Network.Hidden}
	d.hidden, d.hiddenValid = torch.Zeros(shape, r.Options()), torch.Zeros(shape, r.Options())
	d.masks, d.masksValid = texts.Of(r).NewMasks("train", d.hidden), texts.Of(r).NewMasks("valid", d.hidden)
	d.region = replay.New(net.W(), d.overwritten)
	return d, nil
}

// newRecurrentSupernet makes the supernet of a text in the form that the config asks for.
func newRecurrentSupernet(r *nas.Run) (darts.Supernet, error) {
	o := RecurrentSupernetOptions(r.Config, len(texts.Of(r).Corpus.Words), r.Options())
	if r.Config.Network.Form == config.Plain {
		return darts.NewRecurrentPlain(o)
	}
	return fast.NewRecurrent(o)
}

// RecurrentSupernetOptions returns the sizes of the supernet that the search c makes for a dictionary of
// this many words, of the type and device to.
func RecurrentSupernetOptions(c *config.Config, words int, to torch.Options) darts.RecurrentOptions {
	o := darts.RecurrentOptions{LanguageOptions: texts.LanguageOptions(c, words), Nodes: c.Network.Nodes}
	o.Options = to
	return o
}

// Search implements Strategy.
func (d *recurrentDARTS) Search(ctx context.Context, run *nas.Run) (genotype.Genotype, error) {
	defer d.region.Forget()
	for epoch := range run.Epochs(ctx) {
		if run.At.Step == 0 {
			d.hidden.Zero_()
			d.hiddenValid.Zero_()
		}
		for s := range run.Steps(ctx, epoch) {
			d.step(s)
		}
		run.Finish(nas.Epoch{Index: epoch, Valid: run.Validate(ctx, epoch, d.eval), Genotype: d.net.Genotype().String()})
	}
	return d.net.Genotype(), run.Err()
}

// step takes a step of α, and then one of w.
func (d *recurrentDARTS) step(s *nas.Step) {
	d.w.SetLR(s.LR)
	xi := d.xi()
	d.architect.SetXi(xi)
	parts, ofAlpha := d.hidden.Size(1)/d.columns, d.architect.TrainMasks(xi)
	shared, own := 0, parts*(ofAlpha+1)
	if d.architect.Corrected {
		shared, own = parts*ofAlpha, parts
	}
	in := []torch.Tensor{
		s.Train.X, s.Train.Y, d.masks.Draw(s, shared, own), s.Valid.X, s.Valid.Y, d.masksValid.Draw(s, 0, parts),
	}
	out := d.region.Run(xi > 0, in, func(in []torch.Tensor) []torch.Tensor {
		train := nn.Batch{X: in[0], Y: in[1], Masks: cells.RowsOf(in[2])}
		valid := nn.Batch{X: in[3], Y: in[4], Masks: cells.RowsOf(in[5])}
		norm := d.stepAlpha(train, valid)
		loss, clipped := d.stepW(train)
		return []torch.Tensor{loss, clipped, norm}
	})
	s.NormW, s.NormAlpha = out[1], out[2]
	s.RecordLater(out[0], torch.Tensor{})
}

// xi returns ξ, the learning rate of the virtual step: 0 in first order, else that of w as scaled for this chunk.
func (d *recurrentDARTS) xi() float64 {
	if d.order != 2 {
		return 0
	}
	return d.w.LR()
}

// stepAlpha steps α along the mean of its gradients over the parts of the batch, and returns the mean's norm. The pass
// also gives the state before the next chunk of the validation text.
func (d *recurrentDARTS) stepAlpha(train, valid nn.Batch) (norm torch.Tensor) {
	mean := texts.MeanOver(d.hidden.Size(1), d.columns, func(from int) []torch.Tensor {
		g := d.architect.Gradient(texts.ColumnsOf(train, d.hidden, from, d.columns), texts.ColumnsOf(valid, d.hiddenValid, from, d.columns), d.xi())
		texts.KeepState(d.hiddenValid, g.Hidden, from)
		return g.Alphas
	})
	norm = optim.Norm(mean...)
	d.alpha.Step(mean...)
	return norm
}

// stepW steps w by the chunk that trains it, from the state before stepAlpha. It returns the loss, and the gradient's
// norm before clipping.
func (d *recurrentDARTS) stepW(train nn.Batch) (loss, norm torch.Tensor) {
	mean := texts.MeanOver(d.hidden.Size(1), d.columns, func(from int) []torch.Tensor {
		g := d.net.Gradients(d.net.W(), texts.ColumnsOf(train, d.hidden, from, d.columns), darts.Need{W: true, Regularised: true})
		texts.KeepState(d.hidden, g.Hidden, from)
		return []torch.Tensor{g.W, g.Loss}
	})
	norm = optim.Clip(d.gradClip, mean[0])
	d.w.Step(mean[0])
	return mean[1], norm
}

// eval passes b through the supernet with running statistics.
func (d *recurrentDARTS) eval(b nn.Batch) nn.Output { return texts.EvalIn(d.region, b, d.net.Eval) }

// overwritten is all that a step overwrites.
func (d *recurrentDARTS) overwritten() []torch.Tensor {
	return slices.Concat(slices.Collect(maps.Values(d.net.StateDict())), d.w.Overwritten(), d.alpha.Overwritten(),
		[]torch.Tensor{d.hidden, d.hiddenValid})
}

// Observe implements nas.Observer.
func (d *recurrentDARTS) Observe() (runfolder.Observation, error) {
	return runfolder.Observation{Cells: []runfolder.CellMix{observeRecurrent(d.net.Alphas()[0])}}, nil
}

// LR returns the constant learning rate of a step of data.bptt tokens.
func (d *recurrentDARTS) LR(int) float64 { return d.lr }

// StateDict implements Strategy.
func (d *recurrentDARTS) StateDict() torch.StateDict {
	sd := d.net.StateDict()
	maps.Copy(sd, nas.Prefixed(nas.OptimizerW, d.w.StateDict()))
	maps.Copy(sd, nas.Prefixed(nas.OptimizerAlpha, d.alpha.StateDict()))
	sd[texts.NameHidden], sd[texts.NameHiddenValid] = d.hidden, d.hiddenValid
	return sd
}

// LoadStateDict implements Strategy.
func (d *recurrentDARTS) LoadStateDict(sd torch.StateDict) error {
	net, w := nas.Cut(sd, nas.OptimizerW)
	net, alpha := nas.Cut(net, nas.OptimizerAlpha)
	if err := nas.Take(net, map[string]torch.Tensor{texts.NameHidden: d.hidden, texts.NameHiddenValid: d.hiddenValid}); err != nil {
		return err
	}
	d.region.Forget() // settings of the optimizers may be others
	return nas.Load(nas.Part{State: d.net, Entries: net}, nas.Part{State: d.w, Entries: w}, nas.Part{State: d.alpha, Entries: alpha})
}
