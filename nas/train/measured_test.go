package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"godarts/nas"
	"godarts/nas/data"
	"godarts/nas/data/corpus"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestMeasuredTraining(t *testing.T) {
	// A training reports what its weights reach on all test images in running statistics and without dropped paths.
	c := fixture.Steps(t, "tiny-train.yaml", "epochs=1")
	var want runfolder.Tested
	look := nas.Hooks{OnEpoch: func(r *nas.Run, e *nas.Epoch) error {
		net := r.State.(*Trainer).Net
		torch.Scoped(func() {
			test := images.Of(r).Images().Test
			b := images.ToBatch((&data.Source{Images: test, Size: test.N}).Load(0, 0), r.Options())
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
	result, err := Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{look}})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(result.TestError-want.TestError) > 1e-9 || math.Abs(result.TestLoss-want.TestLoss) > 1e-9 {
		t.Errorf("reported %+v, want %+v", *result.Tested, want)
	}
}

func TestMeasuredTextTraining(t *testing.T) {
	// A training on a text reports the loss of whole texts without dropout: of validation by averaged weights once there are any, of test by the best.
	c := fixture.Steps(t, "tiny-text-train.yaml", "epochs=7", "nonmono=1")
	averaging, averaged := false, 0
	look := nas.Hooks{OnEpoch: func(r *nas.Run, e *nas.Epoch) error {
		f, trainer := texts.Of(r), r.State.(*textTrainer)
		torch.Scoped(func() {
			torch.NoGrad(func() {
				w := trainer.net.Weights().W
				own := w.Clone()
				if averaging {
					averaged++
					w.Copy_(trainer.ASGD.Averages()[0])
				}
				want := trainer.net.Forward(f.Batch(f.Validation, 0, f.Validation.Rows), nn.Mode{}).Loss.Item()
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
	result, err := Run(t.Context(), dir, c, nas.Settings{Hooks: []nas.Hooks{look}})
	if err != nil {
		t.Fatal(err)
	}
	if averaged == 0 {
		t.Error("no epoch averages, which shows nothing")
	}

	torchtest.Scope(t)
	r := &nas.Run{Config: c}
	if err := r.Open(false); err != nil {
		t.Fatal(err)
	}
	trainer, err := NewText(r, result.Genotype)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.LoadWeights(trainer.net, filepath.Join(dir, runfolder.WeightsFile)); err != nil {
		t.Fatal(err)
	}
	f, all := texts.Of(r), corpus.NewColumns(texts.Of(r).Corpus.Test, c.Data.TestBatch)
	if want := math.Exp(trainer.eval(f.Batch(all, 0, all.Rows)).Loss.Item()); math.Abs(result.Test.Perplexity-want) > 1e-9*want {
		t.Errorf("test perplexity %v, want %v", result.Test.Perplexity, want)
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
		trainer.updateBest(&nas.Run{}, nas.Epoch{Valid: nas.Meter{Loss: test.loss, Count: 1}})
		if trainer.averaging != test.want {
			t.Errorf("%v, then %v: averaging is %v", test.losses, test.loss, trainer.averaging)
		}
	}
}

func TestTrainingResumes(t *testing.T) {
	// A training with dropped paths ends with the same bytes, and records the same of its epochs, when it is interrupted at every step.
	c := fixture.Steps(t, "tiny-train.yaml", "epochs=3", "data.subset=24")
	whole, interrupted := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
	var want, got []nas.Epoch
	keep := func(epochs *[]nas.Epoch) nas.Hooks {
		return nas.Hooks{OnEpoch: func(_ *nas.Run, e *nas.Epoch) error { *epochs = append(*epochs, *e); return nil }}
	}
	if _, err := Run(t.Context(), whole, c, nas.Settings{Hooks: []nas.Hooks{keep(&want)}}); err != nil {
		t.Fatal(err)
	}
	for times := 0; ; times++ {
		ctx, cancel := context.WithCancel(t.Context())
		stop := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { cancel(); return nil }}
		_, err := Run(ctx, interrupted, c, nas.Settings{Hooks: []nas.Hooks{stop, keep(&got)}})
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
