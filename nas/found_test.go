package nas

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"godarts/cells"
	"godarts/darts"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestFoundByPCDARTS(t *testing.T) {
	// The cells that a search by PC-DARTS returns have the edges that β makes heavy, not those that α alone would keep.
	torchtest.Scope(t)
	c := steps(t, "tiny.yaml", "strategy.name=pc-darts", "strategy.partial=2", "network.channels=4", "epochs=0")
	r := &Run{Config: c}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	s, err := newDARTS(r)
	if err != nil {
		t.Fatal(err)
	}
	to := torch.Options{Dtype: torch.Float64}
	torch.NoGrad(func() {
		tables := s.(*dartsStrategy).net.Alphas()
		for _, alpha := range tables[:2] { // sep_conv_3x3 weighs e times as much as any other operation, on every edge
			alpha.Zero_()
			alpha.Narrow(1, slices.Index(cells.Primitives, cells.SepConv3x3), 1).Fill_(1)
		}
		tables[2].Copy_(torch.FromSliceTo([]float64{0, 1, 0, 1, 2}, []int{5}, to))
		tables[3].Copy_(torch.FromSliceTo([]float64{1, 0, 2, 0, 1}, []int{5}, to))
	})
	g, err := s.Search(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		cell cells.Cell
		from []int
	}{{"normal", g.Normal, []int{1, 0, 2, 1}}, {"reduction", g.Reduce, []int{0, 1, 0, 2}}} {
		var from []int
		for _, edge := range test.cell.Edges {
			from = append(from, edge.From)
			if edge.Op != cells.SepConv3x3 {
				t.Errorf("%s cell: an edge has %s", test.name, edge.Op)
			}
		}
		if !slices.Equal(from, test.from) {
			t.Errorf("%s cell: edges from %v, want %v", test.name, from, test.from)
		}
	}
}

func TestSkipsOfPDARTS(t *testing.T) {
	// The normal cell that P-DARTS returns has as many skip connections as its config allows when α prefers them everywhere.
	torchtest.Scope(t)
	r := &Run{Config: steps(t, "tiny-p-darts.yaml", "epochs=0", "strategy.skips=1",
		"space.operations=[none, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5, max_pool_3x3]")}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	s, err := newPDARTS(r)
	if err != nil {
		t.Fatal(err)
	}
	p := s.(*pdartsStrategy)
	for stage := range config.Stages {
		if err := p.reach(stage); err != nil {
			t.Fatal(err)
		}
		torch.NoGrad(func() {
			for table, ops := range map[torch.Tensor][][]cells.Op{p.net.Alphas()[0]: p.space.Normal, p.net.Alphas()[1]: p.space.Reduce} {
				for e, of := range ops {
					table.Select(0, e).Select(0, slices.Index(of, cells.SkipConnect)).Fill_(1 + float64(e)/10)
					if k := slices.Index(of, cells.None); k >= 0 {
						table.Select(0, e).Select(0, k).Fill_(-1) // dropped first
					}
				}
			}
		})
	}
	g, err := s.Search(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		cell cells.Cell
		want int
	}{{"normal", g.Normal, 1}, {"reduction", g.Reduce, 4}} {
		skips := 0
		for _, edge := range test.cell.Edges {
			if edge.Op == cells.SkipConnect {
				skips++
			}
		}
		if skips != test.want {
			t.Errorf("the %s cell has %d skip connections, want %d", test.name, skips, test.want)
		}
	}
}

func TestFoundByENAS(t *testing.T) {
	// The candidate that is most accurate on the validation batch is found when it is neither the first nor the last.
	c := steps(t, "tiny.yaml", "strategy.name=enas", "strategy.controller.updates=1", "strategy.controller.aggregate=1", "strategy.candidates=8",
		"data.train_portion=0.5", "data.subset=48", "epochs=1", "data.batch=24")
	dir := filepath.Join(t.TempDir(), "run")
	result, err := Search(t.Context(), dir, c, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	torchtest.Scope(t)
	r, net := finished(t, c, dir)
	controller := (&taken{run: r, before: stateIn(t, dir)}).controller(t)
	half := r.feed.(*imageFeed).validation
	batch := toBatch((&data.Source{Images: half.Images, Seed: c.Seed, Name: "reward", Size: c.Data.Batch, Order: data.Resampled}).Load(c.Epochs, 0), r.options())
	var accuracies []float64
	found := -1.0
	for i := range c.Strategy.Candidates {
		g := controller.Draw(rng.Stream(c.Seed, "enas.candidate", i))
		logits := net.PathGradients(g, batch, darts.Need{FreezeStatistics: true}).Logits
		accuracies = append(accuracies, logits.Argmax(1, false).Eq(batch.Y).ToDtype(torch.Float64).Mean().Item())
		if g.String() == result.Genotype.String() {
			found = accuracies[i]
		}
	}
	most := slices.Max(accuracies)
	if accuracies[0] == most || accuracies[len(accuracies)-1] == most {
		t.Errorf("accuracies %v show nothing", accuracies)
	}
	if found != most {
		t.Errorf("found a candidate of accuracy %v, the best of %v", found, accuracies)
	}
}

// stateIn is what the checkpoint of a run holds.
func stateIn(t *testing.T, dir string) torch.StateDict {
	t.Helper()
	sd, err := torchtest.Golden(t, filepath.Join(dir, CheckpointFile)).LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

// finished opens the data of a complete search again, and makes its supernet.
func finished(t *testing.T, c *config.Config, dir string) (*Run, *darts.Plain) {
	t.Helper()
	r := &Run{Config: c}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	return r, (&taken{run: r, before: stateIn(t, dir), generator: torch.RNGState(torch.CPU)}).supernet(t)
}

func TestFoundBySharedRandom(t *testing.T) {
	// The finalist that is most accurate on all of the validation half is found when another one was on the batches before.
	const seeds = 20 // by how a processor rounds, another seed's finalists show it
	for seed := range int64(seeds) {
		c := steps(t, "tiny.yaml", "strategy.name=rsps", "strategy.candidates=8", "strategy.score_batches=1", "strategy.finalists=8",
			"data.subset=48", "epochs=1", fmt.Sprint("seed=", seed))
		if showsFinalist(t, c) {
			return
		}
	}
	t.Errorf("the first finalist is the best for each of %d seeds, which shows nothing", seeds)
}

// showsFinalist searches and compares what is found with the best finalist. It tells whether that is another one
// than the first finalist.
func showsFinalist(t *testing.T, c *config.Config) (shows bool) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	result, err := Search(t.Context(), dir, c, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer torch.Enter()()
	r, net := finished(t, c, dir)
	half := r.feed.(*imageFeed).validation
	correct := func(g cells.Genotype, epoch int, batches ...int) (n float64) {
		for _, i := range batches {
			torch.Scoped(func() {
				b := toBatch(half.Load(epoch, i), torch.Options{Dtype: torch.Float64})
				n += net.PathEval(g, nn.Batch{X: b.X, Y: b.Y}).Logits.Argmax(1, false).Eq(b.Y).ToDtype(torch.Float64).Sum().Item()
			})
		}
		return n
	}
	var first cells.Genotype
	most, mostBefore := -1.0, -1.0
	for i := range c.Strategy.Candidates {
		g := spaceOf(c).Sample(rng.Stream(c.Seed, "rsps.candidate", i))
		if n := correct(g, c.Epochs+i/2, i%2); n > mostBefore { // each has the batch after that of the one before, two an epoch
			first, mostBefore = g, n
		}
		most = max(most, correct(g, c.Epochs, 0, 1))
	}
	if got := correct(result.Genotype, c.Epochs, 0, 1); got != most {
		t.Errorf("seed %d: what was found has %v images right, the best finalist %v", c.Seed, got, most)
	}
	return correct(first, c.Epochs, 0, 1) != most
}

func TestFoundByTrials(t *testing.T) {
	// The cell of the most accurate trial is found when it was not the last.
	c := steps(t, "tiny.yaml", "strategy.name=random", "strategy.trials=4", "epochs=1", "data.subset=48")
	dir := filepath.Join(t.TempDir(), "run")
	result, err := Search(t.Context(), dir, c, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	best, least, errorOfFound := 0, 101.0, 0.0
	for i := 1; i <= c.Strategy.Trials; i++ {
		content, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("trial-%d", i), resultFile))
		if err != nil {
			t.Fatal(err)
		}
		var trial TrainResult
		if err := json.Unmarshal(content, &trial); err != nil {
			t.Fatal(err)
		}
		if trial.ValidError < least {
			best, least = i, trial.ValidError
		}
		if trial.Genotype.String() == result.Genotype.String() {
			errorOfFound = trial.ValidError
		}
	}
	if best == c.Strategy.Trials || best == 1 {
		t.Errorf("trial %d is the best, which shows nothing", best)
	}
	if errorOfFound != least {
		t.Errorf("found a cell with an error of %v %%, the best has %v %%", errorOfFound, least)
	}
}
