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

// sharedRandom is random search with weight sharing (Li, Talwalkar, UAI 2019, arXiv
// 1902.07638, "RSPS"): each batch trains one architecture, drawn uniformly; then
// many are scored with the shared weights, the best of them again on all of the
// validation half, and the best of these is found.
//
// As in the authors' code, that of DARTS with weights of 0 and 1 in place of softmax(α),
// the running statistics of all operations move at each step, those of operations that
// were not drawn too; evaluations rest on them. The architectures are those of
// darts.Space, in which no edge is "none": the authors draw it like an operation, for
// one edge in eight. Their code has a round of scoring for every 10 000 steps, of which
// a person chooses; here there is one.
type sharedRandom struct {
	*sharedWeights
	keys SharedRandomKeys
	// draw draws an architecture, from the stream of that name and place alone.
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
	shared.all = true
	space := images.Space(r.Config)
	return &sharedRandom{shared, config.KeysAs[SharedRandomKeys](r.Config), func(name string, at ...int) genotype.Genotype {
		return space.Sample(rng.Stream(r.Config.Seed, name, at...))
	}}, nil
}

// Search implements Strategy. What is drawn depends only on the position.
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

// best scores architectures in running statistics, which changes nothing: a run that
// is stopped in it repeats it. Each has the batches after those of the one before, as
// in the authors' code; the finalists have the same.
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

// byAccuracy are the indices of meters, the most accurate first, ties by index.
func byAccuracy(meters []nas.Meter) []int {
	order := make([]int, len(meters))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(meters[b].Accuracy(), meters[a].Accuracy()) })
	return order
}
