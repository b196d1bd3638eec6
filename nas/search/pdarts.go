package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/optim"
)

// pdartsStrategy is P-DARTS: three stages of first-order DARTS. Each stage has a deeper network, new
// weights, α and optimizers, and on each edge the operations that the stage before left. Chen et al.,
// arXiv 1904.12760; train_search.py in their code.
//
// The gradient of α is clipped as that of w. α moves after the warm-up of a stage. Steps take the
// images of α in order, with a new order in each epoch.
type pdartsStrategy struct {
	run  *nas.Run
	keys PDARTSKeys

	stage int
	space darts.Space // of the stage
	net   darts.Progressive
	w     *optim.SGD
	alpha *optim.Adam
	cost  *darts.CostTerm // nil without one
}

// stages is the number of stages.
const stages = 3

// PDARTSKeys are the keys of P-DARTS.
type PDARTSKeys struct {
	Warmup      int             `key:"warmup" range:"[0,)" doc:"epochs of each stage that train only the weights, before alpha moves"`
	Layers      [stages]int     `key:"layers" range:"[3,)" why:"too few layers for two reductions" most:"1000" doc:"cells of the network in each of three stages, which share epochs evenly"`
	Drop        [stages - 1]int `key:"drop" range:"[0,)" doc:"least probable operations that each edge loses after the first and after the second stage"`
	SkipDropout [stages]float64 `key:"skip_dropout" range:"[0,1)" doc:"first rate of a stage at which skip connections drop elements; it falls"`
	Skips       int             `key:"skips" range:"[0,)" doc:"most skip connections that the normal cell is derived with"`
}

func init() {
	nas.Register(nas.Method{
		Method: config.Method{
			Name: "p-darts", How: byGradients, Paper: "1904.12760", Alpha: true,
			Takes: []string{"network.form", "alpha.cost"}, Lacks: []string{"network.layers"},
			Keys: PDARTSKeys{Warmup: 10, Layers: [stages]int{5, 11, 17}, Drop: [stages - 1]int{3, 2}, SkipDropout: [stages]float64{0.1, 0.4, 0.7}, Skips: 2},
			Defaults: func(c *config.Config) {
				c.Data.Batch, c.Epochs, c.W.LRMin, c.Alpha.LR = 96, 75, 0, 6e-4
			},
			Rules: func(c *config.Config) *config.Problem {
				if c.Epochs%stages == 0 {
					return nil
				}
				return config.Conflict("epochs", "strategy.name", "%d are not shared evenly by the %d stages of p-darts, want a multiple of %d", c.Epochs, stages, stages)
			},
		},
		New: newPDARTS, AlphaTurns: true, // in each epoch its authors go through all images of α
		Supernets: pdartsSupernets,
		LR: func(c *config.Config, epoch int) float64 { // each stage starts the schedule again
			each := c.Epochs / stages
			return nas.ScheduledLR(c.W, epoch%max(each, 1), each)
		},
		MayLast: func(*config.Config, int) string {
			return "the stages of p-darts share them, and depth and operations of one that is done depend on its end"
		},
		TrainsOnHeldOut: func(*config.Config) bool { return true },
		Size: func(c *config.Config) (key string, value, standard int) {
			return "strategy.layers", config.KeysAs[PDARTSKeys](c).Layers[stages-1], 17
		},
	})
}

// pdartsSupernets returns the sizes of the supernets of all stages, each with all operations.
func pdartsSupernets(c *config.Config, o darts.Options) (each []darts.Options) {
	k := config.KeysAs[PDARTSKeys](c)
	for stage := range stages {
		o.Layers, o.SkipDropout = k.Layers[stage], k.SkipDropout[stage]
		each = append(each, o)
	}
	return each
}

func newPDARTS(r *nas.Run) (nas.Strategy, error) {
	c, space, k := r.Config, images.Space(r.Config), config.KeysAs[PDARTSKeys](r.Config)
	for e, ops := range slices.Concat(space.Normal, space.Reduce) {
		real := slices.DeleteFunc(slices.Clone(ops), func(op genotype.Op) bool { return op == genotype.None })
		if dropped := k.Drop[0] + k.Drop[1]; len(real) <= dropped {
			return nil, fmt.Errorf("nas: strategy.drop: %d of the %d operations of edge %d of the space, none aside, want fewer",
				dropped, len(real), e%len(space.Normal))
		}
	}
	if c.Network.Form == config.Fast && k.SkipDropout != [stages]float64{} {
		r.Note("the plain form of the supernet runs in stages with strategy.skip_dropout: the fast form drops no skip connections")
	}
	p := &pdartsStrategy{run: r, keys: k}
	return p, p.enter(0, space)
}

// enter begins a stage. The networks of earlier stages keep their memory until the run ends.
func (p *pdartsStrategy) enter(stage int, space darts.Space) error {
	c := p.run.Config
	o := images.Supernets(c, images.Of(p.run).Images().Train)[stage]
	o.Normal, o.Reduce = space.Normal, space.Reduce
	net, err := supernetOf(p.run, o)
	if err != nil {
		return err
	}
	p.stage, p.space, p.net = stage, space, net.(darts.Progressive)
	p.w, p.alpha = nas.NewSGD(net.W(), c.W), nas.NewAdam(net.Alphas(), c.Alpha)
	p.cost, err = newCostTerm(p.run, space)
	if stage > 0 && errors.Is(err, errFree) { // what is left may all be free
		err = nil
	}
	return err
}

// reach enters the stages up to a given one.
func (p *pdartsStrategy) reach(stage int) error {
	for p.stage < stage {
		if err := p.enter(p.stage+1, p.net.Remaining(p.keys.Drop[p.stage])); err != nil {
			return err
		}
	}
	return nil
}

// Search implements Strategy.
func (p *pdartsStrategy) Search(ctx context.Context, run *nas.Run) (genotype.Genotype, error) {
	each := run.Config.Epochs / stages
	for epoch := range run.Epochs(ctx) {
		if err := p.reach(epoch / each); err != nil {
			return genotype.Genotype{}, err
		}
		p.w.SetLR(run.LR(epoch))
		of := epoch % each
		p.net.SetSkipDropout(skipDropout(p.keys.SkipDropout[p.stage], of, each, p.keys.Warmup))
		for s := range run.Steps(ctx, epoch) {
			p.step(s, of >= p.keys.Warmup)
		}
		run.Finish(nas.Epoch{Index: epoch, Valid: run.Validate(ctx, epoch, p.net.Eval), Genotype: p.genotype().String()})
	}
	if run.Err() != nil {
		return genotype.Genotype{}, run.Err()
	}
	if err := p.reach(stages - 1); err != nil { // a run without epochs
		return genotype.Genotype{}, err
	}
	return p.genotype(), nil
}

// step moves α, if moves is set, and then w.
func (p *pdartsStrategy) step(s *nas.Step, moves bool) {
	c := p.run.Config
	if moves {
		g := p.net.Gradients(p.net.W(), s.Valid, darts.Need{Alphas: true})
		if p.cost != nil {
			p.cost.AddGradient(g.Alphas, p.net.Alphas())
		}
		s.NormAlpha = optim.Clip(c.W.GradClip, g.Alphas...)
		p.alpha.Step(g.Alphas...)
	}
	g := p.net.Gradients(p.net.W(), s.Train, weightPass(c))
	s.NormW = optim.Clip(c.W.GradClip, g.W)
	p.w.Step(g.W)
	s.Record(g.Loss, g.Logits)
}

// genotype returns the cell of the last stage; before it, the cell that DARTS would derive.
func (p *pdartsStrategy) genotype() genotype.Genotype {
	if p.stage < stages-1 {
		return p.net.Genotype()
	}
	return p.net.LimitedGenotype(p.keys.Skips)
}

// Observe implements nas.Observer.
func (p *pdartsStrategy) Observe() (runfolder.Observation, error) {
	return runfolder.Observation{
		Cells: observePlain(images.Space(p.run.Config), PlainOf(p.net)), Stage: p.stage + 1, ExpectedCost: observeCost(p.cost, p.net.Alphas()),
	}, nil
}

// skipDropout returns the rate of skip dropout in an epoch of a stage. It falls linearly towards the
// end of the stage during the warm-up. Afterwards it starts at rate again and falls exponentially.
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

// StateDict implements Strategy. Operations are stored as indices in genotype.SearchOps.
func (p *pdartsStrategy) StateDict() torch.StateDict {
	sd := p.net.StateDict()
	maps.Copy(sd, nas.Prefixed(nas.OptimizerW, p.w.StateDict()))
	maps.Copy(sd, nas.Prefixed(nas.OptimizerAlpha, p.alpha.StateDict()))
	sd[nameStage] = torch.FromSlice([]int64{int64(p.stage)}, 1)
	sd[nameNormalOps], sd[nameReduceOps] = operationTable(p.space.Normal), operationTable(p.space.Reduce)
	return sd
}

// LoadStateDict implements Strategy. It first makes the network of the stage.
func (p *pdartsStrategy) LoadStateDict(sd torch.StateDict) error {
	rest := maps.Clone(sd)
	for _, name := range []string{nameStage, nameNormalOps, nameReduceOps} {
		if !sd[name].Defined() {
			return fmt.Errorf("nas: load state dict: %q is missing", name)
		}
		delete(rest, name)
	}
	stage := sd[nameStage].ItemInt()
	if stage < 0 || stage >= stages {
		return fmt.Errorf("nas: load state dict: stage %d, want 0 to %d", stage, stages-1)
	}
	space := darts.Space{Nodes: p.space.Nodes}
	var err error
	whole := images.Space(p.run.Config)
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
	net, w := nas.Cut(rest, nas.OptimizerW)
	net, alpha := nas.Cut(net, nas.OptimizerAlpha)
	return nas.Load(nas.Part{State: p.net, Entries: net}, nas.Part{State: p.w, Entries: w}, nas.Part{State: p.alpha, Entries: alpha})
}

// operationTable returns a row for each edge, with −1 after its last operation [edges, longest].
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

// operationLists reads a table of operationTable. Each edge must have some of its operations in of.
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

// CheckPosition returns an error if the stage does not fit the position: a stage begins before the
// first step of its epochs.
func (p *pdartsStrategy) CheckPosition(at nas.Position) error {
	each := p.run.Config.Epochs / stages
	if each == 0 {
		return nil // there is only one position
	}
	last := min(at.Epoch/each, stages-1)
	first := last
	if at.Step == 0 && at.Epoch > 0 {
		first = (at.Epoch - 1) / each
	}
	if p.stage < first || p.stage > last {
		return fmt.Errorf("epoch %d is of stage %d, the state of stage %d", at.Epoch, last, p.stage)
	}
	return nil
}
