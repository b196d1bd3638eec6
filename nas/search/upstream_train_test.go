package search

import (
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/train"
	"godarts/torch"
)

func TestUpstreamTraining(t *testing.T) {
	// A training takes the steps of the authors' program, with its auxiliary head and drop-path, when it has its images, first weights and seeds.
	requireUpstream(t)
	eachUpstream(t, "e2e_train_seed*_dp*.safetensors", func(r upstream) {
		t := r.t
		_, dropPath, _ := strings.Cut(t.Name(), "_dp")
		c := r.config("cifar10-train.yaml", "network.layers="+r.meta("layers"), "epochs="+r.meta("epochs"), "network.drop_path="+dropPath)
		run, feed := r.run(c, r.whole("steps"))
		w := r.trainer(run)
		var lastW, lastBuffer torch.Tensor
		torch.NoGrad(func() { lastW, lastBuffer = w.Net.Weights().W.Clone(), w.W.Momentum()[0].Clone() })
		var losses, norms, wNorms []float64
		run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
			torch.NoGrad(func() {
				now, buffer := w.Net.Weights().W, w.W.Momentum()[0]
				// The gradient after clipping is what momentum and decay leave of the buffer.
				g := buffer.AddScaled(lastBuffer, -c.W.Momentum).AddScaled(lastW, -c.W.WeightDecay)
				losses, norms, wNorms = append(losses, s.Loss), append(norms, g.Norm().Item()), append(wNorms, now.Norm().Item())
				lastW.Copy_(now)
				lastBuffer.Copy_(buffer)
			})
			return nil
		}})
		if _, err := w.Train(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		feed.ended = true
		recorded := r.numbers("grad_norm") // before clipping
		if len(recorded) != len(norms) {
			t.Fatalf("%d steps, want %d", len(norms), len(recorded))
		}
		for i, norm := range recorded {
			if want := min(norm, norm*c.W.GradClip/(norm+1e-6)); math.Abs(norms[i]-want) > 1e-9*want {
				t.Errorf("step %d: norm of the clipped gradient %.17g, want %.17g", i, norms[i], want)
			}
		}
		each := slices.Collect(slices.Chunk(r.numbers("losses_training"), len(r.numbers("losses_training"))/max(1, len(losses))))
		for i, got := range losses {
			want := each[i][0] // then that of the auxiliary head
			if len(each[i]) > 1 {
				want += c.Network.AuxiliaryWeight * each[i][1]
			}
			if math.Abs(got-want) > 1e-9*want {
				t.Errorf("step %d: loss %.17g, want %.17g", i, got, want)
			}
		}
		feed.numbersAre("lr", feed.lr)
		feed.numbersAre("w_norm", wNorms)
		feed.numbersAre("losses_eval", flat(feed.losses))
		r.compareState("final.", w.Net.Weights().StateDict())
		r.compare("final.eval_logits", w.Eval(feed.measured[0]).Logits)
	})
}

// trainer makes the trainer of the recorded cell, with its first weights.
func (r upstream) trainer(run *nas.Run) *train.Trainer {
	r.t.Helper()
	init := r.state("init.")
	for _, cell := range []string{r.meta("genotype"), r.meta("arch"), "DARTS_V2", "DARTS_V1"} {
		g, err := genotype.Parse(cell)
		if err != nil {
			continue
		}
		w, err := train.New(run, g)
		if err != nil {
			r.t.Fatal(err)
		}
		if w.Net.Weights().LoadStateDict(init) == nil {
			return w
		}
	}
	r.t.Fatal("the first weights are those of neither DARTS_V2 nor DARTS_V1")
	return nil
}
