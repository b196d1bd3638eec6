package nas_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/plan"
	"godarts/nas/search"
	"godarts/nas/train"
)

// refused runs c, which must not start, and returns its error.
func refused(t *testing.T, c *config.Config) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	var err error
	if c.Experiment == config.Train {
		_, err = train.Run(t.Context(), dir, c, nas.Settings{})
	} else {
		_, err = search.Run(t.Context(), dir, c, nas.Settings{})
	}
	if _, began := os.Stat(dir); began == nil {
		t.Error("the run has begun")
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestOddSides(t *testing.T) {
	// Every search is refused at the start when a side would be odd where a factorized reduction halves it.
	const odd = "cells: network: images of 50x50 reach the reduction in cell 3 as 25x25, want an even size there"
	wide := []string{"data.name=synthetic", "data.size=50", "data.subset=8", "data.batch=2", "network.channels=8", "network.layers=5"}
	for _, strategy := range []string{"darts", "p-darts", "pc-darts", "gdas", "enas", "rsps", "random", "evolution", "reinforce"} {
		set := append([]string{"strategy.name=" + strategy}, wide...)
		if strategy == "p-darts" {
			c, err := config.Parse("test", []byte("experiment: search\nstrategy: {name: p-darts, layers: [3, 5, 4]}\ndata: {name: synthetic, size: 50, subset: 8, batch: 2}\n"+
				"network: {channels: 8, nodes: 1}\nepochs: 3\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := refused(t, c); got != odd && !strings.HasSuffix(got, "reach the reduction in cell 2 as 25x25, want an even size there") {
				t.Errorf("%s: got error %q", strategy, got)
			}
			continue
		}
		if got := refused(t, fixture.Tiny(t, set...)); got != odd {
			t.Errorf("%s: got error %q, want %s", strategy, got, odd)
		}
	}
	if got := refused(t, fixture.Tiny(t, append(wide, "strategy.selection=perturbation")...)); got != odd {
		t.Errorf("selection by perturbation: got error %q", got)
	}
	// In a network of three cells only skip connections see the odd side: the refusal depends on the space, not on the cells that are drawn.
	three := []string{"strategy.name=random", "strategy.trials=1", "data.name=synthetic", "data.size=6", "data.subset=16", "epochs=0"}
	if got := refused(t, fixture.Tiny(t, three...)); got != "cells: network: images of 6x6 reach the reduction in cell 2 as 3x3, want an even size there" {
		t.Errorf("random: got error %q", got)
	}
	c := fixture.Tiny(t, append(three, "space.operations=[sep_conv_3x3, max_pool_3x3]")...)
	if _, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{}); err != nil {
		t.Errorf("without skip connections: %v", err)
	}
	evaluated := fixture.Tiny(t, "data.name=synthetic", "data.size=6", "space.operations=[sep_conv_3x3, max_pool_3x3]",
		"evaluate.network.channels=2", "evaluate.network.layers=4")
	if got := refused(t, evaluated); got != "cells: network: images of 6x6 reach the reduction in cell 2 as 3x3, want an even size there" {
		t.Errorf("evaluation: got error %q", got)
	}
}

func TestLastBatch(t *testing.T) {
	// A run is refused at the start when a batch in training would have one image where a batch norm has maps of 1x1.
	common := []string{"data.name=synthetic", "data.subset=24", "data.batch=12"}
	with := func(more ...string) []string { return append(append([]string{}, common...), more...) }
	const auxiliary = "data.name=synthetic data.subset=33 network.auxiliary=true"
	for _, test := range []struct {
		name, file string
		set        []string
		want       string // the key; empty if the run can go
	}{
		{"auxiliary head", "tiny-train", strings.Fields(auxiliary + " data.batch=32"), "data.batch"},
		{"auxiliary head, batches of one", "tiny-train", strings.Fields(auxiliary + " data.batch=1"), "data.batch"},
		{"auxiliary head, none alone", "tiny-train", strings.Fields(auxiliary + " data.batch=31"), ""},
		{"held out alone", "tiny-train", strings.Fields("data.name=synthetic data.subset=33 network.auxiliary=true data.batch=32 data.train_portion=0.97"), ""},
		{"1x1", "tiny-train", strings.Fields("data.name=synthetic data.size=4 data.subset=33 data.batch=32 network.layers=4"), "data.batch"},
		{"2x2", "tiny-train", strings.Fields("data.name=synthetic data.size=8 data.subset=33 data.batch=32"), ""},
		{"search, 1x1", "tiny", with("data.size=4", "data.batch=11"), "data.batch"},
		{"search, 2x2", "tiny", with("data.size=8", "data.batch=11"), ""},
		{"search, the rest alone", "tiny", with("data.size=4", "data.subset=25", "data.train_portion=0.96"), "data.batch"},
		{"search by samples, the rest alone", "tiny", with("data.size=4", "data.subset=25", "data.train_portion=0.5", "strategy.name=enas", "data.batch=12"), "data.batch"},
		{"search by samples, measured in running statistics", "tiny",
			with("data.size=4", "data.subset=25", "data.train_portion=0.5", "strategy.name=rsps", "data.batch=12", "strategy.candidates=1", "strategy.finalists=1"), ""},
		{"trial", "tiny", with("data.size=4", "data.subset=26", "strategy.name=random", "strategy.trials=1"), "data.batch"},
		{"evaluation", "tiny", with("data.size=4", "data.subset=24", "evaluate.batch=23", "evaluate.network.channels=2", "evaluate.network.layers=3"), "evaluate.train.data.batch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := fixture.Load(t, "testdata/"+test.file+".yaml", append(test.set, "epochs=0")...)
			if test.want != "" {
				got := refused(t, c)
				if !strings.HasPrefix(got, "nas: "+test.want+": ") || !strings.Contains(got, "this network has batch norms of 1x1 pixels, which need two") {
					t.Errorf("got error %q", got)
				}
				return
			}
			c.Epochs = 1
			dir := filepath.Join(t.TempDir(), "run")
			var err error
			if c.Experiment == config.Train {
				_, err = train.Run(t.Context(), dir, c, nas.Settings{})
			} else {
				_, err = search.Run(t.Context(), dir, c, nas.Settings{})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPartsChecked(t *testing.T) {
	// A protocol and a comparison are refused before their first part begins when a later one could not run.
	const search = "experiment: search\ndata: {name: digits, subset: 24, batch: 12}\nnetwork: {channels: 2, layers: 3, nodes: 1}\nepochs: 0\n"
	whole := fixture.WholeOf(t, search, "experiment: train\ndata: {name: synthetic, size: 4, subset: 24, batch: 11}\nnetwork: {channels: 2, layers: 3}\nepochs: 1\n")
	began := nas.Hooks{OnStart: func(*nas.Run) error { t.Error("a part has begun"); return nil }}
	s := nas.Settings{Hooks: []nas.Hooks{began}}
	dir := filepath.Join(t.TempDir(), "protocol")
	_, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{Settings: s})
	if err == nil || !strings.HasPrefix(err.Error(), "nas: repeat.brief: nas: data.batch: 11 leaves one of 12 training images for the last batch") {
		t.Errorf("protocol: got error %v", err)
	}
	odd := fixture.Tiny(t, "data.name=synthetic", "data.size=50", "network.layers=5")
	comparison := &config.NetworkComparison{Compare: config.Defaults(config.Comparison), Searches: []*config.Config{fixture.Tiny(t), odd}, Names: []string{"one", "two"}, Train: fixture.Load(t, "testdata/tiny-train.yaml")}
	_, err = plan.Compare(t.Context(), dir, comparison, plan.ComparisonSettings{Settings: plan.Settings{Settings: s}, Search: func(context.Context, string, *config.Config) (plan.Cost, error) {
		t.Error("a search has begun")
		return plan.Cost{}, errors.New("begun")
	}})
	if err == nil || !strings.HasPrefix(err.Error(), "nas: compare.search: strategy two: cells: network: images of 50x50 reach") {
		t.Errorf("comparison: got error %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there")
	}
}

// computed returns the processor time of this process, which other processes do not change.
func computed(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func TestAbsurdSizes(t *testing.T) {
	// A run starts, or ends with one line, within a second of computing, when any key has a value too large for every machine.
	const images = "\ndata: {name: synthetic, size: 8, subset: 24, batch: 12}\nnetwork: {channels: 4, layers: 3, nodes: 1}\nepochs: 1\n"
	const text = "\ndata: {name: synthetic-text, tokens: 108, batch: 4, eval_batch: 2, bptt: 7}\nepochs: 1\n"
	experiments := map[string]string{
		"train":    "experiment: train\ndata: {name: synthetic, size: 8, subset: 24, batch: 12}\nnetwork: {channels: 2, layers: 3}\nepochs: 1\n",
		"evaluate": "experiment: search\nevaluate: {batch: 12, epochs: 1, network: {channels: 2, layers: 3}}" + images,
		"p-darts": "experiment: search\nstrategy: {name: p-darts, layers: [3, 3, 3]}\ndata: {name: synthetic, size: 8, subset: 24, batch: 12}\n" +
			"network: {channels: 2, nodes: 1}\nepochs: 3\n",
		"text search": "experiment: search\nnetwork: {hidden: 5, nodes: 2}" + text,
		"text train":  "experiment: train\nnetwork: {hidden: 5}" + text,
		"text random": "experiment: search\nstrategy: {name: random, trials: 2}\nnetwork: {hidden: 5, nodes: 2}" + text,
	}
	for _, name := range []string{"pc-darts, partial: 2", "gdas", "enas", "rsps", "random", "evolution", "reinforce"} {
		experiments[name] = "experiment: search\nstrategy: {name: " + name + "}" + images
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	var longest time.Duration
	defer func() { t.Logf("the longest took %v", longest) }()
	for name, text := range experiments {
		file := filepath.Join(t.TempDir(), "test.yaml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, line := range config.Keys() {
			key, _, _ := strings.Cut(line, " ")
			for _, value := range []string{"2147483647", "2147483646", "[2147483647, 2147483647, 2147483647]"} {
				c, err := config.Load(file, key+"="+value)
				began := computed(t)
				if err == nil {
					dir := filepath.Join(t.TempDir(), "run")
					if c.Experiment == config.Train {
						_, err = train.Run(done, dir, c, nas.Settings{})
					} else {
						_, err = search.Run(done, dir, c, nas.Settings{})
					}
				}
				if err == nil || strings.Contains(err.Error(), "\n") || strings.HasPrefix(err.Error(), "torch: ") {
					t.Errorf("%s, %s=%s: got error %v", name, key, value, err)
				}
				took := computed(t) - began
				if took > time.Second {
					t.Errorf("%s, %s=%s took %v", name, key, value, took)
				}
				longest = max(longest, took)
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	// When the machine cannot hold a network, the error says how much memory it needs, how much there is, and the key to lower.
	for _, test := range []struct {
		file, set, want string
	}{
		{"tiny", "network.channels=2147483646", `nas: network.channels: 2147483646 makes a network that takes `},
		{"tiny", "network.stem_multiplier=2147483647", `nas: network.stem_multiplier: 2147483647 makes a network that takes `},
		{"tiny-train", "network.channels=2147483646", `nas: network.channels: 2147483646 makes a network that takes `},
		{"tiny-text", "network.hidden=2147483647", `nas: network.hidden: 2147483647 makes a network that takes `},
		{"tiny-text-train", "network.hidden=2147483647", `nas: network.hidden: 2147483647 makes a network that takes `},
	} {
		got := refused(t, fixture.Load(t, "testdata/"+test.file+".yaml", test.set))
		if !strings.HasPrefix(got, test.want) || !strings.Contains(got, " of memory or more, of ") || !strings.HasSuffix(got, " here: want less") {
			t.Errorf("%s: got error %q, want %s...", test.set, got, test.want)
		}
	}
}
