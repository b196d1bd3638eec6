package search

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func tinyStages(t *testing.T, set ...string) *config.Config {
	t.Helper()
	c, err := config.Load("../testdata/tiny-p-darts.yaml", set...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSkipDropoutRates(t *testing.T) {
	// The dropout rate equals the authors' when a stage of 25 epochs begins with 0.4 and α rests for 10.
	for epoch, want := range map[int]float64{0: 0.384, 9: 0.24, 10: 0.4, 11: 0.3275, 24: 0.0243} {
		if got := skipDropout(0.4, epoch, 25, 10); math.Abs(got-want) > 5e-5 {
			t.Errorf("epoch %d: %g, want %g", epoch, got, want)
		}
	}
}

func TestStageLR(t *testing.T) {
	// The cosine starts over in each stage when a search has stages.
	r := &nas.Run{Config: tinyStages(t, "epochs=9", "w.lr=0.1")}
	for epoch := range 9 {
		want := 0.05 * (1 + math.Cos(math.Pi*float64(epoch%3)/3))
		if got := r.LR(epoch); math.Abs(got-want) > 1e-15 {
			t.Errorf("epoch %d: %g, want %g", epoch, got, want)
		}
	}
}

func TestStages(t *testing.T) {
	// Edges have 8, 5 and 3 operations in the stages, layers are the stage's, and α starts over, rests and then moves in each.
	c := tinyStages(t, "strategy.warmup=1", "epochs=6", "strategy.layers=[3, 4, 5]", "alpha.lr=0.1")
	type seen struct {
		ops    int
		layers bool // of the stage
		alpha  []float64
	}
	var epochs []seen
	look := nas.Hooks{OnEpoch: func(r *nas.Run, e *nas.Epoch) error {
		torch.Scoped(func() {
			sd := r.State.StateDict()
			_, deeper := sd[fmt.Sprintf("cells.%d.preprocess1.op.1.weight", config.KeysAs[PDARTSKeys](c).Layers[e.Index/2])]
			_, deep := sd[fmt.Sprintf("cells.%d.preprocess1.op.1.weight", config.KeysAs[PDARTSKeys](c).Layers[e.Index/2]-1)]
			alpha := sd["alphas_normal"]
			epochs = append(epochs, seen{alpha.Size(1), deep && !deeper, alpha.ToDtype(torch.Float64).Float64s()})
		})
		return nil
	}}
	dir := filepath.Join(t.TempDir(), "run")
	result, err := Run(t.Context(), dir, c, nas.Settings{Hooks: []nas.Hooks{look}})
	if err != nil {
		t.Fatal(err)
	}
	if len(epochs) != 6 || len(result.Genotype.Normal.Edges) != 4 {
		t.Fatalf("%d epochs, genotype %v", len(epochs), result.Genotype)
	}
	for i, e := range epochs {
		if want := []int{8, 5, 3}[i/2]; e.ops != want || !e.layers {
			t.Errorf("epoch %d: %d operations, want %d; as many layers as the stage: %v", i, e.ops, want, e.layers)
		}
		// A stage starts at 1e-3 times the standard normal, and α rests in its first epoch.
		if i%2 == 0 && slices.Max(e.alpha) > 5e-3 {
			t.Errorf("epoch %d: α has an entry of %g", i, slices.Max(e.alpha))
		}
		if i%2 == 1 && slices.Equal(e.alpha, epochs[i-1].alpha) {
			t.Errorf("epoch %d: α does not move after the warm-up", i)
		}
	}
}

func TestStageWarmUp(t *testing.T) {
	// Alpha is bit-equal after the first and the last step of a warm-up when the stage is the second.
	c := tinyStages(t, "strategy.warmup=1", "epochs=6")
	var alphas [][]float64
	ctx, cancel := context.WithCancel(t.Context())
	look := nas.Hooks{OnStep: func(r *nas.Run, s *nas.Step) error {
		if s.Epoch >= 2 {
			torch.Scoped(func() {
				alphas = append(alphas, r.State.StateDict()["alphas_normal"].ToDtype(torch.Float64).Float64s())
			})
		}
		if s.Epoch == 3 {
			cancel()
		}
		return nil
	}}
	if _, err := Run(ctx, filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{look}}); err == nil {
		t.Fatal("the search was not stopped")
	}
	if len(alphas) != 3 || !slices.Equal(alphas[0], alphas[1]) || slices.Equal(alphas[1], alphas[2]) {
		t.Errorf("α in the two steps of the warm-up and the step after: %v", alphas)
	}
}

func TestStageState(t *testing.T) {
	// A new strategy loads the state of any stage, and refuses a damaged one.
	torchtest.Scope(t)
	r := &nas.Run{Config: tinyStages(t)}
	if err := r.Open(false); err != nil {
		t.Fatal(err)
	}
	fresh := func() *pdartsStrategy {
		s, err := newPDARTS(r)
		if err != nil {
			t.Fatal(err)
		}
		return s.(*pdartsStrategy)
	}
	p := fresh()
	if err := p.reach(2); err != nil {
		t.Fatal(err)
	}
	want := p.StateDict()
	again := fresh()
	if err := again.LoadStateDict(want); err != nil {
		t.Fatal(err)
	}
	got := again.StateDict()
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
	for name, x := range want {
		torchtest.Close(t, name, got[name], x, 0)
	}
	if got, want := again.genotype().String(), p.genotype().String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, bad := range map[string]torch.Tensor{
		"stage":             torch.FromSlice([]int64{3}, 1),
		"operations_normal": torch.FromSlice([]int64{9}, 1, 1),
		"operations_reduce": torch.FromSlice([]float32{1}, 1, 1),
	} {
		damaged := p.StateDict()
		damaged[name] = bad
		if err := fresh().LoadStateDict(damaged); err == nil {
			t.Errorf("%s: no error", name)
		}
		delete(damaged, name)
		if err := fresh().LoadStateDict(damaged); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: error %v", name, err)
		}
	}
}

func TestTooMuchDropped(t *testing.T) {
	// A search is refused when an edge could lose all of its operations but none.
	c := tinyStages(t, "space.operations=[none, skip_connect, sep_conv_3x3]")
	_, err := Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{})
	if err == nil || err.Error() != "nas: strategy.drop: 5 of the 2 operations of edge 0 of the space, none aside, want fewer" {
		t.Errorf("got %v", err)
	}
}

func TestPlaceOfAlphaImages(t *testing.T) {
	// Steps take the images of α in turn, and in another order when they begin again.
	r := &nas.Run{Config: tinyStages(t, "data.train_portion=0.75")}
	if err := r.Open(false); err != nil {
		t.Fatal(err)
	}
	f := r.Feed.(*images.Feed)
	if f.Valid.Steps() != 1 || f.Train.Steps() != 3 {
		t.Fatalf("%d and %d steps", f.Train.Steps(), f.Valid.Steps())
	}
	torchtest.Scope(t)
	content := func(b nn.Batch) string { return fmt.Sprint(b.Y.Int64s(), b.X.Float64s()) }
	seen := map[string]bool{}
	for epoch := range 3 {
		for step, b := range f.Batches(t.Context(), nas.Position{Epoch: epoch}) {
			var s nas.Step
			b.Fill(&s)
			if first := images.ToBatch(f.Valid.Load(epoch, 0), r.Options()); step == 0 && content(s.Valid) != content(first) {
				t.Errorf("epoch %d begins with another batch than the first of its order", epoch)
			}
			seen[content(s.Valid)] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d batches in 9 steps", len(seen))
	}
}
