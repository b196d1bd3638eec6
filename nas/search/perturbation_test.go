package search

import (
	"context"
	"errors"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
)

func TestDecideOnce(t *testing.T) {
	// A decision is not made when it is interrupted, and not made again when it has been.
	c, err := config.Load("../testdata/tiny.yaml", "strategy.selection=perturbation", "epochs=0", "data.subset=24",
		"space.operations=[skip_connect, max_pool_3x3]")
	if err != nil {
		t.Fatal(err)
	}
	r := &nas.Run{Config: c}
	if err := r.Open(false); err != nil {
		t.Fatal(err)
	}
	err = torch.Do(func() error {
		s, err := newDARTS(r)
		if err != nil {
			return err
		}
		p := s.(*dartsStrategy).selection
		decide := func(ctx context.Context, epoch, want int) {
			t.Helper()
			p.decide(ctx, r, epoch)
			for kind := range genotype.ConvolutionalKinds {
				if got := 5 - len(p.net.Undecided(kind)); got != want {
					t.Errorf("kind %d: %d edges are decided, want %d", kind, got, want)
				}
			}
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		decide(cancelled, 0, 0)
		if !errors.Is(r.Err(), context.Canceled) {
			t.Errorf("error %v", r.Err())
		}
		r.Fail(nil)
		decide(t.Context(), 0, 1)
		decide(t.Context(), 0, 1)
		decide(t.Context(), 4, 1) // the interval is 5
		decide(t.Context(), 5, 2)
		return r.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
