package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
	"godarts/torch/nn"
)

// pathSpy notes the passes of single architectures.
type pathSpy struct {
	darts.SinglePath
	passes *[]pass
}

func (s pathSpy) PathGradients(g genotype.Genotype, b nn.Batch, need darts.Need) darts.Result {
	return noted(s.passes, s.SinglePath.PathGradients(g, b, need))
}

// rounds implements rounds: every architecture is scored on the same batches, in order.
func (f *recordedFeed) Rounds(_ context.Context, _, n int, use func(k int, b nn.Batch)) error {
	for k := range n {
		torch.Scoped(func() { use(k, f.measured[k%len(f.measured)]) })
	}
	return nil
}

func TestUpstreamSharedRandom(t *testing.T) {
	// Random search with shared weights takes the steps of its authors' wrapper, running statistics of operations that are not drawn among them, and scores architectures alike, when it has its images, first weights and draws.
	eachUpstream(t, "e2e_rsps_seed*.safetensors", func(r upstream) {
		t := r.t
		drawn, scored := r.architectures("archs"), r.architectures("evaluated")
		c := r.config("cifar10-rsps.yaml", "network.layers="+r.meta("layers"), "epochs=1",
			fmt.Sprintf("strategy.candidates=%d", len(scored)), fmt.Sprintf("strategy.finalists=%d", len(scored)))
		run, feed := r.run(c, r.whole("steps"))
		keys := config.KeysAs[SharedRandomKeys](c)
		keys.ScoreBatches = len(feed.measured)
		c.Strategy.Keys = keys
		strategy, err := nas.NewStrategy(run)
		if err != nil {
			t.Fatal(err)
		}
		s := strategy.(*sharedRandom)
		init := r.state("init.")
		for name, alpha := range s.net.StateDict() { // they have no part in it
			if !init[name].Defined() {
				init[name] = alpha
			}
		}
		if err := s.net.LoadStateDict(init); err != nil {
			t.Fatal(err)
		}
		s.draw = func(name string, at ...int) genotype.Genotype {
			if name == "rsps" {
				return drawn[at[1]]
			}
			return scored[at[0]]
		}
		var passes []pass
		s.net = pathSpy{s.net, &passes}
		var norms []float64
		run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, step *nas.Step) error {
			last := passes[len(passes)-1]
			norms = append(norms, last.w)
			r.compare(fmt.Sprintf("step%d.logits", step.Index), torch.FromSlice(last.logits, step.Count, 10))
			return nil
		}})
		found := feed.search(run, s, 2)
		feed.numbersAre("grad_norm", norms)
		if !feed.ended {
			return
		}
		r.compareState("final.", s.net.StateDict())
		scores := r.numbers("scores") // less than 1 by the accuracy in percent
		order := make([]int, len(scores))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
		finals := feed.right[len(feed.right)-len(scored):] // of the finalists, the best first
		for place, i := range order {
			if got := 1 - 100*finals[place]; math.Abs(got-scores[i]) > 1e-9 {
				t.Errorf("architecture %d scores %g, want %g", i, got, scores[i])
			}
		}
		if want := scored[order[0]].String(); found != want {
			t.Errorf("found\n     %s\nwant %s", found, want)
		}
		for i, g := range scored {
			var logits []torch.Tensor
			for _, b := range feed.measured {
				logits = append(logits, s.net.PathEval(g, b).Logits)
			}
			r.compare(fmt.Sprintf("eval%d.logits", i), torch.Cat(logits, 0))
		}
	})
}

// architectures are those of an entry of the metadata, with "none" on some edges.
func (r upstream) architectures(key string) (all []genotype.Genotype) {
	r.t.Helper()
	var lists [][2][][2]any // normal and reduction cell: pairs of an input and an operation
	r.decode(key, &lists)
	for _, kinds := range lists {
		var of [2]genotype.Cell
		for kind, edges := range kinds {
			for i, edge := range edges {
				of[kind].Edges = append(of[kind].Edges, genotype.Edge{From: int(edge[0].(float64)), Op: genotype.Op(edge[1].(string))})
				if i%2 == 1 {
					of[kind].Concat = append(of[kind].Concat, 2+i/2)
				}
			}
		}
		all = append(all, genotype.Genotype{Normal: of[0], Reduce: of[1]})
	}
	return all
}
