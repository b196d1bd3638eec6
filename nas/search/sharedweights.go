package search

import (
	"maps"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// weightPass returns what a pass that trains w needs: its gradient, in the precision that c says.
func weightPass(c *config.Config) darts.Need {
	return darts.Need{W: true, BFloat16: c.W.Precision == config.BF16, TF32: c.W.Precision == config.TF32}
}

// sharedWeights are the weights that all architectures of a search share. A step trains those of one
// architecture.
type sharedWeights struct {
	net      darts.SinglePath
	w        *optim.SGD
	gradClip float64
	weights  darts.Need // of the passes that train w
}

// Descriptions of strategies with shared weights, and of their training passes.
const (
	withSharedWeights = "with shared weights"
	passesOneCell     = "a pass computes the path of one cell; what is counted is all operations of all edges"
)

func newSharedWeights(r *nas.Run) (*sharedWeights, error) {
	c := r.Config
	size := images.SupernetOptions(c, images.Of(r).Images().Train)
	size.Options = r.Options()
	net, err := darts.NewPlain(size)
	if err != nil {
		return nil, err
	}
	return &sharedWeights{net: net, w: nas.NewSGD(net.W(), c.W), gradClip: c.W.GradClip, weights: weightPass(c)}, nil
}

// train steps w by the loss of one architecture. The weights of its unused operations get no gradient,
// but decay and move by their momentum.
func (s *sharedWeights) train(step *nas.Step, g genotype.Genotype) {
	d := s.net.PathGradients(g, step.Train, s.weights)
	step.NormW = optim.Clip(s.gradClip, d.W)
	s.w.Step(d.W)
	step.Record(d.Loss, d.Logits)
}

// running returns the pass of one architecture with running statistics.
func (s *sharedWeights) running(g genotype.Genotype) func(nn.Batch) nn.Output {
	return func(b nn.Batch) nn.Output { return s.net.PathEval(g, b) }
}

// StateDict implements Strategy.
func (s *sharedWeights) StateDict() torch.StateDict {
	sd := s.net.StateDict()
	maps.Copy(sd, nas.Prefixed(nas.OptimizerW, s.w.StateDict()))
	return sd
}

// LoadStateDict implements Strategy.
func (s *sharedWeights) LoadStateDict(sd torch.StateDict) error {
	net, w := nas.Cut(sd, nas.OptimizerW)
	return nas.Load(nas.Part{State: s.net, Entries: net}, nas.Part{State: s.w, Entries: w})
}
