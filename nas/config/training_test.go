package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTrainingOfSearch(t *testing.T) {
	// A search trains what it finds the same way when a file, keys, or keys of earlier versions say how, and a later layer changes keys of an earlier file.
	dir := write(t, map[string]string{
		"train.yaml": "experiment: train\nseed: 9\ngenotype: DARTS_V1\ndata: {name: digits, batch: 64, cutout: 2}\nnetwork: {channels: 8}\nw: {lr: 0.5}\nepochs: 10\nexpect: {test_error: 3}",
		"file.yaml":  "experiment: search\nseed: 4\ndata: {name: digits}\nevaluate: {train: train.yaml, random: 2}",
		"keys.yaml":  "experiment: search\nseed: 4\ndata: {name: digits}\nevaluate: {random: 2, train: {data: {batch: 64, cutout: 2}, network: {channels: 8}, w: {lr: 0.5}, epochs: 10}}",
		"older.yaml": "experiment: search\nseed: 4\ndata: {name: digits}\nevaluate: {random: 2, batch: 64, cutout: 2, network: {channels: 8}, w: {lr: 0.5}, epochs: 10}",
		"over.yaml":  "extends: file.yaml\nevaluate: {train: {epochs: 11}}",
	})
	load := func(file string, set ...string) *Config {
		t.Helper()
		c, err := Load(filepath.Join(dir, file), set...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	want := load("keys.yaml")
	if e := want.Evaluate; e.Train.Epochs != 10 || e.Train.Data != (EvaluationData{64, 2}) || e.Train.W.LR != 0.5 || e.Random != 2 || want.Training().Seed != 4 {
		t.Errorf("the keys give %+v", e)
	}
	for _, c := range []*Config{load("file.yaml"), load("older.yaml"), load("over.yaml", "evaluate.train.epochs=10"), load("over.yaml", "evaluate.epochs=10")} {
		if diff := cmp.Diff(want, c); diff != "" {
			t.Error(diff)
		}
	}
	if c := load("over.yaml"); c.Evaluate.Train.Epochs != 11 || c.Evaluate.Train.W.LR != 0.5 {
		t.Errorf("over a file: %+v", c.Evaluate)
	}
	for set, text := range map[string]string{
		"data.name=cifar10":                 "config: D/train.yaml:4: evaluate.train.data.name: \"digits\", but the trainings of a search have \"cifar10\"",
		"evaluate.train=x.yaml":             "config: --set evaluate.train=x.yaml: evaluate.train: config: open D/x.yaml: no such file",
		"evaluate.train=file.yaml":          "config: --set evaluate.train=file.yaml: evaluate.train: D/file.yaml is a search experiment, want a train experiment",
		"evaluate.train.epoch=3":            `config: --set evaluate.train.epoch=3: unknown key "epoch" (nearest: "epochs")`,
		"evaluate.train.network.channels=7": "config: --set evaluate.train.network.channels=7: evaluate.train.network.channels: given 7, want an even number",
		"evaluate.train.data.subset=7":      "config: --set evaluate.train.data.subset=7: evaluate.train.data.subset: 7, but the trainings of a search have 0",
	} {
		if _, err := Load(filepath.Join(dir, "file.yaml"), set); err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), dir, "D"), text) {
			t.Errorf("%s: got %v\nwant %s", set, err, text)
		}
	}
}

func TestTrainingOfSets(t *testing.T) {
	// A protocol and a comparison train what they find the same way when a file, a file with keys over it, or the key of earlier versions says how; keys without a file take the search's data.
	files := map[string]string{
		"search.yaml": "experiment: search\nseed: 4\ndata: {name: digits, subset: 64, batch: 12}\nnetwork: {dtype: float64}",
		"train.yaml":  "experiment: train\nseed: 9\ndata: {name: digits, batch: 16}\nepochs: 3",
	}
	protocol := "experiment: repeat\nrepeat: {search: search.yaml, brief: {epochs: 1}"
	comparison := "experiment: compare\ncompare: {search: search.yaml, strategies: [[strategy.name=darts]]"
	for _, head := range []string{protocol, comparison} {
		older := "repeat"
		if head == comparison {
			older = "compare"
		}
		load := func(text string, set ...string) *Config {
			t.Helper()
			files["x.yaml"] = text
			path := filepath.Join(write(t, files), "x.yaml")
			if head == protocol {
				w, err := LoadWhole(path, set...)
				if err != nil {
					t.Fatal(err)
				}
				return w.Train
			}
			c, err := LoadNetworkComparison(path, set...)
			if err != nil {
				t.Fatal(err)
			}
			return c.Train
		}
		want := load(head + "}\nevaluate: {train: train.yaml}")
		if want.Seed != 9 || want.Data.Batch != 16 || want.Data.Subset != 0 || want.Epochs != 3 {
			t.Errorf("the file gives %+v", want)
		}
		for _, c := range []*Config{
			load(head + ", train: train.yaml}"),
			load(head+"}\nevaluate: {train: {extends: train.yaml, epochs: 4}}", "train.epochs=3"),
			load(head+"}\nevaluate: {train: {extends: train.yaml, epochs: 4}}", "evaluate.train.epochs=3"),
			load(head+"}\nevaluate: {train: other.yaml}", older+".train=train.yaml"),
		} {
			if diff := cmp.Diff(want, c); diff != "" {
				t.Error(diff)
			}
		}
		inline := load(head + "}\nevaluate: {train: {data: {batch: 16}, epochs: 3, seed: 9}}")
		want.Data.Subset, want.Network.Dtype = 64, Float64
		if diff := cmp.Diff(want, inline); diff != "" {
			t.Error(diff)
		}
	}
}
