// Package godarts_test holds what is true of the module as a whole.
package godarts_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	// No package imports one that it must not know when the module is listed.
	layers := []struct {
		folder    string
		forbidden []string
		reason    string
	}{
		{"godarts/torch", []string{"godarts/cells", "godarts/darts", "godarts/nas", "godarts/cmd"}, "the binding knows no networks"},
		{"godarts/torch/replay", []string{"godarts/torch/nn", "godarts/torch/optim"}, "work that repeats is tensors to it"},
		{"godarts/torch/internal/stored", []string{"godarts"}, "how elements lie in bytes needs nothing but arithmetic"},
		{"godarts/torch/pickle", []string{"godarts/torch/safetensors", "godarts/torch/nn", "godarts/torch/optim"}, "a reader of files knows one format and no networks"},
		{"godarts/torch/safetensors", []string{"godarts/torch/pickle", "godarts/torch/nn", "godarts/torch/optim"}, "a reader of files knows one format and no networks"},
		{"godarts/cells", []string{"godarts/darts", "godarts/nas", "godarts/cmd"}, "a cell knows no search"},
		{"godarts/cells/genotype", []string{"godarts/torch"}, "what a cell computes is plain Go, so that a config may name it"},
		{"godarts/cells/draw", []string{"godarts/torch"}, "a drawing needs no libtorch"},
		{"godarts/darts", []string{"godarts/nas", "godarts/cmd"}, "the method knows no runs"},
		{"godarts/darts/fast", []string{"godarts/darts/enas"}, "the forms by formulas know no controller"},
		{"godarts/darts/enas", []string{"godarts/darts/fast"}, "a controller draws cells and trains none"},
		{"godarts/cells/drawing", []string{"godarts/torch"}, "a drawing needs no libtorch"},
		{"godarts/configs", []string{"godarts"}, "files in the program need no code"},
		{"godarts/nas", []string{"godarts/cmd"}, "a library does not import its program"},
		{"godarts/nas/claim", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "who does what needs no libtorch"},
		{"godarts/nas/checks", []string{"godarts"}, "finding a program needs nothing but paths"},
		{"godarts/nas/config", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "reading a config needs no libtorch"},
		{"godarts/nas/config/document", []string{"godarts/torch", "godarts/cells", "godarts/darts", "godarts/nas/config"}, "the syntax of a file needs none of its keys"},
		{"godarts/nas/config/axes", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "the values of a sweep are read without the keys of a run"},
		{"godarts/nas/data", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "loaders yield Go slices"},
		{"godarts/nas/data/builtin", []string{"godarts/nas/data/cifar", "godarts/nas/data/folder", "godarts/nas/data/download"}, "a reader knows one kind of set"},
		{"godarts/nas/data/cifar", []string{"godarts/nas/data/builtin", "godarts/nas/data/folder"}, "a reader knows one kind of set"},
		{"godarts/nas/data/datatest", []string{"godarts"}, "pictures for tests are made by the standard library"},
		{"godarts/nas/data/download", []string{"godarts"}, "fetching an archive needs no knowledge of its content"},
		{"godarts/nas/data/fingerprint", []string{"godarts/nas/data", "godarts/nas/config"}, "to compare contents is to compare names and sums"},
		{"godarts/nas/data/folder", []string{"godarts/nas/data/builtin", "godarts/nas/data/cifar", "godarts/nas/data/download"}, "a reader knows one kind of set"},
		{"godarts/nas/data/picture", []string{"godarts/nas/data/folder", "godarts/nas/data/corpus", "godarts/nas/data/fingerprint", "godarts/nas/config"}, "decoding a picture needs no data set"},
		{"godarts/nas/data/sets", []string{"godarts/nas/data/corpus", "godarts/nas/data/builtin", "godarts/nas/data/cifar", "godarts/nas/data/folder", "godarts/nas/config"}, "a register of sets of images knows none of them"},
		{"godarts/nas/data/corpus", []string{"godarts/nas/data/picture", "godarts/nas/data/folder", "godarts/nas/data/sets", "godarts/nas/config"}, "reading a text needs no pictures"},
		{"godarts/nas/home", []string{"godarts"}, "a path needs nothing but text"},
		{"godarts/nas/names", []string{"godarts/torch", "godarts/cells", "godarts/darts", "godarts/nas"}, "printing a name needs nothing but text"},
		{"godarts/cells/spelling", []string{"godarts"}, "a distance between words needs nothing but text"},
		{"godarts/nas/report", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "tables and charts are made of numbers"},
		{"godarts/nas/blackbox", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "a strategy that asks for scores knows no networks"},
		{"godarts/nas/nasbench201", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "a look-up trains nothing"},
		{"godarts/nas/runfolder", []string{"godarts/darts", "godarts/nas/bench", "godarts/nas/nasbench201"}, "what lies in a folder is read without running anything"},
		{"godarts/nas/page", []string{"godarts/torch", "godarts/darts", "godarts/nas/search", "godarts/nas/train", "godarts/nas/plan"}, "pages are made of records and figures"},
		{"godarts/nas/figure", []string{"godarts/torch", "godarts/darts", "godarts/nas/search", "godarts/nas/train", "godarts/nas/plan"}, "figures are made of records"},
		{"godarts/nas/record", []string{"godarts/darts", "godarts/nas/search", "godarts/nas/train", "godarts/nas/plan", "godarts/nas/report"}, "what a run has written is read without running anything"},
		{"godarts/nas/runtable", []string{"godarts/torch", "godarts/darts", "godarts/nas/search", "godarts/nas/train", "godarts/nas/plan"}, "a table of runs is made of what they have written"},
		{"godarts/nas/tensorboard", []string{"godarts/nas/search", "godarts/nas/train", "godarts/nas/plan", "godarts/nas/report"}, "event files are made of what a run has written"},
		{"godarts/nas/latency", []string{"godarts/darts", "godarts/nas/images", "godarts/nas/search", "godarts/nas/train", "godarts/nas/plan"}, "a table is read without networks"},
		{"godarts/nas/scale", []string{"godarts/darts", "godarts/nas/search", "godarts/nas/train", "godarts/nas/plan"}, "sizes are counted, nothing is trained"},
		{"godarts/nas/prune", []string{"godarts/darts", "godarts/nas/search", "godarts/nas/plan"}, "what is pruned is trained, not searched"},
		{"godarts/nas/notify", []string{"godarts/torch", "godarts/cells", "godarts/darts", "godarts/nas/runfolder"}, "a message is text for a server"},
		{"godarts/nas/serve", []string{"godarts/torch", "godarts/darts", "godarts/nas/search", "godarts/nas/train", "godarts/nas/plan"}, "pages show runs and run nothing"},
		{"godarts/nas/images", []string{"godarts/nas/train", "godarts/nas/search", "godarts/nas/plan", "godarts/nas/model"}, "a feed knows no method"},
		{"godarts/nas/texts", []string{"godarts/nas/images", "godarts/nas/train", "godarts/nas/search", "godarts/nas/plan", "godarts/nas/model"}, "a feed knows no method"},
		{"godarts/nas/model", []string{"godarts/nas/train", "godarts/nas/search", "godarts/nas/plan"}, "a trained network needs no trainer"},
		{"godarts/nas/onnx", []string{"godarts/torch", "godarts/darts", "godarts/nas"}, "a file format needs a cell and its weights, which come as slices"},
		{"godarts/nas/quantise", []string{"godarts/cells", "godarts/darts", "godarts/nas/config", "godarts/nas/train", "godarts/nas/model"}, "a network in integers is computed from its graph"},
		{"godarts/nas/train", []string{"godarts/nas/search", "godarts/nas/plan"}, "a training knows no search"},
		{"godarts/nas/search", []string{"godarts/nas/plan"}, "a search knows no set of runs but its own"},
		{"godarts/nas/wholefile", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "reading and writing files needs no libtorch"},
		{"godarts/scripts/campaign/device", []string{"godarts"}, "a model of a disk knows no runs"},
		{"godarts/scripts/campaign/ptrace", []string{"godarts"}, "tracing a process needs no knowledge of what it does"},
		{"godarts/nas/rng", []string{"godarts/torch", "godarts/cells", "godarts/darts"}, "streams are plain Go"},
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	// Packages in folders that a layer must not know, which are plain Go: operations that a program registers are values
	// of space.operations, and one distance between words serves all.
	plain := map[string][]string{
		"godarts/nas/config": {"godarts/cells/genotype", "godarts/cells/spelling"},
		"godarts/nas/names":  {"godarts/cells/spelling"},
		"godarts/nas/onnx":   {"godarts/nas/finite"},
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		for _, layer := range layers {
			if !within(words[0], layer.folder) {
				continue
			}
			seen[layer.folder] = true
			for _, imported := range words[1:] {
				if slices.Contains(plain[layer.folder], imported) {
					continue
				}
				if slices.ContainsFunc(layer.forbidden, func(f string) bool { return within(imported, f) }) {
					t.Errorf("%s imports %s: %s", words[0], imported, layer.reason)
				}
			}
			if layer.folder == "godarts/torch" {
				for _, imported := range words[1:] {
					if strings.Contains(strings.Split(imported, "/")[0], ".") {
						t.Errorf("%s imports %s: the binding needs only the standard library", words[0], imported)
					}
				}
			}
		}
	}
	for _, layer := range layers {
		if !seen[layer.folder] {
			t.Errorf("no package lies in %s", layer.folder)
		}
	}
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}
