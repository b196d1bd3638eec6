package search

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestMeasuredEigenvalue(t *testing.T) {
	// The eigenvalue belongs to the loss, with α's decay, over the images that α had in the epoch's last step.
	c := fixture.Steps(t, "tiny.yaml", "space.operations=[none, skip_connect, max_pool_3x3]", "network.nodes=1", "epochs=2", "data.subset=48",
		"alpha.weight_decay=0.1", "strategy.early_stop.every=1", "strategy.early_stop.factor=1e9")
	want := 0.0
	look := nas.Hooks{
		OnStep: func(r *nas.Run, s *nas.Step) error {
			torch.Scoped(func() {
				net := (&taken{run: r, before: copied(r.State), generator: torch.RNGState(torch.CPU)}).supernet(t)
				want = net.DominantEigenvalue(s.Valid, 0) + c.Alpha.WeightDecay
			})
			return nil
		},
		OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
			if e.Eigenvalue == nil || math.Abs(*e.Eigenvalue-want) > 1e-9 {
				t.Errorf("epoch %d: eigenvalue %v, want %v", e.Index, e.Eigenvalue, want)
			}
			return nil
		},
	}
	if _, err := Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{look}}); err != nil {
		t.Fatal(err)
	}
}

func TestDecidedEdges(t *testing.T) {
	// Each edge is the first to be decided for some seed.
	torchtest.Scope(t)
	r := fixture.FeedOf(t, "tiny.yaml", "strategy.selection=perturbation")
	net, err := darts.NewPlain(images.SupernetOptions(r.Config, images.Of(r).Images().Train))
	if err != nil {
		t.Fatal(err)
	}
	first := map[int]int{}
	for seed := range 40 {
		r.Config.Seed = int64(seed)
		p := newPerturbation(r.Config, net)
		if err := p.decideOne(0, 0, func() (float64, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		for e, row := range p.net.Rows().Select(0, 0).Int64s() {
			if row >= 0 {
				first[e]++
			}
		}
	}
	if len(first) != 5 {
		t.Errorf("of five edges these come first: %v", first)
	}
}

func TestDecisionsMeasured(t *testing.T) {
	// Decisions use the accuracy over the whole validation half, with batch statistics instead of the running ones.
	r := fixture.FeedOf(t, "tiny.yaml", "strategy.selection=perturbation", "epochs=0", "data.subset=48",
		"space.operations=[skip_connect, max_pool_3x3, sep_conv_3x3, none]")
	err := torch.Do(func() error {
		torch.ManualSeed(1)
		s, err := newDARTS(r)
		if err != nil {
			return err
		}
		p := s.(*dartsStrategy).selection
		decided := func(forward func(*darts.PerturbationSupernet, nn.Batch) nn.Output) (rows [2]torch.Tensor, err error) {
			for kind := range genotype.ConvolutionalKinds { // the normal cell's decision comes first
				other := darts.NewPerturbationSupernet(p.net.Plain)
				if kind == genotype.Reduce {
					if err := other.SetRows(rows[0]); err != nil {
						return rows, err
					}
				}
				of := *p
				of.net = other
				err := of.decideOne(kind, 0, func() (float64, error) {
					return r.Validate(t.Context(), 0, func(b nn.Batch) nn.Output { return forward(other, b) }).Accuracy(), nil
				})
				if err != nil {
					return rows, err
				}
				rows[kind] = other.Rows()
			}
			return rows, nil
		}
		inBatch, err := decided(func(net *darts.PerturbationSupernet, b nn.Batch) nn.Output { return net.Measure(b) })
		if err != nil {
			return err
		}
		running, err := decided(func(net *darts.PerturbationSupernet, b nn.Batch) nn.Output { return net.Eval(b) })
		if err != nil {
			return err
		}
		p.decide(t.Context(), r, 0)
		got := fmt.Sprint(p.net.Rows().Int64s())
		if want := fmt.Sprint(inBatch[1].Int64s()); got != want {
			t.Errorf("decided %s, want %s", got, want)
		}
		if got == fmt.Sprint(running[1].Int64s()) {
			t.Errorf("decided %s in running statistics, too, which shows nothing", got)
		}
		return r.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
