package config

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// trial is what TestEveryKey tries for one key: a good value that differs from the default of
// all experiments, and values to refuse. Keys of evaluate share the row of the train key.
type trial struct {
	good string
	bad  []string
}

var trials = map[string]trial{
	"experiment":                 {"", []string{"test", "1"}}, // required, hence without a default to differ from
	"repeat.search":              {"s.yaml", []string{"1", `""`}},
	"repeat.searches":            {"3", []string{"0", "-1", "1.5"}},
	"repeat.brief.epochs":        {"3", []string{"-1", "some"}},
	"repeat.brief.train_portion": {"0.6", []string{"0", "1", ".nan"}},
	"repeat.trains":              {"3", []string{"0", "-1"}},
	"strategy.name":              {"rsps", []string{"pdarts", "1"}},
	"strategy.order":             {"2", []string{"0", "3", "first"}},
	"strategy.partial":           {"2", []string{"0", "-1", "3", "1.5"}},
	"strategy.warmup":            {"4", []string{"-1", "0.5"}},
	"strategy.layers":            {"[4, 6, 8]", []string{"[5, 11]", "2", "[5, 11, 2]", "deep"}},
	"strategy.drop":              {"[2, 2]", []string{"3", "[-1, 2]", "[1.5, 2]"}},
	"strategy.skip_dropout":      {"[0, 0.2, 0.3]", []string{"1", "[0.1, 0.2]", "-0.1"}},
	"strategy.skips":             {"3", []string{"-1", "some"}},
	"strategy.tau":               {"[5, 1]", []string{"0", "[10]", "[10, 0]", "[10, .nan]"}},
	"strategy.trials":            {"17", []string{"0", "-1", "1.5"}},
	"strategy.candidates":        {"12", []string{"0", "-1", "1.5"}},
	"strategy.score_batches":     {"3", []string{"0", "-1"}},
	"strategy.finalists":         {"7", []string{"0", "1001"}},

	"strategy.controller.updates":   {"3", []string{"-1", "1.5"}},
	"strategy.controller.aggregate": {"3", []string{"0", "-1"}},
	"strategy.controller.lr":        {"0.01", []string{"0", "-1", ".nan"}},
	"strategy.controller.squash":    {"3", []string{"0", "-1", ".inf"}},
	"strategy.controller.entropy":   {"0.01", []string{"-1", ".inf"}},

	"space.parameters": {"100000", []string{"-1", "1.5", "small"}},

	"space.multiply_adds": {"100000000", []string{"-1", "1.5", "600M"}},
	"space.latency.most":  {"0.01", []string{"-1", ".nan", "10ms", "0.02"}},
	"space.latency.table": {"t.json", []string{"1", "t.json"}},
	"space.name":          {"s3", []string{"s4", "1"}},
	"space.operations":    {"[skip_connect, sep_conv_3x3]", []string{"skip_connect", "[sep_conv_9x9]", "[[none]]", "[1]", "[none]"}},
	"space.normal":        {"[[skip_connect], [sep_conv_3x3]]", []string{"[skip_connect]", "[[skip_connect]]", "[[sep_conv_9x9]]", "[[none], [none]]"}},
	"space.reduce":        {"[[max_pool_3x3], [sep_conv_3x3]]", []string{"1", "[[skip_connect]]", "[[skip], [none]]"}},

	"strategy.skip_limit":            {"2", []string{"-2", "1.5", "none"}},
	"strategy.selection":             {"perturbation", []string{"alphas", "1"}},
	"strategy.perturbation.interval": {"3", []string{"0", "-1"}},
	"strategy.perturbation.lr":       {"0.01", []string{"0", "-1", ".nan"}},
	"strategy.early_stop.every":      {"2", []string{"-1", "0.5"}},
	"strategy.early_stop.window":     {"3", []string{"0", "1.5"}},
	"strategy.early_stop.start":      {"4", []string{"-1", "first"}},
	"strategy.early_stop.delta":      {"2", []string{"0", "-1"}},
	"strategy.early_stop.factor":     {"1.5", []string{"0", ".nan"}},

	"strategy.cost.of":    {"parameters", []string{"flops", "1", "latency"}},
	"strategy.cost.table": {"t.json", []string{"1", "[t.json]"}},

	"strategy.evolution.population": {"20", []string{"0", "101"}},
	"strategy.evolution.sample":     {"3", []string{"0", "-1"}},
	"strategy.reinforce.lr":         {"0.01", []string{"0", "-1", ".nan"}},
	"strategy.reinforce.momentum":   {"0.5", []string{"1", "-0.1"}},

	"data.name":                       {"digits", []string{"cifar", "10"}},
	"data.root":                       {"/data", []string{"[/data]", "1"}},
	"data.train_portion":              {"0.6", []string{"0", "1.1", "-0.5", ".nan", "1e-9"}},
	"data.batch":                      {"7", []string{"0", "-1", "1.5"}},
	"data.subset":                     {"100", []string{"-1", "50001", "all"}},
	"data.cutout":                     {"8", []string{"-1", "33", "true"}},
	"data.augment":                    {"imagenet", []string{"corp", "1"}},
	"data.size":                       {"64", []string{"-1", "1.5"}},
	"data.channels":                   {"1", []string{"2", "-1", "grey"}},
	"data.mean":                       {"[0.1, 0.2, 0.3]", []string{"[0.1, 0.2]", "1.5", "-0.1", "dark", "0.5"}},
	"data.std":                        {"0.25", []string{"[0.1, 0, 0.2]", "-1", ".inf", "[1, 2, x]"}},
	"data.labels":                     {"coarse", []string{"rough", "1"}},
	"data.split_seed":                 {"3", []string{"-1", "x"}},
	"data.on_bad_file":                {"skip", []string{"ignore", "1"}},
	"data.check":                      {"header", []string{"full", "1"}},
	"data.max_pixels":                 {"1000", []string{"0", "-1", "many"}},
	"network.channels":                {"24", []string{"0", "1", "-2", "7"}},
	"network.layers":                  {"5", []string{"2", "0", "-3"}},
	"network.nodes":                   {"3", []string{"0", "-1"}},
	"network.stem_multiplier":         {"1", []string{"0", "-1"}},
	"network.dtype":                   {"float64", []string{"float16", "64"}},
	"network.form":                    {"plain", []string{"plane", "1"}},
	"network.stem":                    {"imagenet", []string{"resnet", "224"}},
	"network.auxiliary":               {"true", []string{"1", "yes"}},
	"network.auxiliary_weight":        {"0.5", []string{"-0.1", ".inf"}},
	"network.drop_path":               {"0.3", []string{"1", "-0.1"}},
	"network.label_smoothing":         {"0.1", []string{"1", "-0.1"}},
	"w.lr":                            {"0.5", []string{"0", "-0.1", ".inf", ".nan"}},
	"w.lr_min":                        {"0.002", []string{"-0.1", "0.6", ".nan"}},
	"w.schedule":                      {"step", []string{"stepped", "1"}},
	"w.lr_decay":                      {"0.9", []string{"0", "1.1", "-1"}},
	"w.restart":                       {"5", []string{"0", "-1", "1.5"}},
	"w.restart_factor":                {"1", []string{"0", "-1"}},
	"w.momentum":                      {"0", []string{"1", "-0.1", ".nan"}},
	"w.nesterov":                      {"true", []string{"1", "yes"}},
	"w.weight_decay":                  {"0", []string{"-1e-9", ".inf"}},
	"w.grad_clip":                     {"6", []string{"0", "-1", ".inf"}},
	"w.precision":                     {"bf16", []string{"float16", "16"}},
	"alpha.lr":                        {"0.1", []string{"0", "-1", ".nan"}},
	"alpha.betas":                     {"[0.9, 0.99]", []string{"[1, 0.5]", "[0.5, -0.1]", "[0.5]", "0.5", "[0.5, .nan]"}},
	"alpha.weight_decay":              {"0", []string{"-1", ".inf"}},
	"alpha.cost.of":                   {"parameters", []string{"flops", "1"}},
	"alpha.cost.weight":               {"0.5", []string{"-1", ".nan"}},
	"alpha.cost.table":                {"t.json", []string{"1", "t.json"}},
	"alpha.cost.target":               {"1e6", []string{"-1", ".inf"}},
	"alpha.hvp.method":                {"exact", []string{"finite", "1"}},
	"alpha.hvp.radius":                {"0.1", []string{"0", "-0.01", ".nan"}},
	"epochs":                          {"3", []string{"-1", "0.5"}},
	"seed":                            {"9000000000000000000", []string{"-1", "9300000000000000000", "x"}},
	"genotype":                        {"DARTS_V1", []string{`""`, "1", "[a]"}},
	"evaluate.random":                 {"2", []string{"-1", "some"}},
	"evaluate.train":                  {"other.yaml", []string{"1", "[a]", `""`}},
	"data.tokens":                     {"5000", []string{"-1", "all"}},
	"data.small_batch":                {"64", []string{"-1", "3", "1.5"}},
	"data.eval_batch":                 {"20", []string{"0", "-1"}},
	"data.test_batch":                 {"2", []string{"0", "one"}},
	"data.bptt":                       {"20", []string{"1", "0", "2.5"}},
	"data.bptt_delta":                 {"10", []string{"-1", "x"}},
	"network.hidden":                  {"400", []string{"0", "-1", "1.5"}},
	"network.dropout.output":          {"0.5", []string{"1", "-0.1", ".nan"}},
	"network.dropout.state":           {"0.5", []string{"1", "-0.1"}},
	"network.dropout.input":           {"0.5", []string{"1", "-0.1"}},
	"network.dropout.embedding":       {"0.5", []string{"1", "-0.1"}},
	"network.dropout.word":            {"0.5", []string{"1", "-0.1"}},
	"network.activation":              {"2", []string{"-1", ".inf"}},
	"network.slowness":                {"2", []string{"-1", ".nan"}},
	"nonmono":                         {"3", []string{"0", "-1"}},
	"alpha.corrected":                 {"true", []string{"1", "yes"}},
	"expect.test_perplexity":          {"55.7", []string{"0.9", ".nan"}},
	"expect.test_error":               {"4.5", []string{"-1", "100.1", ".nan"}},
	"expect.top_five":                 {"8.5", []string{"-1", "101"}},
	"expect.std":                      {"0.5", []string{"-1", "101"}},
	"expect.source":                   {"a table", []string{"1", "[a]"}},
	"expect.changed":                  {"[epochs]", []string{"epochs", "[1]"}},
	"evaluate.train.network.channels": {"20", []string{"7"}},

	"quantise.from":   {"runs/x", []string{"1", "[a]", `""`}},
	"quantise.method": {"min-max", []string{"max", "1"}},
	"quantise.images": {"100", []string{"0", "-1", "all"}},
	"quantise.range":  {"reduced", []string{"half", "7"}},

	"compare.search":               {"s.yaml", []string{"1", "[a]"}},
	"compare.strategies":           {"[[strategy.name=gdas]]", []string{"gdas", "[gdas]", "[[1]]"}},
	"compare.table":                {"synthetic", []string{"nasbench101", "1"}},
	"compare.dataset":              {"imagenet16", []string{"imagenet", "1"}},
	"compare.queries":              {"50", []string{"0", "9", "1.5"}},
	"compare.seeds":                {"20", []string{"1", "0", "many"}},
	"compare.evolution.population": {"20", []string{"0", "101"}},
	"compare.evolution.sample":     {"4", []string{"0", "-1"}},
	"compare.reinforce.lr":         {"0.01", []string{"0", "-1", ".nan"}},
	"compare.reinforce.momentum":   {"0.5", []string{"1", "-0.1"}},
	"compare.expect.random":        {"[93.7, 0.36]", []string{"93.7", "[101, 0]", "[1, -1]"}},
	"compare.expect.evolution":     {"[93.92, 0.3]", []string{"[93.7]", "[101, 0]"}},
	"compare.expect.reinforce":     {"[93.85, 0.37]", []string{"[1, x]", "[101, 0]"}},
	"compare.expect.source":        {"a table", []string{"1", "[a]"}},

	"pruned.weights": {"pruned.safetensors", []string{"1", "[a]"}},
	"pruned.widths":  {`'{"stem": [1], "cells": []}'`, []string{"wide", "1", `'{"stem": [1], "head": 2}'`, `'{} {}'`}},
	"pruned.epoch":   {"3", []string{"-1", "601", "first"}},
	"pruned.mask":    {"true", []string{"1", "yes"}},

	"base":          {"other.yaml", []string{"1", `""`}},
	"keys":          {"{w.lr: [0.1, 0.2]}", []string{"w.lr", "{w.lr: 1}", "{w.lr: []}", "[w.lr]", "{w.lr: {from: 1}}", "{w.lr: {from: 2, to: 1}}", "{w.lr: {from: 0, to: 1, scale: log}}"}},
	"draws":         {"3", []string{"-1", "some"}},
	"seeds":         {"[3, 5]", []string{"0", "[1, 1]", "[-1]", "[a]", "x", "[]"}},
	"halving.rungs": {"[1, 3]", []string{"3", "[3, 1]", "[0]", "[a]"}},
	"halving.keep":  {"0.5", []string{"0", "1", "half"}},
}

// textTrials are the rows of keys that have others where the data is a text.
var textTrials = map[string]trial{
	"data.name":   {"wikitext2", []string{"wikitext", "1", "text"}},
	"data.subset": {"100", nil},

	"strategy.name": {"evolution", []string{"pdarts", "gdas"}},
}

// companions are items that the good value of a key needs beside it.
var companions = map[string][]string{
	"alpha.cost.of":     {"alpha.cost.weight=1"},
	"alpha.cost.target": {"alpha.cost.weight=1"},
	"alpha.cost.table":  {"alpha.cost.weight=1", "alpha.cost.table=s.json", "alpha.cost.of=latency"},

	"strategy.cost.table": {"strategy.cost.table=s.json", "strategy.cost.of=latency"},
	"space.latency.most":  {"space.latency.table=s.json", "space.latency.most=0.02"},
	"space.latency.table": {"space.latency.table=s.json", "space.latency.most=0.02"},

	"alpha.hvp.method": {"strategy.order=2"},
	"alpha.hvp.radius": {"strategy.order=2"},
	"alpha.corrected":  {"strategy.order=2"},

	"strategy.perturbation.interval": {"strategy.selection=perturbation"},
	"strategy.perturbation.lr":       {"strategy.selection=perturbation"},
	"strategy.early_stop.window":     {"strategy.early_stop.every=2"},
	"strategy.early_stop.start":      {"strategy.early_stop.every=2"},
	"strategy.early_stop.delta":      {"strategy.early_stop.every=2"},
	"strategy.early_stop.factor":     {"strategy.early_stop.every=2"},

	"space.normal": {"network.nodes=1"},
	"space.reduce": {"network.nodes=1"},

	"data.size":        {"data.name=synthetic"},
	"data.channels":    {"data.name=synthetic"},
	"data.mean":        {"data.std=0.5"},
	"data.labels":      {"data.name=cifar100"},
	"data.split_seed":  {"data.name=imagefolder", "data.root=photos"},
	"data.on_bad_file": {"data.name=imagefolder", "data.root=photos"},
	"data.check":       {"data.name=imagefolder", "data.root=photos"},
	"data.max_pixels":  {"data.name=imagefolder", "data.root=photos"},

	"pruned.mask": {"pruned.weights=pruned.safetensors"},

	"quantise.from":   {"network.drop_path=0", "quantise.from=runs/y"},
	"quantise.method": {"network.drop_path=0", "quantise.from=runs/x"},
	"quantise.images": {"network.drop_path=0", "quantise.from=runs/x"},
	"quantise.range":  {"network.drop_path=0", "quantise.from=runs/x"},

	"w.momentum":                {"w.nesterov=false"},
	"w.nesterov":                {"w.nesterov=false"}, // the default of gdas is true
	"w.lr_decay":                {"w.schedule=step"},
	"evaluate.train.w.lr_decay": {"evaluate.train.w.schedule=step"},

	"w.restart":                       {"w.schedule=restarts"},
	"w.restart_factor":                {"w.schedule=restarts"},
	"evaluate.train.w.restart":        {"evaluate.train.w.schedule=restarts"},
	"evaluate.train.w.restart_factor": {"evaluate.train.w.schedule=restarts"},
}

// trialOf is the row of a key.
func trialOf(path string) (trial, bool) {
	if t, ok := trials[path]; ok {
		return t, true
	}
	t, ok := trials[strings.TrimPrefix(path, trainKey+".")]
	return t, ok
}

// goodValues are the good values of the keys that c has.
func goodValues(c *Config) map[string]string {
	good := map[string]string{}
	for _, k := range current.Load().rows() {
		if t, ok := trialOf(k.path); ok && c.Has(k.path) {
			good[k.path] = t.good
		}
	}
	return good
}

func TestEveryKey(t *testing.T) {
	// A key changes the resolved config when set away from its default, and is refused when out of range or when it belongs to another experiment.
	files := map[string]string{
		Search:                "experiment: search\nevaluate: {}\nexpect: {test_error: 1}",
		Train:                 "experiment: train\npruned: {}\nexpect: {test_error: 1}",
		"search by p-darts":   "experiment: search\nstrategy: {name: p-darts}\nevaluate: {}\nexpect: {test_error: 1}",
		"search by pc-darts":  "experiment: search\nstrategy: {name: pc-darts}\nevaluate: {}\nexpect: {test_error: 1}",
		"search by gdas":      "experiment: search\nstrategy: {name: gdas}\nevaluate: {}\nexpect: {test_error: 1}",
		"search by enas":      "experiment: search\nstrategy: {name: enas}\nevaluate: {}\nexpect: {test_error: 1}",
		"search by rsps":      "experiment: search\nstrategy: {name: rsps}\nevaluate: {}\nexpect: {test_error: 1}",
		"search by random":    "experiment: search\nstrategy: {name: random}\nevaluate: {}\nexpect: {test_error: 1}",
		"search by evolution": "experiment: search\nstrategy: {name: evolution}\nevaluate: {}\nexpect: {test_error: 1}",
		"search by reinforce": "experiment: search\nstrategy: {name: reinforce}\nevaluate: {}\nexpect: {test_error: 1}",

		Repeat: "experiment: repeat\nrepeat: {search: a.yaml}\nevaluate: {train: b.yaml}\nexpect: {test_error: 1}",

		Comparison: "experiment: compare\ncompare: {expect: {}}\nevaluate: {train: b.yaml}",
		Sweep:      "experiment: sweep\nbase: b.yaml",

		"search of texts": "experiment: search\ndata: {name: ptb}\nexpect: {test_perplexity: 50}",
		"train of texts":  "experiment: train\ndata: {name: ptb}\nexpect: {test_perplexity: 50}",

		"search of texts by random": "experiment: search\nstrategy: {name: random}\ndata: {name: ptb}\nexpect: {test_perplexity: 50}",
	}
	for experiment, text := range files {
		path := filepath.Join(write(t, map[string]string{"x.yaml": text}), "x.yaml")
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range current.Load().rows() {
			t.Run(experiment+"/"+k.path, func(t *testing.T) {
				trial, ok := trialOf(k.path)
				if !ok {
					t.Fatal("no row in trials")
				}
				if other, ok := textTrials[k.path]; ok && c.Data.IsText() {
					trial = other
				}
				if k.path == "strategy.name" && trial.good == c.Strategy.Name {
					trial.good = "reinforce"
				}
				if !c.Has(k.path) && ofTraining(k.path) && (c.Evaluate != nil || k.path == trainKey) {
					return // a file instead of keys, or keys for LoadWhole
				}
				if !c.Has(k.path) {
					_, err := Load(path, k.path+"="+trial.good)
					if trial.good != "" && (err == nil || !strings.Contains(err.Error(), "does not apply")) {
						t.Errorf("error %v, want that the key does not apply", err)
					}
					return
				}
				untried := slices.DeleteFunc(slices.Clone(k.oneOf()), func(v string) bool { return slices.Contains(trial.bad, v) })
				if trial.good == "" && len(untried) > 1 && k.path != "experiment" {
					t.Error("no good value to try, though the key has more than one")
				}
				with := companions[k.path]
				if trial.good != "" && bytes.Equal(resolved(t, path, with...), resolved(t, path, slices.Concat(with, []string{k.path + "=" + trial.good})...)) {
					t.Errorf("--set %s=%s changes nothing", k.path, trial.good)
				}
				if len(trial.bad) == 0 {
					t.Error("no bad value to try")
				}
				for _, bad := range trial.bad {
					item := k.path + "=" + bad
					if _, err := Load(path, item); err == nil {
						t.Errorf("--set %s: no error", item)
					} else if !strings.HasPrefix(err.Error(), "config: --set "+item+": ") {
						t.Errorf("--set %s: error %q does not begin with the item", item, err)
					}
				}
			})
		}
	}
}

// resolved is the YAML of a file after items.
func resolved(t *testing.T, path string, set ...string) []byte {
	t.Helper()
	c, err := Load(path, set...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestKeysComplete(t *testing.T) {
	// Keys has a line with a meaning for each field when Config and the keys of all strategies are walked by reflection.
	lines := Keys()
	seen := map[string]bool{}
	var walk func(t *testing.T, typ reflect.Type, prefix string)
	walk = func(t *testing.T, typ reflect.Type, prefix string) {
		for f := range typ.Fields() {
			ft := f.Type
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if f.Anonymous {
				walk(t, ft, prefix)
				continue
			}
			if f.Type.Kind() == reflect.Interface {
				for _, m := range current.Load().methods {
					if m.Keys != nil {
						walk(t, reflect.TypeOf(m.Keys), prefix)
					}
				}
				continue
			}
			name := prefix + snake(f.Name)
			if f.Name == "File" { // or what is in Train
				name = trainKey
			}
			if got := f.Tag.Get("key"); got != last(name) {
				t.Errorf("field %s has key %q, want %q", f.Name, got, last(name))
			}
			if ft.Kind() == reflect.Struct && !isLeaf(ft) {
				walk(t, ft, name+".")
				continue
			}
			seen[name] = true
			if !slices.ContainsFunc(lines, func(l string) bool {
				path, doc, _ := strings.Cut(l, " ")
				return path == name && len(strings.TrimSpace(doc)) > 10
			}) {
				t.Errorf("no line for %s", name)
			}
		}
	}
	walk(t, reflect.TypeFor[Config](), "")
	if len(seen) != len(lines) {
		t.Errorf("%d fields, %d lines", len(seen), len(lines))
	}
}

// snake spells a field's name as its key: "LRMin" is "lr_min".
func snake(name string) string {
	var out strings.Builder
	for i, r := range name {
		lower := strings.ToLower(string(r))
		if string(r) != lower && i > 0 {
			afterLower := strings.ToLower(name[i-1:i]) == name[i-1:i]
			beforeLower := i+1 < len(name) && strings.ToLower(name[i+1:i+2]) == name[i+1:i+2]
			if afterLower || beforeLower {
				out.WriteByte('_')
			}
		}
		out.WriteString(lower)
	}
	return out.String()
}

func ExampleKeys() {
	for _, line := range Keys() {
		if strings.HasPrefix(line, "w.lr") || strings.HasPrefix(line, "strategy.order") {
			fmt.Println(line)
		}
	}
	// Output:
	// strategy.order                           order of the architecture gradient: 1, or 2 (unrolled) (strategy darts; default 1)
	// w.lr                                     learning rate of the weights in the first epoch (default 0.025; of texts 20)
	// w.lr_min                                 learning rate the cosine falls to, at most lr (default 0.001 in a search, 0 in training)
	// w.lr_decay                               factor of the schedule step (default 0.97)
}
