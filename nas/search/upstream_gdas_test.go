package search

import (
	"fmt"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/torch"
)

func TestUpstreamGDAS(t *testing.T) {
	// A search by GDAS takes the steps of its authors' program, with the same cells after each epoch, when it has its images, first weights and noise.
	eachUpstream(t, "e2e_gdas_seed*.safetensors", func(r upstream) {
		t := r.t
		c := r.config("cifar10-gdas.yaml", "network.layers="+r.meta("layers"), "epochs="+r.meta("epochs"))
		run, feed := r.run(c, r.whole("steps"))
		s, err := nas.NewStrategy(run)
		if err != nil {
			t.Fatal(err)
		}
		g := s.(*gdasStrategy)
		if err := g.net.LoadStateDict(r.state("init.")); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(t.Name(), "_zeros") {
			// There every weight has had a gradient, of zeros, before the first step.
			if err := g.net.SetChosen(torch.OnesLike(g.net.Chosen())); err != nil {
				t.Fatal(err)
			}
		}
		// The noise is the recorded one, of the seeded generator: its logarithms differ in the
		// last bit of float32 between processors.
		next := 0
		g.net.Noise = func(torch.Tensor) torch.Tensor {
			name := []string{"train_noise_normal", "train_noise_reduce", "valid_noise_normal", "valid_noise_reduce"}[next%4]
			next++
			return r.tensor(fmt.Sprintf("step%d.%s", (next-1)/4, name))
		}
		alphas := r.watch(g.alpha, g.net.Alphas())
		var losses, taus, wNorms []float64
		var derived []string
		run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
			alphas.step(s.Epoch*s.Of+s.Index, nil)
			losses = append(losses, s.Loss)
			wNorms = append(wNorms, g.net.W().Norm().Item())
			return nil
		}, OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
			taus = append(taus, g.net.Tau)
			found, err := genotype.Parse(e.Genotype)
			derived = append(derived, pairs(found))
			return err
		}})
		feed.search(run, g, 4)
		feed.numbersAre("lr", feed.lr)
		feed.numbersAre("w_norm", wNorms)
		feed.numbersAre("tau", taus)
		ofW := r.numbers("losses") // and between them α's
		for i, got := range losses {
			if d := got - ofW[2*i]; d > 1e-9 || d < -1e-9 {
				t.Errorf("step %d: loss %.17g, want %.17g", i, got, ofW[2*i])
			}
		}
		var want []string
		r.decode("genotypes", &want)
		for i, got := range derived {
			if got != want[i] {
				t.Errorf("genotype after epoch %d\n got %s\nwant %s", i, got, want[i])
			}
		}
		if feed.ended {
			r.compareState("final.", g.net.StateDict())
		}
	})
}

// pairs are cells as GDAS' authors print them, a list for each node.
func pairs(g genotype.Genotype) string {
	list := func(c genotype.Cell) string {
		var nodes []string
		for i := 0; i < len(c.Edges); i += 2 {
			a, b := c.Edges[i], c.Edges[i+1]
			nodes = append(nodes, fmt.Sprintf("[('%s', %d), ('%s', %d)]", a.Op, a.From, b.Op, b.From))
		}
		return "[" + strings.Join(nodes, ", ") + "]"
	}
	concat := strings.ReplaceAll(fmt.Sprint(g.Normal.Concat), " ", ", ")
	return fmt.Sprintf("{'normal': %s, 'normal_concat': %s, 'reduce': %s, 'reduce_concat': %s}", list(g.Normal), concat, list(g.Reduce), concat)
}
