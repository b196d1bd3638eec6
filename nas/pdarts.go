package nas

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/optim"
)

// pdartsStrategy is P-DARTS: three stages of first-order DARTS, each on a deeper network
// with fresh weights, α and optimizers, and with the operations of each edge that the
// stage before leaves. Chen et al., arXiv 1904.12760; train_search.py in their code.
//
// The gradient of α is clipped as that of w is, and α moves in the epochs of a stage
// after its warm-up. Steps take the images of α in turn, from a new order in each epoch.
type pdartsStrategy struct {
	run *Run

	stage int
	space darts.Space // of the stage
	net   darts.Progressive
	w     *optim.SGD
	alpha *optim.Adam
}

func newPDARTS(r *Run) (Strategy, error) {
	c, space := r.Config, spaceOf(r.Config)
	for e, ops := range slices.Concat(space.Normal, space.Reduce) {
		real := slices.DeleteFunc(slices.Clone(ops), func(op genotype.Op) bool { return op == genotype.None })
		if dropped := c.Strategy.Drop[0] + c.Strategy.Drop[1]; len(real) <= dropped {
			return nil, fmt.Errorf("nas: strategy.drop: %d of the %d operations of edge %d of the space, none aside, want fewer",
				dropped, len(real), e%len(space.Normal))
		}
	}
	if c.Network.Form == config.Fast && c.Strategy.SkipDropout != [config.Stages]float64{} {
		r.note("the plain form of the supernet runs in stages with strategy.skip_dropout: the fast form drops no skip connections")
	}
	p := &pdartsStrategy{run: r}
	return p, p.enter(0, space)
}

// enter begins a stage. The networks of those before keep their weights until the run ends.
func (p *pdartsStrategy) enter(stage int, space darts.Space) error {
	c := p.run.Config
	o := supernetOptions(c, p.run.Set.Train)
	o.Normal, o.Reduce = space.Normal, space.Reduce
	o.Layers, o.SkipDropout = c.Strategy.Layers[stage], c.Strategy.SkipDropout[stage]
	net, err := p.run.newSupernet(o)
	if err != nil {
		return err
	}
	p.stage, p.space, p.net = stage, space, net.(darts.Progressive)
	p.w, p.alpha = newSGD(net.W(), c.W), newAdam(net.Alphas(), c.Alpha)
	return nil
}

// reach goes on to a stage, through those between.
func (p *pdartsStrategy) reach(stage int) error {
	for p.stage < stage {
		if err := p.enter(p.stage+1, p.net.Remaining(p.run.Config.Strategy.Drop[p.stage])); err != nil {
			return err
		}
	}
	return nil
}

// Search implements Strategy.
func (p *pdartsStrategy) Search(ctx context.Context, run *Run) (genotype.Genotype, error) {
	each := run.Config.Epochs / config.Stages
	for epoch := range run.Epochs(ctx) {
		if err := p.reach(epoch / each); err != nil {
			return genotype.Genotype{}, err
		}
		p.w.SetLR(run.LR(epoch))
		of := epoch % each
		p.net.SetSkipDropout(skipDropout(run.Config.Strategy.SkipDropout[p.stage], of, each, run.Config.Strategy.Warmup))
		for s := range run.Steps(ctx, epoch) {
			p.step(s, of >= run.Config.Strategy.Warmup)
		}
		run.Finish(Epoch{Index: epoch, Valid: run.Validate(ctx, epoch, p.net.Eval), Genotype: p.genotype().String()})
	}
	if run.Err() != nil {
		return genotype.Genotype{}, run.Err()
	}
	if err := p.reach(config.Stages - 1); err != nil { // of no epochs
		return genotype.Genotype{}, err
	}
	return p.genotype(), nil
}

// step moves α, if it is to move, then w.
func (p *pdartsStrategy) step(s *Step, moves bool) {
	c := p.run.Config
	if moves {
		g := p.net.Gradients(p.net.W(), s.Valid, darts.Need{Alphas: true})
		optim.Clip(c.W.GradClip, g.Alphas...)
		p.alpha.Step(g.Alphas...)
	}
	g := p.net.Gradients(p.net.W(), s.Train, darts.Need{W: true, BFloat16: c.W.Precision == config.BF16})
	optim.Clip(c.W.GradClip, g.W)
	p.w.Step(g.W)
	s.Record(g.Loss, g.Logits)
}

// genotype is the cell of the last stage, before it that which DARTS would derive.
func (p *pdartsStrategy) genotype() genotype.Genotype {
	if p.stage < config.Stages-1 {
		return p.net.Genotype()
	}
	return p.net.LimitedGenotype(p.run.Config.Strategy.Skips)
}

// skipDropout is the rate in one of a stage's epochs, of the stage's first rate: it falls on
// a line to the end of the stage as long as α rests, and from rate exponentially once it moves.
func skipDropout(rate float64, epoch, epochs, warmup int) float64 {
	if epoch < warmup {
		return rate * float64(epochs-epoch-1) / float64(epochs)
	}
	return rate * math.Exp(-0.2*float64(epoch-warmup))
}

// Names of the stage in a state dict.
const (
	nameStage     = "stage"
	nameNormalOps = "operations_normal"
	nameReduceOps = "operations_reduce"
)

// StateDict implements Strategy. Operations are by their index in genotype.SearchOps.
func (p *pdartsStrategy) StateDict() torch.StateDict {
	sd := p.net.StateDict()
	maps.Copy(sd, prefixed(optimizerW, p.w.StateDict()))
	maps.Copy(sd, prefixed(optimizerAlpha, p.alpha.StateDict()))
	sd[nameStage] = torch.FromSlice([]int64{int64(p.stage)}, 1)
	sd[nameNormalOps], sd[nameReduceOps] = operationTable(p.space.Normal), operationTable(p.space.Reduce)
	return sd
}

// LoadStateDict implements Strategy: it makes the network of the stage first.
func (p *pdartsStrategy) LoadStateDict(sd torch.StateDict) error {
	rest := maps.Clone(sd)
	for _, name := range []string{nameStage, nameNormalOps, nameReduceOps} {
		if !sd[name].Defined() {
			return fmt.Errorf("nas: load state dict: %q is missing", name)
		}
		delete(rest, name)
	}
	stage := sd[nameStage].ItemInt()
	if stage < 0 || stage >= config.Stages {
		return fmt.Errorf("nas: load state dict: stage %d, want 0 to %d", stage, config.Stages-1)
	}
	space := darts.Space{Nodes: p.space.Nodes}
	var err error
	whole := spaceOf(p.run.Config)
	if space.Normal, err = operationLists(sd[nameNormalOps], whole.Normal); err != nil {
		return err
	}
	if space.Reduce, err = operationLists(sd[nameReduceOps], whole.Reduce); err != nil {
		return err
	}
	if stage != p.stage {
		if err := p.enter(stage, space); err != nil {
			return err
		}
	}
	net, w := cut(rest, optimizerW)
	net, alpha := cut(net, optimizerAlpha)
	return load(part{p.net, net}, part{p.w, w}, part{p.alpha, alpha})
}

// operationTable has a row for each edge, −1 behind its operations [edges, longest].
func operationTable(ops [][]genotype.Op) torch.Tensor {
	width := 0
	for _, of := range ops {
		width = max(width, len(of))
	}
	all := genotype.SearchOps()
	var table []int64
	for _, of := range ops {
		row := slices.Repeat([]int64{-1}, width)
		for k, op := range of {
			row[k] = int64(slices.Index(all, op))
		}
		table = append(table, row...)
	}
	return torch.FromSlice(table, len(ops), width)
}

// operationLists reads what operationTable writes of edges whose operations are some of those in of.
func operationLists(table torch.Tensor, of [][]genotype.Op) (ops [][]genotype.Op, err error) {
	if table.Dim() != 2 || table.Dtype() != torch.Int64 || table.Size(0) != len(of) || table.Size(1) == 0 {
		return nil, fmt.Errorf("nas: load state dict: a table of operations is %s %v, want int64 with a row for each of %d edges", table.Dtype(), table.Shape(), len(of))
	}
	all := genotype.SearchOps()
	for row := range slices.Chunk(table.Int64s(), table.Size(1)) {
		var left []genotype.Op
		for _, op := range row {
			if op == -1 {
				continue
			}
			if op < 0 || op >= int64(len(all)) || slices.Contains(left, all[op]) || !slices.Contains(of[len(ops)], all[op]) {
				return nil, fmt.Errorf("nas: load state dict: operation %d of edge %d is none of the space, or there twice", op, len(ops))
			}
			left = append(left, all[op])
		}
		if len(left) == 0 {
			return nil, fmt.Errorf("nas: load state dict: edge %d has no operation", len(ops))
		}
		ops = append(ops, left)
	}
	return ops, nil
}

// standsAt implements placed: a stage begins before the first step of its epochs, or is about to.
func (p *pdartsStrategy) standsAt(at position) error {
	each := p.run.Config.Epochs / config.Stages
	if each == 0 {
		return nil // there is one position
	}
	last := min(at.Epoch/each, config.Stages-1)
	first := last
	if at.Step == 0 && at.Epoch > 0 {
		first = (at.Epoch - 1) / each
	}
	if p.stage < first || p.stage > last {
		return fmt.Errorf("epoch %d is of stage %d, the state of stage %d", at.Epoch, last, p.stage)
	}
	return nil
}
