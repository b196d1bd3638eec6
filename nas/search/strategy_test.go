package search_test

import (
	"path/filepath"
	"slices"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestStrategies(t *testing.T) {
	// Every strategy passes the suite (with -short: one of them).
	const few = "space.operations=[none, skip_connect, sep_conv_3x3, max_pool_3x3]"
	for _, test := range []struct {
		name string
		set  []string
	}{
		{"darts, first order", []string{"strategy.order=1"}},
		{"darts, second order", []string{"strategy.order=2", "network.nodes=1", few}},
		{"pc-darts", []string{"strategy.name=pc-darts", "strategy.partial=2", "strategy.warmup=1", "network.channels=4"}},
		{"gdas", []string{"strategy.name=gdas", "network.layers=3"}},
		{"darts, exact second order", []string{"strategy.order=2", "alpha.hvp.method=exact", "network.nodes=1", few}},
		{"darts, early stop and few skips", []string{
			"strategy.early_stop.every=1", "strategy.early_stop.window=1", "strategy.early_stop.start=0", "strategy.early_stop.delta=1",
			"strategy.early_stop.factor=1e-6", "strategy.skip_limit=0", "epochs=4", "network.nodes=1",
			"space.operations=[skip_connect, sep_conv_3x3]",
		}},
		{"darts, selection by perturbation", []string{
			"strategy.selection=perturbation", "strategy.perturbation.interval=1", "epochs=1", "data.subset=48",
			"space.operations=[none, skip_connect, max_pool_3x3]",
		}},
		{"random", []string{"strategy.name=random", "strategy.trials=2", "epochs=1"}},
		{"evolution", []string{"strategy.name=evolution", "strategy.trials=3", "strategy.evolution.population=2", "strategy.cost.of=multiply-adds", "epochs=1"}},
		{"reinforce", []string{"strategy.name=reinforce", "strategy.trials=2", "epochs=1"}},
		{"enas", []string{"strategy.name=enas", "strategy.controller.updates=2", "strategy.controller.aggregate=2", "strategy.candidates=2"}},
		{"rsps", []string{"strategy.name=rsps", "strategy.candidates=4", "strategy.score_batches=2", "strategy.finalists=2"}},
	} {
		t.Run(test.name, func(t *testing.T) { nastest.TestStrategy(t, fixture.Tiny(t, test.set...)) })
		if testing.Short() {
			break
		}
	}
	for _, test := range []struct {
		name string
		set  []string
	}{
		{"first order", []string{"strategy.order=1"}},
		{"second order", nil},
		{"corrected second order", []string{"alpha.corrected=true"}},
		{"half of the columns at a time", []string{"data.small_batch=2"}},
	} {
		t.Run("recurrent darts, "+test.name, func(t *testing.T) {
			nastest.TestStrategy(t, fixture.Load(t, "../testdata/tiny-text.yaml", test.set...))
		})
		if testing.Short() {
			break
		}
	}
}

func TestStrategiesOnGPU(t *testing.T) {
	// Strategies pass the suite on a GPU when there is one: the same bytes for the same seed and after interruptions, too.
	gpu := torchtest.CUDA(t)
	for _, test := range []struct {
		name, file string
		set        []string
	}{
		{"darts, second order", "tiny", []string{"strategy.order=2", "epochs=1"}},
		{"darts, plain form, bf16", "tiny", []string{"network.form=plain", "w.precision=bf16", "epochs=1"}},
		{"darts, fast form, tf32", "tiny", []string{"w.precision=tf32", "epochs=1"}},
		{"pc-darts", "tiny", []string{"strategy.name=pc-darts", "strategy.partial=2", "strategy.warmup=0", "network.channels=4", "epochs=1"}},
		{"gdas", "tiny", []string{"strategy.name=gdas", "epochs=1"}},
		{"enas", "tiny", []string{"strategy.name=enas", "strategy.controller.updates=2", "strategy.controller.aggregate=2", "strategy.candidates=2", "epochs=1"}},
		{"recurrent darts", "tiny-text", nil},
		{"recurrent darts, first order, half of the columns at a time", "tiny-text", []string{"strategy.order=1", "data.small_batch=2"}},
		{"recurrent darts, corrected, exact", "tiny-text", []string{"alpha.corrected=true", "alpha.hvp.method=exact"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			nastest.TestStrategyOn(t, fixture.Load(t, "../testdata/"+test.file+".yaml", test.set...), gpu)
		})
	}
}

func TestProgressive(t *testing.T) {
	// P-DARTS passes the suite when its stages have both forms of the supernet.
	nastest.TestStrategy(t, fixture.Load(t, "../testdata/tiny-p-darts.yaml"))
}

func TestRecurrentTrials(t *testing.T) {
	// The suite passes when recurrent cells are trained one by one.
	c, err := config.Parse("evolution", []byte(`
experiment: search
strategy: {name: evolution, trials: 3, evolution: {population: 2}}
data: {name: synthetic-text, tokens: 108, batch: 4, eval_batch: 2, test_batch: 2, bptt: 7, bptt_delta: 2}
network: {hidden: 5, nodes: 2}
epochs: 1
`))
	if err != nil {
		t.Fatal(err)
	}
	nastest.TestStrategy(t, c)
}

func TestHVPKeys(t *testing.T) {
	// A second-order search ends with another alpha when alpha.hvp says so, and with the same when it spells the default out.
	search := func(t *testing.T, set ...string) []float64 {
		dir := filepath.Join(t.TempDir(), "run")
		set = append(set, "strategy.order=2", "data.subset=48", "epochs=1")
		if _, err := search.Run(t.Context(), dir, fixture.Tiny(t, set...), nas.Settings{}); err != nil {
			t.Fatal(err)
		}
		return stateOf(t, dir, "alphas_normal")
	}
	standard := search(t)
	for _, test := range []struct {
		name string
		set  []string
		same bool
	}{
		{"the default", []string{"alpha.hvp.method=finite-difference", "alpha.hvp.radius=0.01"}, true},
		{"another radius", []string{"alpha.hvp.radius=1"}, false},
		{"exact", []string{"alpha.hvp.method=exact"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if same := slices.Equal(search(t, test.set...), standard); same != test.same {
				t.Errorf("alpha is the default's: %v, want %v", same, test.same)
			}
		})
	}
}

// stateOf is an entry of the checkpoint of a run.
func stateOf(t *testing.T, dir, entry string) []float64 {
	t.Helper()
	torchtest.Scope(t)
	x, err := torchtest.Golden(t, filepath.Join(dir, runfolder.CheckpointFile)).Load(entry, torch.Options{Dtype: torch.Float64})
	if err != nil {
		t.Fatal(err)
	}
	return x.Float64s()
}
