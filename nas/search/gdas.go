package search

import (
	"context"
	"fmt"
	"maps"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/optim"
)

// gdasStrategy is GDAS as in its authors' code: w moves before α, and the norm by which the gradient of
// w is clipped includes the gradient of α's last step. An operation that no pass has chosen yet has no
// weight decay. Dong, Yang, arXiv 1910.04465.
//
// Steps take the images of α as the other strategies do; the authors draw each image of a batch with
// replacement. Their code does not measure the validation half.
type gdasStrategy struct {
	net      *darts.GumbelSupernet
	space    darts.Space
	w        *optim.SGD
	alpha    *optim.Adam
	cost     *darts.CostTerm // nil without one
	dAlpha   []torch.Tensor  // ∇α of the last step, 0 before the first
	gradClip float64
	weights  darts.Need // of the passes that train w
	tau      [2]float64
}

// GDASKeys are the keys of GDAS.
type GDASKeys struct {
	Tau [2]float64 `key:"tau" range:"(0,)" doc:"temperature of the samples in the first and in the last epoch, linear between"`
}

func init() {
	nas.Register(nas.Method{
		Method: config.Method{
			Name: "gdas", How: byGradients, Paper: "1910.04465",
			Keys: GDASKeys{Tau: [2]float64{10, 0.1}}, Alpha: true, Takes: []string{"alpha.cost"},
			Defaults: func(c *config.Config) {
				c.Network.Form, c.Network.Layers = config.Plain, 6
				c.Data.Batch, c.Epochs, c.W.Nesterov, c.W.WeightDecay = 256, 250, true, 5e-4
			},
		},
		New: newGDAS, Scheduled: []string{"the temperature"},
		Passes: "a pass in training computes one operation of each edge; what is counted is all of them",
	})
}

func newGDAS(r *nas.Run) (nas.Strategy, error) {
	c, tau := r.Config, config.KeysAs[GDASKeys](r.Config).Tau
	o := images.SupernetOptions(c, images.Of(r).Images().Train)
	o.Options = r.Options()
	net, err := darts.NewGumbelSupernet(o, tau[0])
	if err != nil {
		return nil, err
	}
	g := &gdasStrategy{
		net: net, space: images.Space(c), w: nas.NewSGD(net.W(), c.W), alpha: nas.NewAdam(net.Alphas(), c.Alpha),
		gradClip: c.W.GradClip, weights: weightPass(c), tau: tau,
	}
	g.weights.Alphas = true // whose gradient is clipped together with that of w
	g.w.Mask(net.Reached())
	for _, alpha := range net.Alphas() {
		g.dAlpha = append(g.dAlpha, torch.ZerosLike(alpha))
	}
	g.cost, err = newCostTerm(r, g.space)
	return g, err
}

// Search implements Strategy.
func (g *gdasStrategy) Search(ctx context.Context, run *nas.Run) (genotype.Genotype, error) {
	for epoch := range run.Epochs(ctx) {
		g.w.SetLR(run.LR(epoch))
		g.net.Tau = temperature(g.tau, epoch, run.Config.Epochs)
		for s := range run.Steps(ctx, epoch) {
			g.step(s)
		}
		run.Finish(nas.Epoch{Index: epoch, Valid: run.Validate(ctx, epoch, g.net.Eval), Genotype: g.net.Genotype().String()})
	}
	return g.net.Genotype(), run.Err()
}

// step moves w, then α, each along the gradient of a sample of its own.
func (g *gdasStrategy) step(s *nas.Step) {
	train := g.net.Gradients(g.net.W(), s.Train, g.weights)
	// The authors clear α's gradient only before α's step, so that here it still contains the last
	// step's.
	clipped := []torch.Tensor{train.W}
	for i, last := range g.dAlpha {
		clipped = append(clipped, train.Alphas[i].Add(last))
	}
	s.NormW = optim.Norm(train.W)
	optim.Clip(g.gradClip, clipped...)
	g.w.Step(train.W)

	valid := g.net.Gradients(g.net.W(), s.Valid, darts.Need{Alphas: true})
	if g.cost != nil {
		g.cost.AddGradient(valid.Alphas, g.net.Alphas())
	}
	g.alpha.Step(valid.Alphas...)
	s.NormAlpha = optim.Norm(valid.Alphas...)
	for i, d := range valid.Alphas {
		g.dAlpha[i].Copy_(d)
	}
	s.Record(train.Loss, train.Logits)
}

// temperature returns τ in an epoch, linear from the first epoch to the last.
func temperature(tau [2]float64, epoch, epochs int) float64 {
	if epochs == 1 {
		return tau[0]
	}
	return tau[0] + (tau[1]-tau[0])*float64(epoch)/float64(epochs-1)
}

// tables returns the gradients that are kept from step to step, by name.
func (g *gdasStrategy) tables() map[string]torch.Tensor {
	return map[string]torch.Tensor{"gradient.alphas_normal": g.dAlpha[0], "gradient.alphas_reduce": g.dAlpha[1]}
}

// Observe implements nas.Observer.
func (g *gdasStrategy) Observe() (runfolder.Observation, error) {
	return runfolder.Observation{
		Cells: observePlain(g.space, g.net.Plain), Temperature: new(g.net.Tau), ExpectedCost: observeCost(g.cost, g.net.Alphas()),
	}, nil
}

// StateDict implements Strategy.
func (g *gdasStrategy) StateDict() torch.StateDict {
	sd := g.net.StateDict()
	maps.Copy(sd, nas.Prefixed(nas.OptimizerW, g.w.StateDict()))
	maps.Copy(sd, nas.Prefixed(nas.OptimizerAlpha, g.alpha.StateDict()))
	maps.Copy(sd, g.tables())
	sd[nameChosen] = g.net.Chosen()
	return sd
}

// nameChosen is the entry of the operations that have been chosen so far.
const nameChosen = "chosen"

// LoadStateDict implements Strategy.
func (g *gdasStrategy) LoadStateDict(sd torch.StateDict) error {
	rest := maps.Clone(sd)
	if err := nas.Take(rest, g.tables()); err != nil {
		return err
	}
	chosen, ok := rest[nameChosen]
	if !ok {
		return fmt.Errorf("nas: load state dict: %q is missing", nameChosen)
	}
	delete(rest, nameChosen)
	if err := g.net.SetChosen(chosen); err != nil {
		return err
	}
	net, w := nas.Cut(rest, nas.OptimizerW)
	net, alpha := nas.Cut(net, nas.OptimizerAlpha)
	return nas.Load(nas.Part{State: g.net, Entries: net}, nas.Part{State: g.w, Entries: w}, nas.Part{State: g.alpha, Entries: alpha})
}
