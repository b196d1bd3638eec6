package search

import (
	"math/rand/v2"
	"testing"

	"godarts/darts"
	"godarts/darts/enas"
	"godarts/torch"
)

func BenchmarkObserve(b *testing.B) {
	// What it takes to say the α of the paper's supernet after an epoch.
	if err := torch.Do(func() error {
		space := darts.FullSpace(4)
		net, err := darts.NewPlain(darts.Options{Channels: 16, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3})
		if err != nil {
			return err
		}
		for b.Loop() {
			torch.Scoped(func() { observePlain(space, net) })
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkObserveController(b *testing.B) {
	// What it takes to estimate the distribution of ENAS' controller in the paper's space.
	if err := torch.Do(func() error {
		controller, err := enas.New(darts.FullSpace(4), enas.Options{LR: 0.0035, Baseline: baselineKept})
		if err != nil {
			return err
		}
		for b.Loop() {
			controller.Shares(rand.New(rand.NewPCG(1, 1)), observedCells)
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
