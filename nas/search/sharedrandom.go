package search

import (
	"cmp"
	"context"
	"slices"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/torch/nn"
)

// sharedRandom is random search with weight sharing (Li, Talwalkar, UAI 2019, arXiv 1902.07638,
// "RSPS"). Each batch trains one architecture, which is drawn uniformly. At the end many architectures
// are scored with the shared weights, the best of them again on all of the validation half, and the
// search returns the best of these.
//
// As in the authors' code, which is DARTS with weights of 0 and 1 in place of softmax(α), each step
// moves the running statistics of all operations, also of those that were not drawn, and evaluations
// use them. The architectures are those of darts.Space, in which no edge is "none"; the authors draw
// "none" like an operation, for one edge in eight. Their code has a round of scoring after every 10 000
// steps, among which a person chooses; here there is one round.
type sharedRandom struct {
	*sharedWeights
	keys SharedRandomKeys
	// draw draws an architecture from the random stream of this name and place.
	draw func(name string, at ...int) genotype.Genotype
}

// SharedRandomKeys are the keys of random search with weight sharing.
type SharedRandomKeys struct {
	Candidates   int `key:"candidates" range:"[1,)" most:"100000" doc:"architectures drawn at the end to choose from by validation accuracy with the shared weights"`
	ScoreBatches int `key:"score_batches" range:"[1,)" doc:"validation batches that score a candidate"`
	Finalists    int `key:"finalists" range:"[1,)" doc:"best candidates, which all validation images score again"`
}

func init() {
	nas.Register(nas.Method{
		Method: config.Method{
			Name: "rsps", Note: "random search", How: withSharedWeights, Paper: "1902.07638",
			Keys: SharedRandomKeys{Candidates: 1000, ScoreBatches: 10, Finalists: 10},
			Rules: func(c *config.Config) *config.Problem {
				k := config.KeysAs[SharedRandomKeys](c)
				if k.Finalists <= k.Candidates {
					return nil
				}
				return config.Conflict("strategy.finalists", "strategy.candidates",
					"%d is more than strategy.candidates %d, of which they are the best, want at most that", k.Finalists, k.Candidates)
			},
		},
		New: newSharedRandom, Passes: passesOneCell,
	})
}

func newSharedRandom(r *nas.Run) (nas.Strategy, error) {
	shared, err := newSharedWeights(r)
	if err != nil {
		return nil, err
	}
	shared.weights.AllStatistics = true
	space := images.Space(r.Config)
	return &sharedRandom{shared, config.KeysAs[SharedRandomKeys](r.Config), func(name string, at ...int) genotype.Genotype {
		return space.Sample(rng.Stream(r.Config.Seed, name, at...))
	}}, nil
}

// Search implements Strategy. The drawn architectures depend only on the position.
func (s *sharedRandom) Search(ctx context.Context, run *nas.Run) (genotype.Genotype, error) {
	for epoch := range run.Epochs(ctx) {
		s.w.SetLR(run.LR(epoch))
		for step := range run.Steps(ctx, epoch) {
			s.train(step, s.draw("rsps", epoch, step.Index))
		}
		some := s.draw("rsps.epoch", epoch)
		run.Finish(nas.Epoch{Index: epoch, Valid: run.Validate(ctx, epoch, s.running(some)), Genotype: some.String()})
	}
	if run.Err() != nil {
		return genotype.Genotype{}, run.Err()
	}
	return s.best(ctx, run)
}

// best scores architectures with running statistics and returns the best. It changes no state, so that
// an interrupted run repeats it. As in the authors' code, each architecture has the batches that follow
// the previous one's; the finalists have the same batches.
func (s *sharedRandom) best(ctx context.Context, run *nas.Run) (genotype.Genotype, error) {
	o, epochs := s.keys, run.Config.Epochs
	drawn := make([]genotype.Genotype, o.Candidates)
	for i := range drawn {
		drawn[i] = s.draw("rsps.candidate", i)
	}
	scores := make([]nas.Meter, o.Candidates)
	run.Fail(images.Of(run).Rounds(ctx, epochs, o.Candidates*o.ScoreBatches, func(k int, b nn.Batch) {
		i := k / o.ScoreBatches
		out := s.net.PathEval(drawn[i], b)
		loss, correct := nas.Measure(out.Loss, out.Logits, b.Y)
		scores[i].Add(loss, correct, b.X.Size(0))
	}))
	order := byAccuracy(scores)[:o.Finalists]
	finals := make([]nas.Meter, len(order))
	for place, i := range order {
		finals[place] = run.Measure(ctx, epochs, s.running(drawn[i]))
	}
	return drawn[order[byAccuracy(finals)[0]]], run.Err()
}

// byAccuracy returns the indices of meters by descending accuracy, equal ones in order.
func byAccuracy(meters []nas.Meter) []int {
	order := make([]int, len(meters))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(meters[b].Accuracy(), meters[a].Accuracy()) })
	return order
}
