package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// protocolFiles are a protocol and what it names.
func protocolFiles() map[string]string {
	return map[string]string{
		"p.yaml": "experiment: repeat\nrepeat: {search: s.yaml, searches: 3, brief: {epochs: 5}}\nevaluate: {train: t.yaml}\nexpect: {test_error: 1}",
		"s.yaml": "experiment: search\nseed: 4\ndata: {root: /d}",
		"t.yaml": "experiment: train\nepochs: 7\nexpect: {test_error: 2}",
	}
}

func TestLoadWhole(t *testing.T) {
	// LoadWhole gives the experiments that the protocol names, with the items meant for each, when they are files beside it.
	dir := write(t, protocolFiles())
	w, err := LoadWhole(filepath.Join(dir, "p.yaml"), "repeat.trains=2", "search.epochs=9", "train.w.lr=0.5", "search.w.lr=0.25")
	if err != nil {
		t.Fatal(err)
	}
	repeat, search, train := Defaults(Repeat), Defaults(Search), Defaults(Train)
	repeat.Repeat = Protocol{Search: "s.yaml", Searches: 3, Trains: 2, Brief: Brief{Epochs: 5, TrainPortion: 0.5}}
	repeat.Evaluate = &Evaluate{File: "t.yaml"}
	repeat.Expect = &Expect{TestError: 1, Changed: []string{"repeat.trains", "search.w.lr", "search.epochs", "train.w.lr"}}
	train.Expect = &Expect{TestError: 2, Changed: []string{"w.lr"}}
	search.Seed, search.Data.Root, search.Epochs, search.W.LR = 4, "/d", 9, 0.25
	train.Epochs, train.W.LR = 7, 0.5
	if diff := cmp.Diff(&Whole{repeat, search, train}, w); diff != "" {
		t.Error(diff)
	}
	brief := Defaults(Train)
	brief.Epochs, brief.W.LR, brief.Data.TrainPortion = 5, 0.5, 0.5
	if diff := cmp.Diff(brief, w.Brief()); diff != "" {
		t.Error(diff)
	}
}

func TestWholeExperiments(t *testing.T) {
	// LoadWhole reads back what Experiments gives, apart from where it came from.
	w, err := LoadWhole(filepath.Join(write(t, protocolFiles()), "p.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := Files(w.Experiments())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for name, text := range files {
		texts[name] = string(text)
	}
	got, err := LoadWhole(filepath.Join(write(t, texts), WholeFile))
	if err != nil {
		t.Fatal(err)
	}
	w.Repeat.Repeat.Search, w.Repeat.Evaluate.File = "search.yaml", "train.yaml"
	if diff := cmp.Diff(w, got); diff != "" {
		t.Error(diff)
	}
}

func TestDiffExperiments(t *testing.T) {
	// DiffExperiments names each key that differs, and the experiment it is of, when protocols differ in more than places and expectations.
	load := func(changed map[string]string) *Whole {
		files := protocolFiles()
		for name, text := range changed {
			files[name] = text
		}
		w, err := LoadWhole(filepath.Join(write(t, files), "p.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	own := load(nil)
	for _, test := range []struct {
		name, file, old, new string
		want                 []string
	}{
		{"nothing", "s.yaml", "", "", nil},
		{"root", "s.yaml", "/d", "/e", nil},
		{"expectation", "p.yaml", "test_error: 1", "test_error: 2", nil},
		{"number of searches", "p.yaml", "searches: 3", "searches: 4", []string{"repeat.searches: 3 stored, 4 given"}},
		{"short training", "p.yaml", "epochs: 5", "epochs: 6", []string{"repeat.brief.epochs: 5 stored, 6 given"}},
		{"search", "s.yaml", "seed: 4", "seed: 5\nepochs: 2", []string{"search.epochs: 50 stored, 2 given", "search.seed: 4 stored, 5 given"}},
		{"training", "t.yaml", "epochs: 7", "epochs: 8", []string{"train.epochs: 7 stored, 8 given"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			other := load(map[string]string{test.file: strings.Replace(protocolFiles()[test.file], test.old, test.new, 1)})
			if diff := cmp.Diff(test.want, DiffExperiments(own.Experiments(), other.Experiments(), "stored", "given")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadWholeErrors(t *testing.T) {
	// LoadWhole names the protocol, its key and what is wrong when what it names is missing or makes no protocol.
	for _, test := range []struct {
		name, file, old, new string
		set                  []string
		want                 string
	}{
		{"missing search", "p.yaml", "s.yaml", "x.yaml", nil, `config: D/p.yaml: repeat.search: config: open D/x.yaml: no such file or directory (nearest: D/p.yaml)`},
		{"mistake in the search", "s.yaml", "seed", "sed", nil, `config: D/p.yaml: repeat.search: config: D/s.yaml:2: unknown key "sed" (nearest: "seed")`},
		{"training as search", "p.yaml", "s.yaml", "t.yaml", nil, `config: D/p.yaml: repeat.search: D/t.yaml is a train experiment, want a search experiment`},
		{"protocol as training", "p.yaml", "t.yaml", "p.yaml", nil, `config: D/p.yaml:3: evaluate.train: D/p.yaml is a repeat experiment, want a train experiment`},
		{"search that evaluates", "s.yaml", "seed: 4", "evaluate: {}", nil, `config: D/p.yaml: repeat.search: s.yaml has a section evaluate, which the protocol does itself, want none (evaluate: null)`},
		{"search of a text", "s.yaml", "data: {root: /d}", "data: {name: ptb}", nil, `config: D/p.yaml: repeat.search: data.name ptb is a text, the protocol is of images`},
		{"training that holds out", "t.yaml", "epochs: 7", "data: {train_portion: 0.9}", nil, `config: D/p.yaml: evaluate.train: data.train_portion 0.9, want 1: its trainings are measured on the test images`},
		{"too few to hold out", "t.yaml", "epochs: 7", "data: {subset: 1}", nil, `config: D/p.yaml: repeat.brief: config: the config to write:5: data.train_portion: 0.5 of 1 images leaves 0 for the weights and 1 for validation, want at least 1 for each`},
		{"item of the training", "p.yaml", "", "", []string{"train.epoch=3"}, `config: --set train.epoch=3: unknown key "epoch" (nearest: "epochs")`},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := protocolFiles()
			files[test.file] = strings.Replace(files[test.file], test.old, test.new, 1)
			dir := write(t, files)
			_, err := LoadWhole(filepath.Join(dir, "p.yaml"), test.set...)
			if err == nil {
				t.Fatalf("no error, want %s", test.want)
			}
			if diff := cmp.Diff(test.want, strings.ReplaceAll(err.Error(), dir, "D")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
