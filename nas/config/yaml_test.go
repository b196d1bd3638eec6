package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestYAML(t *testing.T) {
	// YAML writes every key that applies, in order, when a config is resolved.
	c, err := Parse("x.yaml", []byte("experiment: train\ndata: {root: 'true'}\nexpect: {test_error: 2.76}"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	want := `experiment: train
data:
  name: cifar10
  root: "true"
  train_portion: 1
  batch: 96
  subset: 0
  cutout: 0
  augment: crop
  size: 0
  channels: 0
  mean: [0, 0, 0]
  std: [0, 0, 0]
  labels: fine
  split_seed: 0
  on_bad_file: error
  check: decode
  max_pixels: 100000000
network:
  channels: 36
  layers: 20
  stem_multiplier: 3
  dtype: float32
  stem: cifar
  auxiliary: false
  auxiliary_weight: 0.4
  drop_path: 0.2
  label_smoothing: 0
w:
  lr: 0.025
  lr_min: 0
  schedule: cosine
  lr_decay: 0.97
  restart: 10
  restart_factor: 2
  momentum: 0.9
  nesterov: false
  weight_decay: 0.0003
  grad_clip: 5
  precision: full
epochs: 600
seed: 0
genotype: DARTS_V2
expect:
  test_error: 2.76
  top_five: 0
  std: 0
  source: ""
  changed: []
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestYAMLOfText(t *testing.T) {
	// YAML of a training on a text has the keys of texts, and none of images.
	c, err := Parse("x.yaml", []byte("experiment: train\ndata: {name: wikitext2}\nnetwork: {hidden: 700}\nexpect: {test_perplexity: 69.6}"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	want := `experiment: train
data:
  name: wikitext2
  root: ""
  batch: 64
  tokens: 0
  small_batch: 0
  eval_batch: 10
  test_batch: 1
  bptt: 35
  bptt_delta: 20
network:
  dtype: float32
  hidden: 700
  dropout:
    output: 0.75
    state: 0.25
    input: 0.75
    embedding: 0.2
    word: 0.1
  activation: 0
  slowness: 0.001
w:
  lr: 20
  weight_decay: 8e-07
  grad_clip: 0.25
epochs: 8000
nonmono: 5
seed: 1267
genotype: DARTS_V2
expect:
  test_perplexity: 69.6
  source: ""
  changed: []
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestYAMLNamesEveryKey(t *testing.T) {
	// YAML of a search with both optional sections mentions each key once when read back as bare keys.
	c := Defaults(Search)
	c.Evaluate, c.Expect = evaluateDefaults(), &Expect{TestError: 1}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	l := newLayers()
	if err := l.addFile("x.yaml", text, 0); err != nil {
		t.Fatal(err)
	}
	for _, k := range current.Load().keys {
		_, ok := l.values[k.path]
		if key, of := belowTraining(k.path); of {
			_, ok = l.train.values[key]
		}
		if ok != c.Has(k.path) {
			t.Errorf("%s: in the text is %v, applies is %v", k.path, ok, c.Has(k.path))
		}
	}
}

func TestYAMLRoundTrip(t *testing.T) {
	// Parse reads back an equal config when text and numbers are awkward.
	names := []string{"plain", "a: b", "# no", "- x", "null", "", " lead", "trail ", "two\nlines\n", "\ttab", "é\u2028\u0085\x7f", "\ufeffbom", "'\"", "[1]", "0x10", "1e3", "2020-01-01", "~", "<<", "Genotype(normal=[('sep_conv_3x3', 1)], normal_concat=range(2, 6))"}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			c := Defaults(Search)
			c.Expect = &Expect{TestError: 1, Source: name}
			c.W.WeightDecay, c.W.GradClip = 5e-324, 1.7976931348623157e308
			c.Alpha.LR = 0.1 + 0.2
			c.Seed = 1<<63 - 1
			text, err := c.YAML()
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse("x.yaml", text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestYAMLRefuses(t *testing.T) {
	// YAML gives an error when Parse would not read the config back.
	training := Defaults(Search)
	training.Evaluate = evaluateDefaults()
	odd := Defaults(Search)
	odd.Network.Channels = 3
	tests := []struct {
		name string
		c    *Config
		want string
	}{
		{"training without a cell", training.Training(), `config: the config to write:43: genotype: given "", want text`},
		{"odd channels", odd, `config: the config to write:34: network.channels: given 3, want an even number: a reduction gives half of its channels to each of two convolutions`},
		{"zero", &Config{}, `config: the config to write:1: experiment: given "", want search or train or repeat or compare or sweep`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.c.YAML()
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	// Diff lists keys with both values when two configs differ, and nothing when they are equal.
	change := func(f func(*Config)) *Config {
		c := Defaults(Search)
		f(c)
		return c
	}
	tests := []struct {
		name string
		b    *Config
		want []string
	}{
		{"equal", change(func(*Config) {}), nil},
		{"number", change(func(c *Config) { c.W.LR = 0.05 }), []string{"w.lr: 0.025 here, 0.05 in the checkpoint"}},
		{"two keys", change(func(c *Config) { c.Epochs, c.Data.Root = 3, "a b" }), []string{
			`data.root: "" here, "a b" in the checkpoint`, "epochs: 50 here, 3 in the checkpoint"}},
		{"pair", change(func(c *Config) { c.Alpha.Betas[0] = 0.9 }), []string{"alpha.betas: [0.5, 0.999] here, [0.9, 0.999] in the checkpoint"}},
		{"section", change(func(c *Config) { c.Evaluate = evaluateDefaults() }), []string{"evaluate: not set here, set in the checkpoint"}},
		{"text", textSearchDefaults(), []string{"data.name: cifar10 here, ptb in the checkpoint"}},
		{"experiment", Defaults(Train), []string{"experiment: search here, train in the checkpoint"}},
		{"field that does not apply", change(func(c *Config) { c.Genotype = "x" }), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Diff(Defaults(Search), test.b, "here", "in the checkpoint")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	text := defaultsOf(Search, texts, DefaultStrategy)
	text.Network.Dropout.Word, text.Alpha.Corrected = 0.5, true
	want := []string{"network.dropout.word: 0 here, 0.5 there", "alpha.corrected: false here, true there"}
	if diff := cmp.Diff(want, Diff(defaultsOf(Search, texts, DefaultStrategy), text, "here", "there")); diff != "" {
		t.Error(diff)
	}
	published := Defaults(Comparison)
	published.Compare.Expect = &Published{}
	if diff := cmp.Diff([]string{"compare.expect: not set here, set there"}, Diff(Defaults(Comparison), published, "here", "there")); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	// A config that Parse accepts is read back equal, and a refusal is one line, when the text is arbitrary.
	paths, err := filepath.Glob("../../configs/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"", "{", "a: &a [*a, *a]", "experiment: train\ngenotype: |\n  two\n  lines\n",
		"experiment: search\ndata: {root: \"\\0\\u2028\\x85\\ud83d\\ude00\"}", "experiment: search\nw: {lr: !!float 1, lr_min: -0.0}",
		"experiment: search\nevaluate: {random: 1}\nexpect: {test_error: 1e1}", "? [a]\n: b", "%YAML 1.1\n---\nexperiment: train",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("x.yaml", text)
		if err != nil {
			if m := err.Error(); !strings.HasPrefix(m, "config: x.yaml") || strings.ContainsAny(m, "\n\r") {
				t.Fatalf("error %q", m)
			}
			return
		}
		out, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("y.yaml", out)
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
