package search

import (
	"context"
	"maps"
	"math/rand/v2"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/darts/enas"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// enasSearch is efficient neural architecture search (Pham et al., ICML 2018, arXiv 1802.03268) in the
// space of DARTS. In each epoch
//
//  1. every batch trains the shared weights of one architecture, which the controller draws;
//  2. the controller takes steps of REINFORCE, rewarded by accuracies on validation batches.
//
// At the end the controller draws several architectures, and the search returns the one with the
// highest accuracy on one validation batch. As in the authors' code, batch norms use the statistics of
// the batch whenever a network is measured, and the images of rewards are not augmented.
//
// The shared weights are those of the supernet of DARTS, one set for each edge and operation. The
// authors' space differs: its five operations have two inputs that may coincide, its batch norms are
// affine, it has dropout before the classifier, and it concatenates the nodes that no other node uses.
type enasSearch struct {
	*sharedWeights
	run        *nas.Run
	controller *enas.Controller
	rewards    *data.Source
	keys       ENASKeys
}

// stateController is the prefix of the controller in the state of a search.
const stateController = "controller."

// baselineKept is the share of the baseline that remains after a new reward.
const baselineKept = 0.99

// ENASKeys are the keys of ENAS.
type ENASKeys struct {
	Controller Controller `key:"controller"`
	Candidates int        `key:"candidates" range:"[1,)" most:"100000" doc:"architectures drawn at the end to choose from by validation accuracy with the shared weights"`
}

// Controller says how the controller learns after each epoch: by steps of Adam, each along the mean
// gradient of several architectures.
type Controller struct {
	Updates   int     `key:"updates" range:"[0,)" doc:"steps of the controller after each epoch"`
	Aggregate int     `key:"aggregate" range:"[1,)" most:"100000" doc:"architectures drawn for a step, each rewarded by its accuracy on one validation batch"`
	LR        float64 `key:"lr" range:"(0,)" doc:"learning rate of the controller"`
	Entropy   float64 `key:"entropy" range:"[0,)" doc:"what a nat of the decisions' entropy adds to a reward"`
	Squash    float64 `key:"squash" range:"(0,)" doc:"largest logit of an operation: the authors' 0.44 leaves none of seven more than 0.29 of the probability, 3 leaves 0.98"`
}

func init() {
	nas.Register(nas.Method{
		Method: config.Method{
			Name: "enas", How: withSharedWeights, Paper: "1802.03268",
			Keys: ENASKeys{Controller{Updates: 30, Aggregate: 10, LR: 0.0035, Entropy: 1e-4, Squash: 0.44}, 10},
			Defaults: func(c *config.Config) {
				c.Data.TrainPortion, c.Data.Batch, c.Network.Channels, c.Epochs = 0.9, 160, 20, 150
				c.W.LR, c.W.LRMin, c.W.Schedule, c.W.Nesterov, c.W.WeightDecay = 0.05, 0.0005, config.Restarts, true, 2e-4
			},
		},
		New: newENAS, Passes: passesOneCell,
		TrainsOnHeldOut: func(*config.Config) bool { return true },
	})
}

func newENAS(r *nas.Run) (nas.Strategy, error) {
	c := r.Config
	shared, err := newSharedWeights(r)
	if err != nil {
		return nil, err
	}
	k := config.KeysAs[ENASKeys](c)
	controller, err := enas.New(images.Space(c), enas.Options{
		LR: k.Controller.LR, Entropy: k.Controller.Entropy, Baseline: baselineKept, Squash: k.Controller.Squash, Dtype: nas.Dtype(c),
	})
	if err != nil {
		return nil, err
	}
	of := r.Feed.(*images.Feed).Validation
	rewards := &data.Source{
		Images: of.Images, Augment: of.Augment.Evaluation(), Seed: of.Seed, Name: "reward", Size: of.Size, Order: data.Resampled, Skip: of.Skip,
	}
	return &enasSearch{shared, r, controller, rewards, k}, nil
}

// Search implements Strategy. The drawn architectures depend only on the position and the controller.
func (e *enasSearch) Search(ctx context.Context, run *nas.Run) (genotype.Genotype, error) {
	seed := run.Config.Seed
	for epoch := range run.Epochs(ctx) {
		e.w.SetLR(run.LR(epoch))
		for s := range run.Steps(ctx, epoch) {
			e.train(s, e.controller.Draw(rng.Stream(seed, "enas", epoch, s.Index)))
		}
		e.updateController(ctx, run, epoch)
		some := e.controller.Draw(rng.Stream(seed, "enas.epoch", epoch))
		valid := run.Validate(ctx, epoch, func(b nn.Batch) nn.Output { return e.measure(some, b) })
		run.Finish(nas.Epoch{Index: epoch, Valid: valid, Genotype: some.String()})
	}
	return e.derive(ctx, run)
}

// updateController takes the controller's remaining steps after an epoch. The controller's state counts
// whole steps, so that a run that was interrupted between two of them continues there.
func (e *enasSearch) updateController(ctx context.Context, run *nas.Run, epoch int) {
	o, seed := e.keys.Controller, run.Config.Seed
	for e.controller.Updates() < o.Updates*(epoch+1) && !run.Stopped(ctx) {
		first := e.controller.Updates() * o.Aggregate
		streams := make([]*rand.Rand, o.Aggregate)
		for i := range streams {
			streams[i] = rng.Stream(seed, "enas.controller", first+i)
		}
		run.Fail(e.controller.Update(streams, func(i int, g genotype.Genotype) (float64, error) {
			return e.reward(ctx, run, g, epoch, first+i)
		}))
	}
}

// reward returns the accuracy of g on a validation batch.
func (e *enasSearch) reward(ctx context.Context, run *nas.Run, g genotype.Genotype, epoch, batch int) (accuracy float64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b := e.rewards.Load(epoch, batch)
	left := &run.Feed.(*images.Feed).Left
	left.Add(b)
	switch {
	case b.Err != nil:
		return 0, b.Err
	case b.N == 0:
		return 0, left.None("the batch that rewards an architecture")
	}
	torch.Scoped(func() {
		batch := images.ToBatch(b, run.Options())
		out := e.measure(g, batch)
		_, correct := nas.Measure(out.Loss, out.Logits, batch.Y)
		accuracy = correct / float64(b.N)
	})
	return accuracy, nil
}

// measure passes b through g with the batch's statistics. It changes no state.
func (e *enasSearch) measure(g genotype.Genotype, b nn.Batch) nn.Output {
	out := e.net.PathGradients(g, b, darts.Need{FreezeStatistics: true})
	return nn.Output{Loss: out.Loss, Logits: out.Logits}
}

// derive draws architectures and returns the one with the highest accuracy on one validation batch; of
// equals, the first. It changes no state, so that an interrupted run repeats it.
func (e *enasSearch) derive(ctx context.Context, run *nas.Run) (best genotype.Genotype, err error) {
	highest := -1.0
	for i := range e.keys.Candidates {
		if run.Stopped(ctx) {
			break
		}
		g := e.controller.Draw(rng.Stream(run.Config.Seed, "enas.candidate", i))
		accuracy, err := e.reward(ctx, run, g, run.Config.Epochs, 0)
		run.Fail(err)
		if accuracy > highest {
			best, highest = g, accuracy
		}
	}
	return best, run.Err()
}

// Observe implements nas.Observer by cells that the controller draws from a random stream of their own.
// Beta is the share of cells that use an edge; the two inputs of a node make it sum to 2. P are the
// shares of operations among the cells that use the edge, all 0 where none does.
func (e *enasSearch) Observe() (o runfolder.Observation, err error) {
	space := images.Space(e.run.Config)
	drawn := e.controller.Shares(rng.Stream(e.run.Config.Seed, "enas.observe", e.run.At.Epoch), observedCells)
	for kind := range genotype.ConvolutionalKinds {
		ops := possible(space.Ops(kind))
		of := drawn[kind]
		mix := newCellMix(kind, genotype.Without(operationsOf(space.Ops(kind)), genotype.None), ops, of.Operations)
		setBeta(mix, of.Edges)
		o.Cells = append(o.Cells, mix)
	}
	return o, nil
}

// observedCells is the number of cells that the controller's distribution is estimated from.
const observedCells = 1000

// StateDict implements Strategy.
func (e *enasSearch) StateDict() torch.StateDict {
	sd := e.sharedWeights.StateDict()
	maps.Copy(sd, nas.Prefixed(stateController, e.controller.StateDict()))
	return sd
}

// LoadStateDict implements Strategy.
func (e *enasSearch) LoadStateDict(sd torch.StateDict) error {
	shared, controller := nas.Cut(sd, stateController)
	return nas.Load(nas.Part{State: e.sharedWeights, Entries: shared}, nas.Part{State: e.controller, Entries: controller})
}
