package search

import (
	"fmt"
	"testing"

	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestUpstreamDARTS(t *testing.T) {
	// A search by DARTS takes the steps of the authors' program, in both orders and both forms of the supernet, when it has its images and first weights.
	requireUpstream(t)
	for _, form := range []string{config.Fast, config.Plain} {
		t.Run(form, func(t *testing.T) {
			eachUpstream(t, "e2e_darts_order?_seed*.safetensors", func(r upstream) {
				file := map[string]string{"1": "cifar10-darts-first.yaml", "2": "cifar10-darts-second.yaml"}[r.meta("order")]
				replayDARTS(r, r.config(file, "network.layers="+r.meta("layers"), "epochs="+r.meta("epochs"), "network.form="+form))
			})
		})
	}
}

func TestUpstreamPCDARTS(t *testing.T) {
	// A search by PC-DARTS takes the steps of its authors' program when it has its images and first weights.
	eachUpstream(t, "e2e_pcdarts_order?_seed*.safetensors", func(r upstream) {
		replayDARTS(r, r.config("cifar10-pc-darts.yaml", "network.layers="+r.meta("layers"), "epochs="+r.meta("epochs")))
	})
}

// replayDARTS compares a search by dartsStrategy, step by step.
func replayDARTS(r upstream, c *config.Config) {
	t := r.t
	run, feed := r.run(c, r.whole("steps"))
	s, err := nas.NewStrategy(run)
	if err != nil {
		t.Fatal(err)
	}
	d := s.(*dartsStrategy)
	if err := d.net.LoadStateDict(r.state("init.")); err != nil {
		t.Fatal(err)
	}
	var passes []pass
	d.spy(t, c, &passes)
	alphas := r.watch(d.alpha, d.net.Alphas())
	var norms, wNorms, losses []float64
	run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
		alphas.step(s.Epoch*s.Of+s.Index, nil)
		losses = append(losses, lossesOf(passes)...)
		norms = append(norms, passes[len(passes)-1].w)
		wNorms = append(wNorms, d.net.W().Norm().Item())
		passes = nil
		return nil
	}})
	found := feed.search(run, d, 3)
	feed.numbersAre("losses_training", losses)
	feed.numbersAre("grad_norm", norms)
	feed.numbersAre("lr", feed.lr)
	feed.numbersAre("w_norm", wNorms)
	if !feed.ended {
		return
	}
	measured := flat(feed.losses)
	want := len(r.numbers("losses_eval")) // of the last epochs: not all programs measure each
	feed.numbersAre("losses_eval", measured[max(0, len(measured)-want):])
	r.compareState("final.", d.net.StateDict())
	r.compare("final.eval_logits", d.net.Eval(feed.measured[0]).Logits)
	if want := r.meta("genotype"); found != want {
		t.Errorf("genotype\n got %s\nwant %s", found, want)
	}
}

// spy notes the passes of the strategy's supernet.
func (d *dartsStrategy) spy(t testing.TB, c *config.Config, passes *[]pass) {
	t.Helper()
	net := d.net
	watched := spy{net, passes}
	hessian, err := newHessian(net, watched, c.Alpha.HVP)
	if err != nil {
		t.Fatal(err)
	}
	d.net, d.architect = watched, darts.NewArchitect(watched, d.w, d.alpha)
	d.region = nil // a spy reads
	d.architect.Hessian = hessian
}

func TestRecordedSteps(t *testing.T) {
	// A search by DARTS takes the three steps of the authors' classes, in both orders, when they are its first epoch.
	if testing.Short() {
		t.Skip("-short: steps in the size of the recordings")
	}
	for order, file := range map[string]string{"first": "cifar10-darts-first.yaml", "second": "cifar10-darts-second.yaml"} {
		t.Run(order, func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads())
			torch.SetThreads(1)
			path := torchtest.Fixture(t, "cnn_search_"+order+"_order.safetensors")
			r := upstream{t, torchtest.Golden(t, path)}
			c := r.config(file, "network.layers="+r.meta("layers"))
			run, feed := r.run(c, r.whole("steps"))
			s, err := nas.NewStrategy(run)
			if err != nil {
				t.Fatal(err)
			}
			d := s.(*dartsStrategy)
			if err := d.net.LoadStateDict(r.state("init.")); err != nil {
				t.Fatal(err)
			}
			var passes []pass
			d.spy(t, c, &passes)
			of64 := torch.Options{Dtype: torch.Float64}
			run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
				step := fmt.Sprintf("step%d.", s.Index)
				for i, alpha := range d.net.Alphas() {
					r.compare(step+namesOfTables[i], alpha)
				}
				r.compare(step+"loss", torch.Scalar(s.Loss, of64))
				r.compare(step+"grad_norm", torch.Scalar(passes[len(passes)-1].w, of64))
				if s.Index == s.Of-1 { // the recording has no more
					r.compareState("final.", d.net.StateDict())
					if got, want := d.genotype().String(), r.meta("genotype"); got != want {
						t.Errorf("genotype\n got %s\nwant %s", got, want)
					}
				}
				return nil
			}})
			feed.search(run, d, 3)
			if len(feed.lr) != r.whole("steps") {
				t.Errorf("%d steps, want %s", len(feed.lr), r.meta("steps"))
			}
		})
	}
}
