package train

import (
	"context"
	"maps"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
)

// Trainer trains the network of a derived cell from scratch: the paper's
// evaluation. Reference cnn/train.py. With quantise.from it trains one in
// integers, from the weights of a trained one.
type Trainer struct {
	Genotype genotype.Genotype
	Net      Network
	W        *optim.SGD
	gradClip float64
	dropPath float64 // of the last epoch; it rises linearly from 0
	bfloat16 bool    // in forward passes of training
	tf32     bool    // in training passes, on a GPU
	epochs   int
	mask     torch.Tensor   // [P], 0 where weights stay 0; undefined without such
	region   *replay.Region // of whole steps; nil for a network in integers, whose passes read its scales
}

// New makes the network of the cells g and its optimizer. Their tensors belong to the current scope.
func New(r *nas.Run, g genotype.Genotype) (*Trainer, error) {
	net, err := newNetwork(r, g)
	if err != nil {
		return nil, err
	}
	c := r.Config
	t := &Trainer{
		Genotype: g, Net: net, W: nas.NewSGD(net.Weights().W, c.W), gradClip: c.W.GradClip, dropPath: c.Network.DropPath,
		bfloat16: c.W.Precision == config.BF16, tf32: c.W.Precision == config.TF32, epochs: c.Epochs,
	}
	if _, ok := net.(*cells.Network); ok {
		t.region = replay.New(net.Weights().W, t.overwritten)
	}
	return t, nil
}

// overwritten is all that a step overwrites.
func (t *Trainer) overwritten() []torch.Tensor {
	return append(slices.Collect(maps.Values(t.Net.StateDict())), t.W.Overwritten()...)
}

// Train runs the remaining epochs and returns the measurement after the last, on the test images or on
// those held out. The paper reports the last epoch, not the best.
func (t *Trainer) Train(ctx context.Context, run *nas.Run) (test nas.Meter, err error) {
	t.calibrate(ctx, run)
	defer t.region.Forget()
	for epoch := range run.Epochs(ctx) {
		t.W.SetLR(run.LR(epoch))
		for s := range run.Steps(ctx, epoch) {
			t.step(s, t.dropPath*float64(epoch)/float64(t.epochs))
		}
		test = run.Validate(ctx, epoch, t.Eval)
		run.Finish(nas.Epoch{Index: epoch, Valid: test})
	}
	if test.Count == 0 { // resumed after the last epoch, or without epochs
		test = run.Validate(ctx, t.epochs, t.Eval)
	}
	return test, run.Err()
}

// step takes a step that drops paths with that probability.
func (t *Trainer) step(s *nas.Step, dropPath float64) {
	var paths torch.Tensor
	if dropPath > 0 {
		paths = t.Net.(*cells.Network).DropFactors(s.Train.X.Size(0), dropPath)
	}
	masked := t.mask.Defined()
	out := t.region.Run(masked, []torch.Tensor{s.Train.X, s.Train.Y, paths}, func(in []torch.Tensor) []torch.Tensor {
		mode := nn.Mode{Training: true}
		if rows := in[2]; rows.Defined() {
			mode.DropPath, mode.Paths = dropPath, cells.RowsOf(rows)
		}
		out, g := t.pass(nn.Batch{X: in[0], Y: in[1]}, mode)
		norm := optim.Clip(t.gradClip, g)
		t.W.Step(g)
		if masked {
			torch.NoGrad(func() { t.Net.Weights().W.Mul_(t.mask) })
		}
		return []torch.Tensor{out.Loss, out.Logits, norm}
	})
	s.NormW = out[2]
	s.RecordLater(out[0], out[1])
}

// pass is a training pass, in the configured precision. g is the gradient of the weights.
func (t *Trainer) pass(b nn.Batch, m nn.Mode) (out nn.Output, g torch.Tensor) {
	both := func() {
		out = t.forward(b, m)
		g = torch.Empty(t.Net.Weights().W.Shape(), t.Net.Weights().W.Options())
		t.Net.Weights().Gradient(out.Loss, g, nil)
	}
	if t.tf32 {
		torch.WithTF32(both)
	} else {
		both()
	}
	return out, g
}

// forward is the forward half. As PyTorch advises, the backward pass is outside of Autocast.
func (t *Trainer) forward(b nn.Batch, m nn.Mode) (out nn.Output) {
	if !t.bfloat16 {
		return t.Net.Forward(b, m)
	}
	torch.Autocast(b.X.Device(), torch.BFloat16, func() { out = t.Net.Forward(b, m) })
	return out
}

// Eval passes b through the network with running statistics.
func (t *Trainer) Eval(b nn.Batch) (out nn.Output) {
	r := t.region.Run("evaluation", []torch.Tensor{b.X, b.Y}, func(in []torch.Tensor) []torch.Tensor {
		torch.NoGrad(func() { out = t.Net.Forward(nn.Batch{X: in[0], Y: in[1]}, nn.Mode{}) })
		return []torch.Tensor{out.Loss, out.Logits}
	})
	return nn.Output{Loss: r[0], Logits: r[1]}
}

// StateDict implements State.
func (t *Trainer) StateDict() torch.StateDict {
	sd := t.Net.Weights().StateDict()
	maps.Copy(sd, nas.Prefixed(nas.OptimizerW, t.W.StateDict()))
	return sd
}

// LoadStateDict implements State.
func (t *Trainer) LoadStateDict(sd torch.StateDict) error {
	net, w := nas.Cut(sd, nas.OptimizerW)
	t.region.Forget() // settings of the optimizer may be others
	return nas.Load(nas.Part{State: t.Net.Weights(), Entries: net}, nas.Part{State: t.W, Entries: w})
}
