package search

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/torch"
	"godarts/torch/nn"
)

// progressiveSpy notes the passes of a stage's supernet.
type progressiveSpy struct {
	darts.Progressive
	passes *[]pass
}

func (s progressiveSpy) Gradients(w torch.Tensor, b nn.Batch, need darts.Need) darts.Result {
	return noted(s.passes, s.Progressive.Gradients(w, b, need))
}

func TestUpstreamPDARTS(t *testing.T) {
	// A search by P-DARTS takes the steps of its authors' program through all stages, with the same operations left and the same cells, when it has its images, first weights and seeds.
	if testing.Short() {
		t.Skip("-short: steps in the size of the recordings")
	}
	eachUpstream(t, "e2e_pdarts_seed*.safetensors", func(r upstream) {
		t := r.t
		epochs := r.whole("epochs")
		c := r.config("cifar10-p-darts.yaml", "strategy.layers="+r.meta("layers"), "strategy.skip_dropout="+r.meta("rates"),
			fmt.Sprintf("epochs=%d", epochs*stages))
		run, feed := r.run(c, r.whole("steps"))
		s, err := nas.NewStrategy(run)
		if err != nil {
			t.Fatal(err)
		}
		p := s.(*pdartsStrategy)
		var passes []pass
		var alphas *alphaWatch
		var norms, wNorms, losses, rates, measured []float64
		var left [][][]bool
		ended := func() { // a stage
			r.compareState(fmt.Sprintf("stage%d.final.", p.stage), p.net.StateDict())
		}
		feed.begin = func(epoch int) {
			if epoch%epochs == 0 {
				if err := p.net.LoadStateDict(r.state(fmt.Sprintf("stage%d.init.", p.stage))); err != nil {
					t.Fatal(err)
				}
				p.net = progressiveSpy{p.net, &passes}
				alphas = r.watch(p.alpha, p.net.Alphas())
				if p.stage > 0 {
					left = append(left, switches(p.space.Normal), switches(p.space.Reduce))
				}
			}
			rates = append(rates, skipDropout(p.keys.SkipDropout[p.stage], epoch%epochs, epochs, p.keys.Warmup))
		}
		run.Watch(nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error {
			alphas.step(s.Epoch*s.Of+s.Index, nil)
			for _, p := range passes {
				norms = append(norms, p.alphas+p.w) // of which each pass has one
			}
			losses = append(losses, lossesOf(passes)...)
			wNorms = append(wNorms, p.net.W().Norm().Item())
			passes = nil
			return nil
		}, OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
			if of := e.Index % epochs; epochs-of < 5 { // the others are not measured there
				measured = append(measured, feed.losses[len(feed.losses)-1]...)
			}
			if e.Index%epochs == epochs-1 {
				ended()
			}
			return nil
		}})
		found := feed.search(run, p, 3)
		feed.numbersAre("losses_training", losses)
		feed.numbersAre("grad_norm", norms)
		feed.numbersAre("lr", feed.lr)
		feed.numbersAre("w_norm", wNorms)
		feed.numbersAre("losses_eval", measured)
		feed.numbersAre("skip_dropout", rates)
		r.compareSwitches(left)
		if feed.ended {
			r.compareLimits(p, found)
		}
	})
}

// switches are operations as the authors' tables have them.
func switches(ops [][]genotype.Op) (table [][]bool) {
	for _, of := range ops {
		var row []bool
		for _, op := range genotype.Primitives {
			row = append(row, slices.Contains(of, op))
		}
		table = append(table, row)
	}
	return table
}

// compareSwitches compares what is left after the first stages with what the authors'
// program prints after each stage: a table of normal cells, then one of the others.
func (r upstream) compareSwitches(left [][][]bool) {
	r.t.Helper()
	var lines []string
	r.decode("switches", &lines)
	for i, got := range left {
		_, text, _ := strings.Cut(lines[i], " = ")
		var want [][]bool
		if err := json.Unmarshal([]byte(strings.ToLower(text)), &want); err != nil {
			r.t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			r.t.Errorf("operations left, table %d:\n got %v\nwant %v", i, got, want)
		}
	}
}

// compareLimits compares the cells with those printed for each limit of skip connections,
// and what the search found with those of its own limit.
func (r upstream) compareLimits(p *pdartsStrategy, found string) {
	r.t.Helper()
	var lines, genotypes []string
	r.decode("limits", &lines)
	r.decode("genotypes", &genotypes)
	want := genotypes[0]
	for i, line := range lines {
		var limit int
		if _, err := fmt.Sscanf(line, "Number of skip-connect: %d", &limit); err != nil {
			r.t.Fatal(err)
		}
		if got := p.net.LimitedGenotype(limit).String(); got != genotypes[i+1] {
			r.t.Errorf("genotype with at most %d skip connections\n got %s\nwant %s", limit, got, genotypes[i+1])
		}
		if limit >= p.keys.Skips {
			want = genotypes[i+1]
		}
	}
	if found != want {
		r.t.Errorf("genotype\n got %s\nwant %s", found, want)
	}
}
