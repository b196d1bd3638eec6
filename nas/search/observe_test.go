package search_test

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/darts/enas"
	"godarts/nas"
	"godarts/nas/blackbox"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/images"
	"godarts/nas/page"
	"godarts/nas/record"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// observedRun runs the search c and returns the lines of its epochs.
func observedRun(t *testing.T, c *config.Config) (dir string, epochs []runfolder.Metric) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	if _, err := search.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(fixture.Content(t, dir, runfolder.MetricsFile)) {
		var m runfolder.Metric
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		if m.Step == 0 {
			epochs = append(epochs, m)
		}
	}
	checkPage(t, dir, epochs)
	return dir, epochs
}

// checkPage fails the test unless the page of the run shows the distribution on the edges of each cell
// that its metrics have, and the cells over the epochs.
func checkPage(t *testing.T, dir string, epochs []runfolder.Metric) {
	t.Helper()
	r, err := record.Read(dir)
	if err != nil || len(r.Notes) > 0 {
		t.Fatal(err, r.Notes)
	}
	var html bytes.Buffer
	if err := page.WriteRun(&html, r, page.Options{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"How the cells changed: the operation of each edge, by "}
	for _, cell := range epochs[len(epochs)-1].Cells {
		want = append(want, "of each edge of the "+cell.Kind+" cell, by epoch")
	}
	for _, text := range want {
		if !strings.Contains(html.String(), text) {
			t.Errorf("the page of the run lacks %q", text)
		}
	}
}

// softmaxOf returns the softmax of rows of an entry of the run's checkpoint, in float64.
func softmaxOf(t *testing.T, dir, entry string, rows ...int) (p []float64) {
	t.Helper()
	torch.Scoped(func() {
		x, err := torchtest.Golden(t, filepath.Join(dir, runfolder.CheckpointFile)).Load(entry, torch.Options{Dtype: torch.Float64})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 2 {
			x = x.Narrow(0, rows[0], rows[1])
		}
		p = x.Softmax(-1).Float64s()
	})
	return p
}

func TestObservedAlpha(t *testing.T) {
	// The last epoch's line has the softmax of the checkpoint's α to the last digit, and every line the rest of what is asked for, when a strategy has α.
	for _, test := range []struct {
		name, file string
		set        []string
		entries    []string // of α, one for each cell
	}{
		{"first order", "tiny.yaml", []string{"strategy.order=1"}, []string{"alphas_normal", "alphas_reduce"}},
		{"second order", "tiny.yaml", []string{"strategy.order=2"}, []string{"alphas_normal", "alphas_reduce"}},
		{"float64", "tiny.yaml", []string{"strategy.order=1", "network.dtype=float64"}, []string{"alphas_normal", "alphas_reduce"}},
		{"pc-darts", "tiny.yaml", []string{"strategy.name=pc-darts", "strategy.partial=2", "strategy.warmup=1", "network.channels=4"}, []string{"alphas_normal", "alphas_reduce"}},
		{"gdas", "tiny.yaml", []string{"strategy.name=gdas"}, []string{"alphas_normal", "alphas_reduce"}},
		{"recurrent", "tiny-text.yaml", nil, []string{"weights"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			dir, epochs := observedRun(t, fixture.Load(t, "../testdata/"+test.file, test.set...))
			last := epochs[len(epochs)-1]
			if len(last.Cells) != len(test.entries) {
				t.Fatalf("%d cells, want %d", len(last.Cells), len(test.entries))
			}
			for i, entry := range test.entries {
				want := softmaxOf(t, dir, entry)
				var got []float64
				for _, edge := range last.Cells[i].Edges {
					got = append(got, edge.P...)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: softmax(α) is not the checkpoint's:\n%v\n%v", last.Cells[i].Kind, got, want)
				}
			}
			for _, m := range epochs {
				checkMetric(t, m)
			}
			if last.GradNormAlpha == nil || *last.GradNormAlpha <= 0 {
				t.Errorf("norm of the gradient of α: %v", last.GradNormAlpha)
			}
		})
	}
}

// checkMetric fails the test unless the line of an epoch of a search with α has what it should.
func checkMetric(t *testing.T, m runfolder.Metric) {
	t.Helper()
	if m.GradNormW == nil || *m.GradNormW <= 0 || m.Parameters <= 0 || m.MultiplyAdds <= 0 {
		t.Errorf("epoch %d: norm of the gradient of w %v, %d parameters, %d multiply-adds", m.Epoch, m.GradNormW, m.Parameters, m.MultiplyAdds)
	}
	for _, cell := range m.Cells {
		kind := genotype.Normal
		if cell.Kind == "recurrent" {
			kind = genotype.Recurrent
		}
		node, from := kind.Inputs(), 0
		for _, edge := range cell.Edges {
			if edge.Node != node || edge.From != from {
				t.Errorf("%s: edge from %d to %d, want from %d to %d", cell.Kind, edge.From, edge.Node, from, node)
			}
			if from++; from == node {
				node, from = node+1, 0
			}
			sum, h := 0.0, 0.0
			for _, p := range edge.P {
				sum += p
				if p > 0 {
					h -= p * math.Log(p)
				}
			}
			if math.Abs(sum-1) > 1e-12 || edge.Entropy != h || len(edge.P) != len(cell.Operations) {
				t.Errorf("%s: %d probabilities of sum %v, entropy %v, want %v", cell.Kind, len(edge.P), sum, edge.Entropy, h)
			}
		}
	}
}

func TestObservedBeta(t *testing.T) {
	// PC-DARTS records the softmax of β over the edges of each node, and a gradient of α once that moves.
	torchtest.Scope(t)
	dir, epochs := observedRun(t, fixture.Tiny(t, "strategy.name=pc-darts", "strategy.partial=2", "strategy.warmup=1", "network.channels=4"))
	if epochs[0].GradNormAlpha != nil || epochs[1].GradNormAlpha == nil {
		t.Errorf("norms of ∇α: %v in the warm-up, then %v", epochs[0].GradNormAlpha, epochs[1].GradNormAlpha)
	}
	for i, entry := range []string{"betas_normal", "betas_reduce"} {
		want := append(softmaxOf(t, dir, entry, 0, 2), softmaxOf(t, dir, entry, 2, 3)...)
		for e, edge := range epochs[1].Cells[i].Edges {
			if edge.Beta == nil || *edge.Beta != want[e] {
				t.Errorf("%s, edge %d: β %v, want %v", entry, e, edge.Beta, want[e])
			}
		}
	}
}

func TestObservedTemperature(t *testing.T) {
	// GDAS records its temperature of each epoch.
	_, epochs := observedRun(t, fixture.Tiny(t, "strategy.name=gdas", "strategy.tau=[8, 2]"))
	for i, want := range []float64{8, 2} {
		if got := epochs[i].Temperature; got == nil || *got != want {
			t.Errorf("epoch %d: τ %v, want %v", i, got, want)
		}
	}
}

func TestObservedStages(t *testing.T) {
	// P-DARTS records its stage, all operations of its space, and exactly 0 for those that a stage has lost.
	torchtest.Scope(t)
	c := fixture.Load(t, "../testdata/tiny-p-darts.yaml")
	dir, epochs := observedRun(t, c)
	for i, kind := range []string{"normal", "reduce"} {
		p, ops := softmaxOf(t, dir, "alphas_"+kind), stateOf(t, dir, "operations_"+kind) // of the last stage
		width := len(p) / len(epochs[0].Cells[i].Edges)
		for e, edge := range epochs[len(epochs)-1].Cells[i].Edges {
			want := make([]float64, len(edge.P))
			for k, op := range ops[e*width : (e+1)*width] {
				want[slices.Index(epochs[0].Cells[i].Operations, string(genotype.SearchOps()[int(op)]))] = p[e*width+k]
			}
			if !slices.Equal(edge.P, want) {
				t.Errorf("%s, edge %d: %v, want %v", kind, e, edge.P, want)
			}
		}
	}
	drop := config.KeysAs[search.PDARTSKeys](c).Drop
	for i, m := range epochs {
		checkMetric(t, m)
		stage := i/(len(epochs)/3) + 1
		if m.Stage != stage {
			t.Errorf("epoch %d: stage %d, want %d", i, m.Stage, stage)
		}
		lost := 0
		for _, n := range drop[:stage-1] {
			lost += n
		}
		for _, cell := range m.Cells {
			for _, edge := range cell.Edges {
				zeros := 0
				for _, p := range edge.P {
					if p == 0 {
						zeros++
					}
				}
				if zeros != lost || len(edge.P) != len(epochs[0].Cells[0].Operations) {
					t.Errorf("epoch %d: %d of %d operations have probability 0, want %d", i, zeros, len(edge.P), lost)
				}
			}
		}
	}
}

func TestObservedPerturbation(t *testing.T) {
	// A search that selects by perturbation records decided edges with one operation, and deleted edges with none.
	_, epochs := observedRun(t, fixture.Tiny(t, "strategy.order=1", "strategy.selection=perturbation", "strategy.perturbation.interval=1",
		"epochs=1", "data.subset=48", "space.operations=[none, skip_connect, max_pool_3x3]"))
	for i, m := range epochs {
		for _, cell := range m.Cells {
			decided, deleted := 0, 0
			for _, edge := range cell.Edges {
				switch slices.Max(edge.P) {
				case 1:
					decided++
				case 0:
					deleted++
				}
			}
			edges := len(cell.Edges)
			if want, gone := min(i, edges), max(0, i-edges); decided != want-deleted || deleted != gone {
				t.Errorf("epoch %d, %s: %d edges decided and %d deleted, want %d and %d", i, cell.Kind, decided, deleted, want-gone, gone)
			}
		}
	}
}

func TestObservedController(t *testing.T) {
	// ENAS records shares of drawn cells, which are of two edges for each node, and probabilities that are the controller's.
	torchtest.Scope(t)
	c := fixture.Tiny(t, "strategy.name=enas", "strategy.controller.updates=2", "strategy.controller.aggregate=2", "strategy.candidates=2")
	dir, epochs := observedRun(t, c)
	last := epochs[len(epochs)-1]
	checkShares(t, last, 2, 1e-9)
	controller, err := enas.New(images.Space(c), enas.Options{LR: 0.0035, Entropy: 1e-4, Baseline: 0.99, Squash: 0.44})
	if err != nil {
		t.Fatal(err)
	}
	own := torch.StateDict{}
	for name := range controller.StateDict() {
		if own[name], err = torchtest.Golden(t, filepath.Join(dir, runfolder.CheckpointFile)).Load("controller."+name, torch.Options{}); err != nil {
			t.Fatal(err)
		}
		own[name] = own[name].ToDtype(controller.StateDict()[name].Dtype())
	}
	if err := controller.LoadStateDict(own); err != nil {
		t.Fatal(err)
	}
	for kind, drawn := range controller.Shares(rng.Stream(c.Seed, "enas.observe", last.Epoch), 1000) {
		for e, edge := range last.Cells[kind].Edges {
			if *edge.Beta != drawn.Edges[e] || !slices.Equal(edge.P, drawn.Operations[e]) {
				t.Errorf("kind %d, edge %d: %v of %v, the checkpoint's controller draws %v of %v", kind, e, edge.P, *edge.Beta, drawn.Operations[e], drawn.Edges[e])
			}
		}
	}
}

// checkShares fails the test unless the shares of the edges into each node sum up to of, and the
// probabilities of each edge to 1.
func checkShares(t *testing.T, m runfolder.Metric, of, tolerance float64) {
	t.Helper()
	if len(m.Cells) == 0 {
		t.Fatal("no cells")
	}
	for _, cell := range m.Cells {
		into := map[int]float64{}
		for _, edge := range cell.Edges {
			into[edge.Node] += *edge.Beta
			sum := 0.0
			for _, p := range edge.P {
				sum += p
			}
			if math.Abs(sum-1) > tolerance {
				t.Errorf("%s: edge from %d to %d: probabilities of sum %v", cell.Kind, edge.From, edge.Node, sum)
			}
		}
		for node, sum := range into {
			if math.Abs(sum-of) > tolerance {
				t.Errorf("%s: shares into node %d sum up to %v, want %v", cell.Kind, node, sum, of)
			}
		}
		if slices.Contains(cell.Operations, "none") {
			t.Errorf("%s: none is among the operations of drawn cells", cell.Kind)
		}
	}
}

func TestObservedPolicy(t *testing.T) {
	// REINFORCE records its policy on images and on texts: nearly uniform before it has learned.
	c := fixture.Tiny(t, "strategy.name=reinforce", "strategy.trials=2", "epochs=1")
	_, epochs := observedRun(t, c)
	random := rng.Stream(c.Seed, "trials")
	again := blackbox.NewReinforce(images.Space(c), 0.1, 0.9, random)
	for i, m := range epochs {
		checkShares(t, m, 2, 1e-9)
		cell := again.Propose(random)
		// The first node has one pair of inputs, then come its edges.
		if want := again.Probabilities()[1]; !slices.Equal(m.Cells[0].Edges[0].P, want) {
			t.Errorf("trial %d: the policy is %v, want %v", i, m.Cells[0].Edges[0].P, want)
		}
		again.Observe(cell, *m.ValidAccuracy)
	}
	if p := epochs[0].Cells[0].Edges[0].P; len(p) != 7 || math.Abs(p[0]-1./7) > 1e-3 {
		t.Errorf("the first policy is %v", p)
	}
	if epochs[0].SkipConnections == nil || epochs[0].Parameters == 0 || epochs[0].GradNormW != nil {
		t.Errorf("skip connections %v, %d parameters, norm of ∇w %v", epochs[0].SkipConnections, epochs[0].Parameters, epochs[0].GradNormW)
	}
	_, epochs = observedRun(t, fixture.Load(t, "../testdata/tiny-text-random.yaml", "strategy.name=reinforce", "strategy.trials=2"))
	checkShares(t, epochs[0], 1, 1e-9)
	if epochs[0].SkipConnections != nil || epochs[0].Parameters == 0 {
		t.Errorf("of a text: skip connections %v, %d parameters", epochs[0].SkipConnections, epochs[0].Parameters)
	}
}

func TestObservedCellsOnly(t *testing.T) {
	// A strategy without α records no cells, but the size of the best cell's network.
	for _, set := range [][]string{
		{"strategy.name=random", "strategy.trials=2", "epochs=1"},
		{"strategy.name=evolution", "strategy.trials=3", "strategy.evolution.population=2", "epochs=1"},
		{"strategy.name=rsps", "strategy.candidates=4", "strategy.score_batches=2", "strategy.finalists=2"},
	} {
		_, epochs := observedRun(t, fixture.Tiny(t, set...))
		for _, m := range epochs {
			if m.Cells != nil || m.SkipConnections == nil || m.Parameters == 0 || m.MultiplyAdds == 0 || m.Genotype == "" {
				t.Errorf("%s: %d cells, skip connections %v, %d parameters, %d multiply-adds, genotype %q",
					set[0], len(m.Cells), m.SkipConnections, m.Parameters, m.MultiplyAdds, m.Genotype)
			}
		}
	}
}

func TestObservedNorms(t *testing.T) {
	// The norms of gradients are those that the optimizers took, before clipping, when an epoch has one step.
	torchtest.Scope(t)
	dir, epochs := observedRun(t, fixture.Tiny(t, "strategy.order=2", "data.subset=24", "epochs=1", "network.dtype=float64",
		"w.weight_decay=0", "w.grad_clip=1e9", "alpha.weight_decay=0"))
	norm := func(entries ...string) float64 {
		sum := 0.0
		for _, entry := range entries {
			for _, x := range stateOf(t, dir, entry) {
				sum += x * x
			}
		}
		return math.Sqrt(sum)
	}
	// The first momentum is the gradient, and Adam's first moment a half of it, with β1 of 0.5.
	w, alpha := norm("optimizer.w.momentum_buffer.0"), 2*norm("optimizer.alpha.exp_avg.0", "optimizer.alpha.exp_avg.1")
	if got := *epochs[0].GradNormW; math.Abs(got-w) > 1e-12*w {
		t.Errorf("norm of the gradient of w %v, want %v", got, w)
	}
	if got := *epochs[0].GradNormAlpha; math.Abs(got-alpha) > 1e-12*alpha {
		t.Errorf("norm of the gradient of α %v, want %v", got, alpha)
	}
}
