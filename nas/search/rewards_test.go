package search

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/data"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestRewards(t *testing.T) {
	// ENAS rewards by the accuracy on images of the validation half as they are.
	torchtest.Scope(t)
	r := fixture.FeedOf(t, "tiny.yaml", "strategy.name=enas", "data.subset=40", "data.train_portion=0.75", "data.batch=5")
	s, err := newENAS(r)
	if err != nil {
		t.Fatal(err)
	}
	rewards := s.(*enasSearch).rewards
	fixture.Within(t, "rewards", rewards, images.Of(r).Images().Train, 30, 40)
	if rewards.Augment != (data.Augment{}) {
		t.Errorf("augmented by %+v", rewards.Augment)
	}
}

func TestRewardBatches(t *testing.T) {
	// After an epoch of ENAS each step of the controller has draws and batches of its own, measured in the batch's statistics, which leave the network as it is.
	c := fixture.Steps(t, "tiny.yaml", "strategy.name=enas", "strategy.controller.updates=2", "strategy.controller.aggregate=2", "strategy.candidates=1",
		"data.train_portion=0.5", "data.subset=48", "epochs=1")
	var before torch.StateDict
	look := nas.Hooks{
		OnStep: func(r *nas.Run, _ *nas.Step) error {
			before = copied(r.State)
			for _, x := range before {
				torch.Keep(x)
			}
			return nil
		},
		OnEpoch: func(r *nas.Run, _ *nas.Epoch) error {
			torch.Scoped(func() {
				k := &taken{Step: &nas.Step{}, run: r, before: before, after: copied(r.State), generator: torch.RNGState(torch.CPU)}
				net, controller := k.supernet(t), k.controller(t)
				rewards := r.State.(*enasSearch).rewards
				for update := range 2 {
					streams := []*rand.Rand{rng.Stream(c.Seed, "enas.controller", 2*update), rng.Stream(c.Seed, "enas.controller", 2*update+1)}
					err := controller.Update(streams, func(i int, g genotype.Genotype) (float64, error) {
						b := images.ToBatch(rewards.Load(0, 2*update+i), r.Options())
						logits := net.PathGradients(g, b, darts.Need{FreezeStatistics: true}).Logits
						return logits.Argmax(1, false).Eq(b.Y).ToDtype(torch.Float64).Mean().Item(), nil
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				k.same(t, nas.Prefixed(stateController, controller.StateDict()))
				k.same(t, net.StateDict())
			})
			return nil
		},
	}
	if _, err := Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{look}}); err != nil {
		t.Fatal(err)
	}
}
