package nas_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch/torchtest"
)

// keyed is a run and other values for some of its keys.
type keyed struct {
	name, file string
	set        []string
	keys       map[string]string
}

// little makes a run take some hundredths of a second.
var little = []string{"data.subset=24", "network.nodes=1", "space.operations=[none, skip_connect, sep_conv_3x3, max_pool_3x3]"}

var keyedRuns = []keyed{
	{"darts", "tiny.yaml", little, map[string]string{
		"strategy.order": "2", "strategy.selection": "perturbation", "data.train_portion": "0.75", "data.batch": "6", "data.subset": "30",
		"data.cutout": "4", "data.augment": "none", "data.std": "0.7", "network.channels": "4", "network.layers": "4", "network.stem_multiplier": "2",
		"network.dtype": "float64", "w.lr": "0.1", "w.lr_min": "0.01", "w.momentum": "0", "w.nesterov": "true", "w.weight_decay": "0.1",
		"w.grad_clip": "0.1", "w.precision": "bf16", "w.schedule": "restarts", "alpha.lr": "0.1",
		"alpha.betas": "[0.9, 0.9]", "alpha.weight_decay": "0.5", "seed": "4",
		"epochs": "3", "data.name": "synthetic", "space.operations": "[skip_connect, sep_conv_3x3]",
	}},
	{"darts, more nodes", "tiny.yaml", little[:1], map[string]string{
		"network.nodes": "1", "space.normal": "[[skip_connect], [sep_conv_3x3], [skip_connect], [skip_connect], [sep_conv_5x5]]",
		"space.reduce": "[[skip_connect], [sep_conv_3x3], [skip_connect], [skip_connect], [sep_conv_5x5]]",
	}},
	{"darts, four nodes", "tiny.yaml", []string{"network.nodes=4", "epochs=1", "data.subset=12"}, map[string]string{"space.name": "s1"}},
	{"darts, step", "tiny.yaml", append(little, "w.schedule=step"), map[string]string{"w.lr_decay": "0.5"}},
	{"darts, restarts", "tiny.yaml",
		append(little, "w.schedule=restarts", "w.restart=1", "epochs=3", "w.restart_factor=2"),
		map[string]string{"w.restart": "2", "w.restart_factor": "1"}},
	{"darts, perturbation", "tiny.yaml",
		append(little, "strategy.selection=perturbation", "strategy.perturbation.interval=1", "epochs=1"),
		map[string]string{
			"strategy.perturbation.interval": "2", "strategy.perturbation.lr": "0.3",
		}},
	{"darts, cost", "tiny.yaml", append(little, "alpha.cost.weight=1"), map[string]string{
		"alpha.cost.weight": "2", "alpha.cost.of": "parameters", "alpha.cost.target": "1000",
	}},
	{"p-darts", "tiny-p-darts.yaml", []string{"data.subset=32", "data.batch=8", "network.nodes=1", "epochs=6"}, map[string]string{
		"strategy.layers": "[3, 4, 5]", "strategy.drop": "[1, 1]", "strategy.skip_dropout": "[0, 0.1, 0.1]", "strategy.warmup": "1",
	}},
	{"pc-darts", "tiny.yaml",
		append(little, "strategy.name=pc-darts", "network.channels=8", "strategy.partial=4", "strategy.warmup=0"),
		map[string]string{
			"strategy.partial": "2", "strategy.warmup": "1",
		}},
	{"gdas", "tiny.yaml", append(little, "strategy.name=gdas", "network.layers=3"), map[string]string{"strategy.tau": "[10, 1]"}},
	{"enas", "tiny.yaml",
		append(little[:2:2], "strategy.name=enas", "strategy.controller.updates=2", "strategy.controller.aggregate=1", "strategy.candidates=1"),
		map[string]string{
			"strategy.controller.updates": "3", "strategy.controller.aggregate": "2", "strategy.controller.lr": "0.1", "strategy.controller.entropy": "0.1",
			"strategy.controller.squash": "3",
		}},
	{"evolution", "tiny.yaml",
		append(little, "strategy.name=evolution", "strategy.trials=6", "strategy.evolution.population=2", "strategy.evolution.sample=1", "epochs=1"),
		map[string]string{
			"strategy.trials": "4", "strategy.evolution.population": "3", "strategy.evolution.sample": "5", "strategy.cost.of": "parameters",
		}},
	{"reinforce", "tiny.yaml",
		append(little[:2:2], "strategy.name=reinforce", "strategy.trials=8", "epochs=1", "strategy.reinforce.lr=2"),
		map[string]string{
			"strategy.reinforce.lr": "0.001", "strategy.reinforce.momentum": "0",
		}},
	{"training", "tiny-train.yaml", little[:1], map[string]string{
		"data.cutout": "2", "network.channels": "4", "network.layers": "4", "network.stem_multiplier": "2",
		"network.dtype": "float64", "network.drop_path": "0.6",
		"network.label_smoothing": "0.2", "w.lr": "0.1", "w.lr_min": "0.01", "w.momentum": "0", "w.nesterov": "true",
		"w.weight_decay": "0.1", "w.grad_clip": "0.1",
		"w.precision": "bf16", "genotype": "DARTS_V1", "data.train_portion": "0.5", "seed": "4", "epochs": "3", "data.augment": "none",
	}},
	{"training of a pruned network", "tiny-train.yaml", append(little[:1:1], "network.channels=4"), map[string]string{
		"pruned.epoch": "1",
		"pruned.widths": `'{"stem":[3],"cells":[{"states":[[2,2],[2,2],[2,2],[2,2],[2,2],[2,2]],"inner":[4,4,4,4,4,0,0,0]},` +
			`{"states":[[4,4],[4,4],[4,4],[4,4],[4,4],[4,4]],"inner":[0,0,0,0,0,0,0,0]},{"states":[[8,8],[8,8],[8,8],[8,8],[8,8],[8,8]],"inner":[0,0,0,0,0,0,0,0]}]}'`,
	}},
	{"training with the auxiliary head", "tiny-train.yaml",
		[]string{"data.name=synthetic", "data.subset=4", "data.batch=2", "epochs=1", "network.auxiliary=true"},
		map[string]string{
			"network.auxiliary": "false", "network.auxiliary_weight": "0.9",
		}},
}

func TestImageKeys(t *testing.T) {
	// A run on images ends with other weights, α, cells or losses when a key changes.
	// The tests of what is found are of the candidates, scores and finalists, and of the limits of skips. With -short each run changes two keys.
	from := "quantise.from=" + nastest.TrainedRun(t)
	integers := keyed{"training in integers", "tiny-train.yaml", []string{from, "network.drop_path=0", "epochs=1", "w.lr=0.001"}, map[string]string{
		"quantise.method": "min-max", "quantise.images": "3", "quantise.range": "reduced", "network.label_smoothing": "0.2",
	}}
	for _, run := range append(slices.Clone(keyedRuns), integers) {
		t.Run(run.name, func(t *testing.T) {
			standard := ending(t, run, "")
			for _, key := range fixture.Fewer(slices.Sorted(maps.Keys(run.keys))) {
				if ending(t, run, key+"="+run.keys[key]) == standard {
					t.Errorf("%s=%s changes nothing", key, run.keys[key])
				}
			}
		})
	}
}

func TestKeysOfWeights(t *testing.T) {
	// A training ends with other weights when it begins with those of a file, and when what is 0 in them stays 0.
	c := pruned(t, prune.Magnitude)
	run := keyed{"training", "tiny-train.yaml", append(little[:1:1], "network.channels=4"), nil}
	fresh := ending(t, run, "")
	run.set = append(run.set, "pruned.weights="+c.Pruned.Weights)
	begun := ending(t, run, "")
	if begun == fresh {
		t.Error("pruned.weights changes nothing")
	}
	if ending(t, run, "pruned.mask=true") == begun {
		t.Error("pruned.mask changes nothing")
	}
}

// ending returns what a run found, measured and learned, without its settings.
func ending(t *testing.T, of keyed, item string) string {
	t.Helper()
	set := of.set
	if item != "" {
		set = append(slices.Clone(set), item)
	}
	c := fixture.Load(t, "testdata/"+of.file, set...)
	dir := filepath.Join(t.TempDir(), "run")
	var found any
	var err error
	if c.Experiment == config.Train {
		found, err = train.Run(t.Context(), dir, c, nas.Settings{})
	} else {
		found, err = search.Run(t.Context(), dir, c, nas.Settings{})
	}
	if err != nil {
		t.Fatalf("%s: %v", item, err)
	}
	hash := sha256.New()
	if err := json.NewEncoder(hash).Encode(found); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(fixture.Content(t, dir, "metrics.jsonl"))) {
		var losses struct {
			Train float64 `json:"train_loss"`
			Valid float64 `json:"valid_loss"`
		}
		if err := json.Unmarshal([]byte(line), &losses); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(hash, losses)
	}
	torchtest.Scope(t)
	state, err := torchtest.Golden(t, filepath.Join(dir, runfolder.CheckpointFile)).LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(state)) {
		if !strings.HasPrefix(name, "optimizer.") && !strings.HasPrefix(name, "controller.adam.") {
			fmt.Fprintln(hash, name, state[name].Shape(), state[name].Float64s())
		}
	}
	return string(hash.Sum(nil))
}
