package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuiltins(t *testing.T) {
	// Every config of the program loads by its name in any folder, to the config of its file.
	names := yamlFiles(t)
	want := map[string]*Config{}
	for _, name := range names {
		c, err := Load(filepath.Join(configFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		want[strings.TrimSuffix(name, ".yaml")] = c
	}
	t.Chdir(t.TempDir())
	for _, b := range Builtins() {
		for _, name := range []string{b.Name, b.Name + ".yaml"} {
			c, err := Load(name)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if diff := cmp.Diff(want[b.Name], c); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		if b.Title == "" || strings.ContainsAny(b.Title, "\n#") {
			t.Errorf("%s: title %q", b.Name, b.Title)
		}
	}
	if len(Builtins()) != len(names) {
		t.Errorf("%d configs in the program, want %d", len(Builtins()), len(names))
	}
}

func TestBuiltinParts(t *testing.T) {
	// The configs that one of the program names are of the program, also beside files of their names.
	t.Chdir(t.TempDir())
	for _, name := range []string{"cifar10-darts-second.yaml", "cifar10-train.yaml", "compare-digits-search.yaml", "compare-digits-train.yaml"} {
		if err := os.WriteFile(name, []byte("nothing: 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load("cifar10-darts-second.toy"); err != nil {
		t.Error(err)
	}
	if w, err := LoadWhole("protocol-cifar10-second"); err != nil || w.Search.Strategy.Name != "darts" {
		t.Errorf("%+v, %v", w, err)
	}
	if s, err := LoadSweep("sweep-digits"); err != nil || len(s.Points) == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if c, err := LoadNetworkComparison("compare-digits"); err != nil || len(c.Searches) == 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestBuiltinNames(t *testing.T) {
	// A file comes before a config of the program, a name that is neither gets the nearest, and a file of the user's extends one of the program.
	t.Chdir(t.TempDir())
	if err := os.Mkdir("cifar10-train", 0o700); err != nil { // as a run folder may be called
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"quickstart.yaml": "experiment: search\nepochs: 7\n",
		"mine.yaml":       "extends: cifar10-train\nepochs: 8\n",
		"far.yaml":        "extends: configs/cifar10-train.yaml\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, epochs := range map[string]int{"quickstart": 7, "quickstart.yaml": 7, "mine.yaml": 8, "cifar10-train": 600} {
		if c, err := Load(name); err != nil || c.Epochs != epochs {
			t.Errorf("%s: %v, want %d epochs", name, err, epochs)
		}
	}
	for name, want := range map[string]string{
		"cifar10-tran":       "config: open cifar10-tran: no such file or directory (nearest: cifar10-train)",
		"cifar10-tran.yaml":  "config: open cifar10-tran.yaml: no such file or directory (nearest: cifar10-train.yaml)",
		"./imagenet-train":   "config: open ./imagenet-train: no such file or directory (nearest: mine.yaml)",
		"built-in:/no":       "config: open no: file does not exist",
		"built-in:/../a":     "config: open ../a: file does not exist",
		"far.yaml":           "config: far.yaml:1: extends: open configs/cifar10-train.yaml: no such file or directory",
		"cifar10-train.toy/": "config: open cifar10-train.toy/: no such file or directory",
	} {
		if _, err := Load(name); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
	for name, want := range map[string]bool{"quickstart": false, "cifar10-train": true, "cifar10-train.toy": true, "DARTS_V2": false, "configs/cifar10-train": false} {
		if IsBuiltin(name) != want {
			t.Errorf("IsBuiltin(%q) is %v", name, !want)
		}
	}
}
