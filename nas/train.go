package nas

import (
	"context"
	"maps"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// trainer trains the network of a derived cell from scratch: the paper's
// evaluation. Reference cnn/train.py.
type trainer struct {
	net      *cells.Network
	w        *optim.SGD
	gradClip float64
	dropPath float64 // reached linearly over the epochs
	bfloat16 bool    // in forward passes that train
	epochs   int
}

func newTrainer(r *Run, g genotype.Genotype) (*trainer, error) {
	net, err := cells.NewNetwork(g, r.network())
	if err != nil {
		return nil, err
	}
	c := r.Config
	return &trainer{
		net: net, w: newSGD(net.Weights().W, c.W), gradClip: c.W.GradClip, dropPath: c.Network.DropPath,
		bfloat16: c.W.Precision == config.BF16, epochs: c.Epochs,
	}, nil
}

// train runs the epochs that are left and returns the result on the test images,
// or on those held out, after the last: the paper reports the last epoch, not the best.
func (t *trainer) train(ctx context.Context, run *Run) (test Meter, err error) {
	for epoch := range run.Epochs(ctx) {
		t.w.SetLR(run.LR(epoch))
		mode := nn.Mode{Training: true, DropPath: t.dropPath * float64(epoch) / float64(t.epochs)}
		for s := range run.Steps(ctx, epoch) {
			out := t.forward(s.Train, mode)
			g := torch.Empty(t.net.Weights().W.Shape(), t.net.Weights().W.Options())
			t.net.Weights().Gradient(out.Loss, g, nil)
			optim.Clip(t.gradClip, g)
			t.w.Step(g)
			s.Record(out.Loss, out.Logits)
		}
		test = run.Validate(ctx, epoch, t.eval)
		run.Finish(Epoch{Index: epoch, Valid: test})
	}
	if test.Count == 0 { // resumed after the last epoch, or there was none
		test = run.Validate(ctx, t.epochs, t.eval)
	}
	return test, run.Err()
}

// forward is a training pass in the precision that was asked for; as PyTorch
// advises, the backward pass is outside.
func (t *trainer) forward(b nn.Batch, m nn.Mode) (out nn.Output) {
	if !t.bfloat16 {
		return t.net.Forward(b, m)
	}
	torch.Autocast(b.X.Device(), torch.BFloat16, func() { out = t.net.Forward(b, m) })
	return out
}

// eval passes b through the network with the running statistics.
func (t *trainer) eval(b nn.Batch) (out nn.Output) {
	torch.NoGrad(func() { out = t.net.Forward(b, nn.Mode{}) })
	return out
}

// StateDict implements State.
func (t *trainer) StateDict() torch.StateDict {
	sd := t.net.Weights().StateDict()
	maps.Copy(sd, prefixed(optimizerW, t.w.StateDict()))
	return sd
}

// LoadStateDict implements State.
func (t *trainer) LoadStateDict(sd torch.StateDict) error {
	net, w := cut(sd, optimizerW)
	return load(part{t.net.Weights(), net}, part{t.w, w})
}
