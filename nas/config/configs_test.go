package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const configFolder = "../../configs"

// untwinned are the configs that need no toy, and why.
var untwinned = map[string]string{
	"quickstart.yaml":            "is no published experiment and runs on a CPU as it is",
	"compare-digits.yaml":        "is no published experiment and runs on a CPU as it is",
	"compare-digits-search.yaml": "is a part of compare-digits.yaml",
	"compare-digits-train.yaml":  "is a part of compare-digits.yaml",
	"sweep-digits.yaml":          "is no published experiment and runs on a CPU as it is",
	"sweep-digits-search.yaml":   "is a part of sweep-digits.yaml",

	"sweep-digits-cost.yaml":        "is no published experiment and runs on a CPU as it is",
	"sweep-digits-cost-search.yaml": "is a part of sweep-digits-cost.yaml",
}

// unpublished are the configs with a toy that reproduce no result, and why.
var unpublished = map[string]string{
	"imagefolder-search.yaml": "is for images of the user's own",
	"imagefolder-train.yaml":  "is for images of the user's own",
}

// sizeKeys are what a toy may override: sizes, and what follows from them.
var sizeKeys = []string{
	"data.name", "data.root", // a folder of images becomes stripes
	"data.subset", "data.batch",
	"data.cutout",       // a part of the image's side
	"network.auxiliary", // needs 32x32 images
	"network.channels", "network.layers",
	"data.tokens", "network.hidden",
	"epochs",
	"strategy.warmup", "strategy.perturbation.interval", // parts of the epochs
	"strategy.candidates", "strategy.score_batches", "strategy.finalists",
	"strategy.controller.updates", "strategy.controller.aggregate",
	"strategy.layers",
	"repeat.search", "evaluate.train", // to the toys of the same
	"repeat.searches", "repeat.trains", "repeat.brief.epochs",
	"compare.table", "compare.seeds", "compare.queries",
	"strategy.trials", "strategy.evolution.population",
}

// yamlFiles are the names of the files in configs.
func yamlFiles(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(configFolder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() == "configs.go" { // puts the others into the program
			continue
		}
		if filepath.Ext(e.Name()) != ".yaml" {
			t.Errorf("%s is no YAML file", e.Name())
		}
		names = append(names, e.Name())
	}
	if len(names) == 0 {
		t.Fatal("no configs")
	}
	return names
}

func TestConfigs(t *testing.T) {
	// Every config loads, and says how to run it and what it reproduces, when configs/ is walked.
	names := yamlFiles(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			c, err := Load(filepath.Join(configFolder, name))
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(configFolder, name))
			if err != nil {
				t.Fatal(err)
			}
			if c.Experiment == Comparison {
				if _, err := LoadNetworkComparison(filepath.Join(configFolder, name)); err != nil {
					t.Error(err)
				}
			}
			if c.Experiment == Sweep {
				if _, err := LoadSweep(filepath.Join(configFolder, name)); err != nil {
					t.Error(err)
				}
			}
			if command := "\n# darts " + c.Experiment + " configs/" + name; !strings.Contains(string(text), command) {
				t.Errorf("no line %q", command[1:])
			}
			if strings.HasSuffix(name, ".toy.yaml") || untwinned[name] != "" {
				return
			}
			if (!strings.Contains(string(text), "\n# Paper: ") || source(c) == "") && unpublished[name] == "" {
				t.Error("no published result with its source")
			}
			if toy := strings.TrimSuffix(name, ".yaml") + ".toy.yaml"; !slices.Contains(names, toy) {
				t.Errorf("no toy twin %s", toy)
			}
		})
	}
}

// source is where the result was published that c reproduces.
func source(c *Config) string {
	switch {
	case c.Compare.Expect != nil:
		return c.Compare.Expect.Source
	case c.Expect != nil:
		return c.Expect.Source
	}
	return ""
}

func TestToys(t *testing.T) {
	// A toy extends its twin, changes only sizes and stays small when it is compared with the twin.
	for _, name := range yamlFiles(t) {
		paper, ok := strings.CutSuffix(name, ".toy.yaml")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(configFolder, name))
			if err != nil {
				t.Fatal(err)
			}
			l := newLayers()
			if err := l.addFile(name, text, 0); err != nil {
				t.Fatal(err)
			}
			if l.extends == nil || l.extends.node.Value != paper+".yaml" {
				t.Errorf("does not extend %s.yaml", paper)
			}
			for path := range l.values {
				if !slices.Contains(sizeKeys, path) {
					t.Errorf("overrides %s, which is no size", path)
				}
			}
			c, err := Load(filepath.Join(configFolder, name))
			if err != nil {
				t.Fatal(err)
			}
			switch c.Experiment {
			case Repeat:
				testToyProtocol(t, name, paper)
				return
			case Comparison:
				if c.Compare.Table != SyntheticTable || c.Compare.Seeds > 20 || c.Compare.Queries > 50 || c.Compare.Expect != nil {
					t.Errorf("too large for a toy, or expects the paper's result: %+v", c.Compare)
				}
				return
			}
			if c.Expect != nil {
				t.Error("expects the paper's result")
			}
			if c.Data.IsText() {
				if c.Data.Name != "synthetic-text" || c.Data.Tokens == 0 || c.Data.Tokens > 1000 || c.Epochs > 2 || c.Network.Hidden > 16 {
					t.Errorf("too large for seconds on a CPU: data %+v, epochs %d, network %+v", c.Data, c.Epochs, c.Network)
				}
				return
			}
			most, layers := 2, c.Network.Layers                         // epochs
			if stages := numbers(c, "strategy.layers"); stages != nil { // an epoch for each
				most, layers = len(stages), slices.Max(stages)
			}
			if c.Data.Name != "digits" && c.Data.Name != "synthetic" || c.Data.Subset == 0 || c.Data.Subset > 128 || c.Epochs > most || c.Network.Channels > 2*max(2, slices.Max(append(numbers(c, "strategy.partial"), 0))) || layers > 3 {
				t.Errorf("too large for seconds on a CPU: data %+v, epochs %d, network %+v", c.Data, c.Epochs, c.Network)
			}
		})
	}
}

// numbers are the values of a key of whole numbers; nil if c has not got it.
func numbers(c *Config, path string) (values []int) {
	for _, k := range current.Load().keys {
		field, ok := k.field(c)
		switch {
		case k.path != path || !ok || !k.has(c):
		case field.Kind() == reflect.Array:
			for i := range field.Len() {
				values = append(values, int(field.Index(i).Int()))
			}
		default:
			values = append(values, int(field.Int()))
		}
	}
	return values
}

// testToyProtocol checks that a toy repeats the toys of what its twin repeats, seldom.
func testToyProtocol(t *testing.T, name, paper string) {
	toy, err := LoadWhole(filepath.Join(configFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	twin, err := LoadWhole(filepath.Join(configFolder, paper+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	toyOf := func(file string) string { return strings.TrimSuffix(file, ".yaml") + ".toy.yaml" }
	r, full := toy.Repeat.Repeat, twin.Repeat.Repeat
	train, fullTrain := toy.Repeat.Evaluate.File, twin.Repeat.Evaluate.File
	if r.Search != toyOf(full.Search) || train != toyOf(fullTrain) {
		t.Errorf("repeats %s and %s, want the toys of %s and %s", r.Search, train, full.Search, fullTrain)
	}
	if r.Searches > 2 || r.Trains > 2 || r.Brief.Epochs > 2 {
		t.Errorf("too large for seconds on a CPU: %+v", r)
	}
	if toy.Repeat.Expect != nil {
		t.Error("expects the paper's result")
	}
}

func TestPaperConfigs(t *testing.T) {
	// A paper config differs from the authors' defaults only in what its published command turns on when it is resolved.
	tests := []struct {
		name string
		want []string
	}{
		{"cifar10-darts-first.yaml", []string{"expect: set here, not set there"}},
		{"cifar10-darts-second.yaml", []string{"strategy.order: 2 here, 1 there", "expect: set here, not set there"}},
		{"protocol-cifar10-first.yaml", []string{`repeat.search: "cifar10-darts-first.yaml" here, "" there`, "evaluate: set here, not set there", "expect: set here, not set there"}},
		{"protocol-cifar10-second.yaml", []string{`repeat.search: "cifar10-darts-second.yaml" here, "" there`, "evaluate: set here, not set there", "expect: set here, not set there"}},
		{"cifar10-train.yaml", []string{"data.cutout: 16 here, 0 there", "network.auxiliary: true here, false there", "expect: set here, not set there"}},
		{"nasbench201.yaml", []string{"compare.expect: set here, not set there"}},
		// The authors' cnn/train_imagenet.py has defaults of its own.
		{"imagenet-train.yaml", []string{
			`data.name: "imagefolder" here, "cifar10" there`, `data.root: "imagenet" here, "" there`, "data.batch: 128 here, 96 there",
			`data.augment: "imagenet" here, "crop" there`, "data.size: 224 here, 0 there",
			"network.channels: 48 here, 36 there", "network.layers: 14 here, 20 there", `network.stem: "imagenet" here, "cifar" there`,
			"network.auxiliary: true here, false there", "network.drop_path: 0 here, 0.2 there", "network.label_smoothing: 0.1 here, 0 there",
			"w.lr: 0.1 here, 0.025 there", `w.schedule: "step" here, "cosine" there`, "w.weight_decay: 3e-05 here, 0.0003 there",
			"epochs: 250 here, 600 there", "expect: set here, not set there",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := Load(filepath.Join(configFolder, test.name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, Diff(c, Defaults(c.Experiment), "here", "there")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
