package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPublishedSettings(t *testing.T) {
	// Expect.Changed lists the keys in which a config differs from the settings of its published figure, except those that no figure depends on, when the config or its resolved form is loaded.
	dir := t.TempDir()
	for name, text := range map[string]string{
		"paper.yaml":   "experiment: train\ndata: {batch: 96}\nepochs: 600\nexpect: {test_error: 2.76, source: x}\n",
		"smaller.yaml": "extends: paper.yaml\nepochs: 2\nw: {lr: 0.025}\n",
		"own.yaml":     "extends: paper.yaml\nepochs: 2\nexpect: {test_error: 9}\n",
		"none.yaml":    "extends: paper.yaml\nepochs: 2\nexpect: null\n",
		"repeat.yaml":  "experiment: repeat\nrepeat: {search: search.yaml, train: paper.yaml, searches: 1, trains: 1}\nexpect: {test_error: 2.76}\n",
		"search.yaml":  "experiment: search\nstrategy: {name: darts}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		file string
		set  []string
		want string
	}{
		{"paper.yaml", nil, "published"},
		{"paper.yaml", []string{"seed=3", "data.root=/elsewhere", "network.dtype=float64", "genotype=DARTS_V1", "epochs=600"}, "published"},
		{"paper.yaml", []string{"data.subset=64", "epochs=2"}, "published, but with another data.subset, epochs"},
		{"paper.yaml", []string{"data.name=digits"}, "published, but with another data.name"},
		{"paper.yaml", []string{"epochs=2", "expect.test_error=5"}, "published"},
		{"paper.yaml", []string{"expect.test_error=5", "epochs=2"}, "published, but with another epochs"},
		{"smaller.yaml", nil, "published, but with another epochs"},
		{"smaller.yaml", []string{"data.batch=1"}, "published, but with another data.batch, epochs"},
		{"own.yaml", nil, "published"},
		{"none.yaml", nil, ""},
		{"repeat.yaml", nil, "published"},
		{"repeat.yaml", []string{"search.seed=9", "train.data.batch=96"}, "published"},
		{"repeat.yaml", []string{"train.epochs=1", "search.data.subset=8", "repeat.searches=2"}, "published, but with another repeat.searches, search.data.subset, train.epochs"},
	} {
		name := test.file + " " + strings.Join(test.set, " ")
		file := filepath.Join(dir, test.file)
		var c *Config
		var err error
		if test.file == "repeat.yaml" {
			var w *Whole
			if w, err = LoadWhole(file, test.set...); err == nil {
				c = w.Repeat
			}
		} else {
			c, err = Load(file, test.set...)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		title := func(c *Config) string {
			if c.Expect == nil {
				return ""
			}
			return c.Expect.Title()
		}
		if got := title(c); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		text, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(name, text); err != nil || title(again) != test.want {
			t.Errorf("%s: read back: %v, %v", name, again, err)
		}
	}
}

func TestPublishedOfStrategies(t *testing.T) {
	// A published figure is left out when the settings of its strategy differ from its file's. All are left out when the benchmark's settings differ.
	const all, seeds = "random evolution reinforce", "compare.seeds=7"
	for _, test := range []struct {
		set  []string
		want string
	}{
		{nil, all},
		{[]string{seeds, "seed=4"}, all},
		{[]string{"compare.evolution.sample=10"}, "random reinforce"},
		{[]string{"compare.reinforce.lr=0.1", seeds}, "random evolution"},
		{[]string{"compare.queries=50"}, ""},
	} {
		c, err := Load("../../configs/nasbench201.yaml", test.set...)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for name, figure := range map[string][2]float64{"random": c.Compare.Expect.Random, "evolution": c.Compare.Expect.Evolution, "reinforce": c.Compare.Expect.Reinforce} {
			if figure != [2]float64{} {
				left = append(left, name)
			}
		}
		for _, name := range strings.Fields(test.want) {
			if !slices.Contains(left, name) {
				t.Errorf("%v: %s is left out", test.set, name)
			}
		}
		if len(left) != len(strings.Fields(test.want)) {
			t.Errorf("%v: %v, want %s", test.set, left, test.want)
		}
	}
}
