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

// sharedWeights are the weights that all architectures of a search have in common,
// each trained by the steps of those it is part of.
type sharedWeights struct {
	net      darts.SinglePath
	w        *optim.SGD
	gradClip float64
	bfloat16 bool // in the passes that train w
	all      bool // the running statistics of all operations move in each step
}

// withSharedWeights is how strategies with such weights search, passesOneCell what a pass of theirs computes.
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
	return &sharedWeights{net: net, w: nas.NewSGD(net.W(), c.W), gradClip: c.W.GradClip, bfloat16: c.W.Precision == config.BF16}, nil
}

// train takes a step of w by the loss of one architecture. Weights of operations
// that it has not get no gradient, but decay and move by their momentum.
func (s *sharedWeights) train(step *nas.Step, g genotype.Genotype) {
	d := s.net.PathGradients(g, step.Train, darts.Need{W: true, AllStatistics: s.all, BFloat16: s.bfloat16})
	optim.Clip(s.gradClip, d.W)
	s.w.Step(d.W)
	step.Record(d.Loss, d.Logits)
}

// running is the pass of one architecture in running statistics.
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
