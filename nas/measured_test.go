package nas

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/data"
	"godarts/nas/data/texts"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestMeasuredTraining(t *testing.T) {
	// A training reports what its weights reach on all test images in running statistics and without dropped paths.
	c := steps(t, "tiny-train.yaml", "epochs=1")
	var want runfolder.Tested
	look := Hooks{OnEpoch: func(r *Run, e *Epoch) error {
		net := r.state.(*trainer).net
		torch.Scoped(func() {
			test := r.Set.Test
			b := toBatch((&data.Source{Images: test, Size: test.N}).Load(0, 0), r.options())
			logits := net.Logits(b.X)
			loss := torch.CrossEntropy(logits, b.Y, torch.CrossEntropyOptions{}).Item()
			correct := logits.Argmax(1, false).Eq(b.Y).ToDtype(torch.Float64).Sum().Item()
			want = runfolder.Tested{TestError: 100 * (1 - correct/float64(test.N)), TestLoss: loss}
			if math.Abs(e.Valid.MeanLoss()-loss) > 1e-9 || e.Valid.Correct != correct || e.Valid.Count != test.N {
				t.Errorf("measured %+v, want %d images, %v right, loss %v", e.Valid, test.N, correct, loss)
			}
		})
		return nil
	}}
	result, err := Train(t.Context(), filepath.Join(t.TempDir(), "run"), c, Settings{Hooks: []Hooks{look}})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(result.TestError-want.TestError) > 1e-9 || math.Abs(result.TestLoss-want.TestLoss) > 1e-9 {
		t.Errorf("reported %+v, want %+v", *result.Tested, want)
	}
}

func TestMeasuredTextTraining(t *testing.T) {
	// A training on a text reports the loss of whole texts without dropout: of validation by averaged weights once there are any, of test by the best.
	c := steps(t, "tiny-text-train.yaml", "epochs=7", "nonmono=1")
	averaging, averaged := false, 0
	look := Hooks{OnEpoch: func(r *Run, e *Epoch) error {
		f, trainer := r.feed.(*textFeed), r.state.(*textTrainer)
		torch.Scoped(func() {
			torch.NoGrad(func() {
				w := trainer.net.Weights().W
				own := w.Clone()
				if averaging {
					averaged++
					w.Copy_(trainer.asgd.Averages()[0])
				}
				want := trainer.net.Forward(f.batch(f.validation, 0, f.validation.Rows), nn.Mode{}).Loss.Item()
				if got := e.Valid.MeanLoss(); math.Abs(got-want) > 1e-9 {
					t.Errorf("epoch %d: loss %v, want %v", e.Index, got, want)
				}
				w.Copy_(own)
			})
		})
		averaging = trainer.averaging
		return nil
	}}
	dir := filepath.Join(t.TempDir(), "run")
	result, err := Train(t.Context(), dir, c, Settings{Hooks: []Hooks{look}})
	if err != nil {
		t.Fatal(err)
	}
	if averaged == 0 {
		t.Error("no epoch averages, which shows nothing")
	}

	torchtest.Scope(t)
	r := &Run{Config: c}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	trainer, err := newTextTrainer(r, result.Genotype)
	if err != nil {
		t.Fatal(err)
	}
	if err := loadWeights(trainer.net, filepath.Join(dir, runfolder.WeightsFile)); err != nil {
		t.Fatal(err)
	}
	f, all := r.feed.(*textFeed), texts.NewColumns(r.Corpus.Test, c.Data.TestBatch)
	if want := math.Exp(trainer.eval(f.batch(all, 0, all.Rows)).Loss.Item()); math.Abs(result.Test.Perplexity-want) > 1e-9*want {
		t.Errorf("test perplexity %v, want %v", result.Test.Perplexity, want)
	}
}

func TestInFive(t *testing.T) {
	// A label counts when four logits exceed its own, and not when five do.
	torchtest.Scope(t)
	logits := torch.FromSlice([]float64{1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1}, 2, 7)
	for _, test := range []struct {
		labels []int64
		want   float64
	}{{[]int64{6, 0}, 2}, {[]int64{2, 4}, 2}, {[]int64{1, 4}, 1}, {[]int64{1, 5}, 0}} {
		if got := inFive(logits, torch.FromSlice(test.labels, 2)); got != test.want {
			t.Errorf("labels %v: %v, want %v", test.labels, got, test.want)
		}
	}
}

func TestNonmono(t *testing.T) {
	// Averaging begins when the loss is above the least of those before the last nonmono epochs.
	for _, test := range []struct {
		losses []float64
		loss   float64
		want   bool
	}{
		{[]float64{3, 2}, 9, false}, // there are none before
		{[]float64{3, 2, 1}, 2.5, false},
		{[]float64{3, 2, 1}, 3.5, true},
		{[]float64{2, 3, 3, 3}, 2.5, true},
		{[]float64{3, 2, 3, 3}, 2.5, true},
		{[]float64{3, 3, 2, 2}, 2.5, false},
		{[]float64{3, 3, 4, 4}, 3, false}, // not above
	} {
		trainer := &textTrainer{nonmono: 2, losses: test.losses} // the best loss is 0: no epoch is better
		trainer.judge(&Run{}, Epoch{Valid: Meter{Loss: test.loss, Count: 1}})
		if trainer.averaging != test.want {
			t.Errorf("%v, then %v: averaging is %v", test.losses, test.loss, trainer.averaging)
		}
	}
}

func TestMeasuredEigenvalue(t *testing.T) {
	// The eigenvalue is that of the loss over the images that α had in the epoch's last step, with α's decay.
	c := steps(t, "tiny.yaml", "space.operations=[none, skip_connect, max_pool_3x3]", "network.nodes=1", "epochs=2", "data.subset=48",
		"alpha.weight_decay=0.1", "strategy.early_stop.every=1", "strategy.early_stop.factor=1e9")
	want := 0.0
	look := Hooks{
		OnStep: func(r *Run, s *Step) error {
			torch.Scoped(func() {
				net := (&taken{run: r, before: copied(r.state), generator: torch.RNGState(torch.CPU)}).supernet(t)
				want = net.DominantEigenvalue(s.Valid, 0) + c.Alpha.WeightDecay
			})
			return nil
		},
		OnEpoch: func(_ *Run, e *Epoch) error {
			if e.Eigenvalue == nil || math.Abs(*e.Eigenvalue-want) > 1e-9 {
				t.Errorf("epoch %d: eigenvalue %v, want %v", e.Index, e.Eigenvalue, want)
			}
			return nil
		},
	}
	if _, err := Search(t.Context(), filepath.Join(t.TempDir(), "run"), c, Settings{Hooks: []Hooks{look}}); err != nil {
		t.Fatal(err)
	}
}

func TestDecidedEdges(t *testing.T) {
	// Each edge is the first to be decided for some seed.
	torchtest.Scope(t)
	r := feedOf(t, "tiny.yaml", "strategy.selection=perturbation")
	net, err := darts.NewPlain(supernetOptions(r.Config, r.Set.Train))
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
	// Decisions rest on the accuracy over all of the validation half in the statistics of its batches, not in the running ones.
	r := feedOf(t, "tiny.yaml", "strategy.selection=perturbation", "epochs=0", "data.subset=48",
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
		return r.err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTrainingResumes(t *testing.T) {
	// A training with dropped paths ends with the same bytes, and records the same of its epochs, when it is interrupted at every step.
	c := steps(t, "tiny-train.yaml", "epochs=3", "data.subset=24")
	whole, interrupted := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
	var want, got []Epoch
	keep := func(epochs *[]Epoch) Hooks {
		return Hooks{OnEpoch: func(_ *Run, e *Epoch) error { *epochs = append(*epochs, *e); return nil }}
	}
	if _, err := Train(t.Context(), whole, c, Settings{Hooks: []Hooks{keep(&want)}}); err != nil {
		t.Fatal(err)
	}
	for times := 0; ; times++ {
		ctx, cancel := context.WithCancel(t.Context())
		stop := Hooks{OnStep: func(*Run, *Step) error { cancel(); return nil }}
		_, err := Train(ctx, interrupted, c, Settings{Hooks: []Hooks{stop, keep(&got)}})
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || times > 6 {
			t.Fatalf("after %d steps: %v", times, err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("epochs %+v, want %+v", got, want)
	}
	for _, file := range []string{runfolder.CheckpointFile, runfolder.WeightsFile} {
		want, err := os.ReadFile(filepath.Join(whole, file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(interrupted, file))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs", file)
		}
	}
}
