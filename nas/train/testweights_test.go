package train_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
)

func TestWeightsSayWhatTheyAre(t *testing.T) {
	// Weights are measured with the network and the normalisation that their file names, which gives the error of their training. They are refused where the user says otherwise.
	const cell = "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=range(2, 3), reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=range(2, 3))"
	c := fixture.Load(t, "../testdata/tiny-train.yaml", "data.mean=0.25", "data.std=0.5")
	c.Genotype = cell
	dir := filepath.Join(t.TempDir(), "run")
	trained, err := train.Run(t.Context(), dir, c, nas.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	for _, test := range []struct {
		name, key string
		own       func(c *config.Config) // what is written of the key
		want      string                 // of the error
	}{
		{"nothing is written", "", nil, ""},
		{"another cell", "genotype", func(c *config.Config) {}, "they are of a network with genotype " + cell + ", the config or the command line says Genotype(normal="},
		{"the same cell", "genotype", func(c *config.Config) { c.Genotype = cell }, ""},
		{"more channels", "network.channels", func(c *config.Config) { c.Network.Channels = 4 }, "they are of a network with network.channels 2, the config or the command line says 4: want the same, or no network.channels there"},
		{"fewer layers", "network.layers", func(c *config.Config) { c.Network.Layers = 4 }, "they are of a network with network.layers 3, "},
		{"another normalisation", "data.std", func(c *config.Config) { c.Data.Std = [3]float64{1, 1, 1} }, "their images were normalised by data.mean [0.25] and data.std [0.5], the config or the command line says [0] and [1]"},
		{"the set's own normalisation", "data.mean", func(c *config.Config) {}, "their images were normalised by data.mean [0.25] and data.std [0.5], "},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config.Defaults(config.Train)
			c.Data.Name, c.Data.Batch = "digits", 12
			if test.own != nil {
				test.own(c)
			}
			got, err := train.TestWeights(t.Context(), c, map[string]bool{test.key: true}, file, torch.CPU)
			if test.want != "" {
				if err == nil || !strings.HasPrefix(err.Error(), "nas: weights "+file+": "+test.want) {
					t.Errorf("got  %v\nwant %s", err, test.want)
				}
				return
			}
			if err != nil || got.Tested == nil || *got.Tested != *trained.Tested {
				t.Errorf("got %+v, %v, trained to %+v", got.Tested, err, trained.Tested)
			}
			for _, note := range []string{"network.channels is taken from the weights: 2", "data.mean and data.std are taken from the weights: [0.25] and [0.5]"} {
				if !slices.Contains(got.Notes, note) {
					t.Errorf("notes are %q, want %s", got.Notes, note)
				}
			}
		})
	}
	other := config.Defaults(config.Train)
	other.Data.Name = "synthetic"
	if _, err := train.TestWeights(t.Context(), other, nil, file, torch.CPU); err == nil || !strings.Contains(err.Error(), `they have other classes: class 1 of 10 is "0", in synthetic "stripes-0" of 10`) {
		t.Errorf("on other classes: %v", err)
	}
	other.Data.Name = "synthetic-text"
	if _, err := train.TestWeights(t.Context(), other, nil, file, torch.CPU); err == nil || !strings.Contains(err.Error(), "they are of images, data.name synthetic-text is a text: want the config of their training") {
		t.Errorf("on a text: %v", err)
	}
}

func TestWeightsKnowTheirClasses(t *testing.T) {
	// A test is refused, by the class names that the weights have, when a class was renamed and the folder of the run does not say what its data was.
	root := fixture.DigitFiles(t, 200)
	dir := filepath.Join(t.TempDir(), "run")
	c := fixture.Load(t, "../testdata/tiny-train.yaml", fixture.OnFiles(root, "epochs=1")...)
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"train", "val"} {
		if err := os.Rename(filepath.Join(root, part, "0"), filepath.Join(root, part, "zero")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "data.json")); err != nil {
		t.Fatal(err)
	}
	want := "nas: weights " + filepath.Join(dir, runfolder.WeightsFile) + `: they have other classes: class 1 of 10 is "0", in imagefolder "1" of 10`
	if _, err := train.Test(t.Context(), dir, torch.CPU); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestWeightsKnowTheirWords(t *testing.T) {
	// The weights of a language model are refused when the text has the same number of words, but other words.
	root := t.TempDir()
	write := func(last string) {
		t.Helper()
		for _, name := range []string{"train.txt", "valid.txt", "test.txt"} {
			if err := os.WriteFile(filepath.Join(root, name), []byte(strings.Repeat("a b c d e f "+last+"\n", 20)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("g")
	dir := filepath.Join(t.TempDir(), "run")
	c := fixture.Load(t, "../testdata/tiny-text-train.yaml", "data.name=text", "data.root="+root, "data.tokens=0", "epochs=1")
	trained, err := train.Run(t.Context(), dir, c, nas.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	plain := *c
	plain.Network.Hidden, plain.Genotype = 850, "DARTS_V2" // not written
	tested, err := train.TestWeights(t.Context(), &plain, nil, file, torch.CPU)
	if err != nil || *tested.Test != *trained.Test {
		t.Fatalf("got %+v, %v, trained to %+v", tested.Test, err, trained.Test)
	}
	write("h")
	want := "nas: weights " + file + ": they know other words, or in another order, than text has: want the text that they were trained on"
	if _, err := train.TestWeights(t.Context(), c, nil, file, torch.CPU); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestWrittenKeys(t *testing.T) {
	// Written returns the keys of the file, of the file that it extends and of the items, and no others.
	dir := t.TempDir()
	for name, text := range map[string]string{"base.yaml": "experiment: train\ndata: {name: digits}\n", "x.yaml": "extends: base.yaml\nepochs: 3\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, written, err := config.LoadWritten(filepath.Join(dir, "x.yaml"), "w.lr=0.1")
	if got, want := slices.Sorted(maps.Keys(written)), []string{"data.name", "epochs", "experiment", "w.lr"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("written are %q, %v, want %q", got, err, want)
	}
}
