package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write puts files into a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTrainingDefaults(t *testing.T) {
	// Training of an empty evaluate section equals a train experiment with the search's data, dtype and seed when only those are set.
	c, err := Parse("x.yaml", []byte(`
experiment: search
data: {name: synthetic, root: /d, subset: 100, size: 48, channels: 1, augment: imagenet, mean: 0.5, std: 0.25}
network: {dtype: float64}
seed: 7
evaluate: {}`))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse("y.yaml", []byte(`
experiment: train
data: {name: synthetic, root: /d, subset: 100, size: 48, channels: 1, augment: imagenet, mean: 0.5, std: 0.25}
network: {dtype: float64}
seed: 7`))
	if err != nil {
		t.Fatal(err)
	}
	want.Genotype = ""
	if diff := cmp.Diff(want, c.Training()); diff != "" {
		t.Error(diff)
	}
	if got := want.Training(); got != nil {
		t.Errorf("Training of a train experiment = %v, want nil", got)
	}
}

func TestTrainingCarriesEvaluate(t *testing.T) {
	// Training takes every key of evaluate but random when it differs from its default.
	good := goodValues(Defaults(Search))
	for _, k := range current.Load().keys {
		if !strings.HasPrefix(k.path, trainKey+".") {
			continue
		}
		t.Run(k.path, func(t *testing.T) {
			path := write(t, map[string]string{"x.yaml": "experiment: search\nevaluate: {}"})
			plain, err := Load(filepath.Join(path, "x.yaml"), companions[k.path]...)
			if err != nil {
				t.Fatal(err)
			}
			changed, err := Load(filepath.Join(path, "x.yaml"), append(companions[k.path], k.path+"="+good[k.path])...)
			if err != nil {
				t.Fatal(err)
			}
			if cmp.Equal(plain.Training(), changed.Training()) {
				t.Errorf("%s=%s changes nothing in the training", k.path, good[k.path])
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	// Parse names file, line, key, what was given and what is wanted when the text is bad.
	search, train := "experiment: search\n", "experiment: train\n"
	text := search + "data: {name: ptb}\n"
	tests := []struct{ name, text, want string }{
		{"empty", "", `config: x.yaml: empty`},
		{"comments only", "# nothing\n", `config: x.yaml: empty`},
		{"null document", "---\n", `config: x.yaml:2: given nothing, want keys with values below it`},
		{"text", "hello", `config: x.yaml:1: given text "hello", want keys with values below it`},
		{"list", "- 1", `config: x.yaml:1: given a list, want keys with values below it`},
		{"bracket left open", search + "w: [", `config: x.yaml:2: not YAML: did not find expected node content`},
		{"brace left open", search + "w: {lr", `config: x.yaml:2: not YAML: did not find expected ',' or '}'`},
		{"brace left open on the first line", "w: {lr: 1\n", `config: x.yaml:1: not YAML: did not find expected ',' or '}'`},
		{"indentation", search + "w:\n  lr: 1\n momentum: 0", `config: x.yaml:4: not YAML: did not find expected key`},
		{"two colons", search + "epochs: seed: 2", `config: x.yaml:2: not YAML: mapping values are not allowed in this context`},
		{"tab", search + "\tepochs: 2", `config: x.yaml:2: not YAML: found a tab character that violates indentation`},
		{"quote left open", search + "data:\n  root: \"a\n  batch: 3\nseed: 3", `config: x.yaml:3: not YAML: found unexpected end of stream`},
		{"bracket left open after lists over lines", search + "alpha:\n  betas: [0.1\n   , 0.2]\nw: [1\n\n", `config: x.yaml:5: not YAML: did not find expected ',' or ']'`},
		{"undefined tag", search + "seed: !a!b 2", `config: x.yaml:2: not YAML: found undefined tag handle`},
		{"undefined alias", search + "seed: *a", `config: x.yaml:2: not YAML: unknown anchor 'a' referenced`},
		{"not UTF-8", search + "seed: \xff", `config: x.yaml:2: not UTF-8 text: byte 0xff`},
		{"control character", search + "seed: \x01", `config: x.yaml:2: not text: character U+0001`},
		{"two documents", search + "---\nepochs: 3", `config: x.yaml:2: a second YAML document; want one`},
		{"no experiment", "epochs: 3", `config: x.yaml: no key "experiment", want experiment: search, train, repeat, compare or sweep`},
		{"other experiment", "experiment: serch", `config: x.yaml:1: experiment: given "serch", want search or train or repeat or compare or sweep`},
		{"extends", search + "extends: y.yaml", `config: x.yaml:2: extends: a resolved config stands alone`},

		{"misspelt key", search + "w:\n  lr: 0.1\n  momentun: 0.9", `config: x.yaml:4: unknown key "w.momentun" (nearest: "w.momentum")`},
		{"misspelt section", search + "netwrk: {layers: 4}", `config: x.yaml:2: unknown key "netwrk" (nearest: "network")`},
		{"key of another section", search + "w: {betas: [0.5, 0.9]}", `config: x.yaml:2: unknown key "w.betas" (nearest: "alpha.betas")`},
		{"key without section", search + "batch: 3", `config: x.yaml:2: unknown key "batch" (nearest: "data.batch")`},
		{"dotted key", search + "w.lrr: 0.1", `config: x.yaml:2: unknown key "w.lrr" (nearest: "w.lr")`},
		{"number as key", search + "1: 2", `config: x.yaml:2: unknown key "1" (nearest: "w")`},
		{"list as key", search + "[a]: 2", `config: x.yaml:2: a key is given as a list, want a name`},
		{"same key twice", search + "epochs: 3\nepochs: 4", `config: x.yaml:3: key "epochs" is given twice`},
		{"same section twice", search + "w: {lr: 1}\nw: {lr: 2}", `config: x.yaml:3: key "w" is given twice`},
		{"alias", search + "w: &a {lr: 1}\nalpha: *a", `config: x.yaml:3: alpha: *a: aliases are not supported; write the value out`},
		{"merge", search + "w: &a {lr: 1}\nalpha: {<<: *a}", `config: x.yaml:3: unknown key "alpha.<<" (nearest: "alpha.lr")`},

		{"text for number", search + "w: {lr: fast}", `config: x.yaml:2: w.lr: given text "fast", want a number`},
		{"quoted number", search + `w: {lr: "0.1"}`, `config: x.yaml:2: w.lr: given text "0.1", want a number`},
		{"fraction for whole", search + "epochs: 2.5", `config: x.yaml:2: epochs: given 2.5, want a whole number, at most 2147483647, in decimal digits`},
		{"huge", search + "data: {batch: 3000000000}", `config: x.yaml:2: data.batch: given 3000000000, want a whole number, at most 2147483647`},
		{"hexadecimal", search + "seed: 0x10", `config: x.yaml:2: seed: given 0x10, want a whole number, at most 9223372036854775807, in decimal digits`},
		{"infinite", search + "w: {lr: .inf}", `config: x.yaml:2: w.lr: given .inf, want a finite decimal number`},
		{"not a number", search + "w: {lr: .nan}", `config: x.yaml:2: w.lr: given .nan, want a finite decimal number`},
		{"overflow", search + "w: {lr: 1e999}", `config: x.yaml:2: w.lr: given text "1e999", want a number`},
		{"nothing", search + "w: {lr: }", `config: x.yaml:2: w.lr: given nothing, want a number`},
		{"number for text", search + "data: {root: 2024}", `config: x.yaml:2: data.root: given 2024, want text (in quotes if it looks like something else)`},
		{"text for bool", train + "network: {auxiliary: yes}", `config: x.yaml:2: network.auxiliary: given text "yes", want true or false`},
		{"one beta", search + "alpha: {betas: [0.5]}", `config: x.yaml:2: alpha.betas: given a list, want a list of two numbers`},
		{"beta in words", search + "alpha:\n  betas: [0.5, high]", `config: x.yaml:3: alpha.betas: given a list, want a list of two numbers; number 2 is text "high"`},
		{"number for section", search + "w: 3", `config: x.yaml:2: w: given 3, want keys with values below it`},
		{"empty section", search + "w:", `config: x.yaml:2: w: given nothing, want keys with values below it`},
		{"section for number", search + "epochs: {a: 1}", `config: x.yaml:2: epochs: given a mapping, want a whole number`},

		{"momentum", search + "w: {momentum: 1}", `config: x.yaml:2: w.momentum: given 1, want [0, 1)`},
		{"learning rate", search + "w: {lr: 0}", `config: x.yaml:2: w.lr: given 0, want more than 0`},
		{"batch", search + "data: {batch: 0}", `config: x.yaml:2: data.batch: given 0, want 1 or more`},
		{"betas", search + "alpha: {betas: [0.5, 1]}", `config: x.yaml:2: alpha.betas: given [0.5, 1], want two numbers in [0, 1)`},
		{"order", search + "strategy: {order: 3}", `config: x.yaml:2: strategy.order: given 3, want 1 or 2`},
		{"odd channels", search + "network: {channels: 5}", `config: x.yaml:2: network.channels: given 5, want an even number: a reduction gives half of its channels to each of two convolutions`},
		{"few layers", search + "network: {layers: 2}", `config: x.yaml:2: network.layers: given 2, want 3 or more: too few layers for two reductions`},
		{"empty genotype", train + `genotype: " "`, `config: x.yaml:2: genotype: given " ", want text`},
		{"many lines of text", search + `data: {name: "a\nb"}`, `config: x.yaml:2: data.name: given "a\x0ab", want cifar10 or cifar100 or digits or imagefolder or synthetic or ptb or wikitext2 or text or synthetic-text`},

		{"alpha in training", train + "alpha: {lr: 1}", `config: x.yaml:2: key "alpha" does not apply to experiment train, only to search`},
		{"empty section in training", train + "strategy: {}", `config: x.yaml:2: key "strategy" does not apply to experiment train, only to search`},
		{"nodes in training", train + "network: {nodes: 4}", `config: x.yaml:2: key "network.nodes" does not apply to experiment train, only to search`},
		{"auxiliary in search", search + "network: {auxiliary: true}", `config: x.yaml:2: key "network.auxiliary" does not apply to strategy darts, only to random, evolution or reinforce`},
		{"genotype in search", search + "genotype: DARTS_V1", `config: x.yaml:2: key "genotype" does not apply to experiment search, only to train`},

		{"expect without number", search + "expect: {std: 1}", `config: x.yaml:2: expect: no test_error, want the published test error in percent`},
		{"bf16 of float64", search + "network: {dtype: float64}\nw:\n  precision: bf16", `config: x.yaml:4: w.precision: bf16 has no effect on network.dtype float64, want full, or float32 there`},
		{"tf32 of float64", search + "network: {dtype: float64}\nw:\n  precision: tf32", `config: x.yaml:4: w.precision: tf32 has no effect on network.dtype float64, want full, or float32 there`},
		{"evaluate bf16 of float64", search + "evaluate: {w: {precision: bf16}}\nnetwork: {dtype: float64}", `config: x.yaml:2: evaluate.train.w.precision: bf16 has no effect on network.dtype float64, want full, or float32 there`},
		{"lr_min above lr", search + "w:\n  lr: 0.1\n  lr_min: 0.2", `config: x.yaml:4: w.lr_min: 0.2 is above w.lr 0.1, want at most that`},
		{"lr below default lr_min", search + "w: {lr: 0.0001}", `config: x.yaml:2: w.lr_min: 0.001 is above w.lr 0.0001, want at most that`},
		{"evaluate lr_min above lr", search + "evaluate: {w: {lr_min: 0.2}}", `config: x.yaml:2: evaluate.train.w.lr_min: 0.2 is above evaluate.train.w.lr 0.025, want at most that`},
		{"cutout on digits", train + "data: {name: digits, cutout: 16}", `config: x.yaml:2: data.cutout: 16 is wider than the 8x8 images of digits, want at most 8`},
		{"auxiliary on digits", train + "data: {name: digits}\nnetwork: {auxiliary: true}", `config: x.yaml:3: network.auxiliary: the auxiliary head needs 32x32 images, those of digits are 8x8, want false`},
		{"evaluate auxiliary on digits", search + "data: {name: digits}\nevaluate: {network: {auxiliary: true}}", `config: x.yaml:3: evaluate.train.network.auxiliary: the auxiliary head needs 32x32 images, those of digits are 8x8, want false`},
		{"evaluate cutout on cifar10", search + "evaluate: {cutout: 33}", `config: x.yaml:2: evaluate.train.data.cutout: 33 is wider than the 32x32 images of cifar10, want at most 32`},
		{"imagefolder without root", search + "data: {name: imagefolder}", `config: x.yaml:2: data.root: imagefolder needs one, want the folder that holds train`},
		{"size of cifar10", search + "data: {size: 64}", `config: x.yaml:2: data.size: 64 has no effect on cifar10, whose images are 32x32, want 0`},
		{"channels of digits", search + "data: {name: digits, channels: 3}", `config: x.yaml:2: data.channels: 3 has no effect on digits, whose images have 1, want 0`},
		{"labels of cifar10", search + "data: {labels: coarse}", `config: x.yaml:2: data.labels: coarse has no effect on cifar10, only on cifar100`},
		{"split of digits", search + "data: {name: digits, split_seed: 1}", `config: x.yaml:2: data.split_seed: 1 has no effect on digits, only on imagefolder`},
		{"bad files of cifar10", search + "data: {on_bad_file: skip}", `config: x.yaml:2: data.on_bad_file: skip has no effect on cifar10, only on imagefolder`},
		{"a check of cifar10", search + "data: {check: off}", `config: x.yaml:2: data.check: off has no effect on cifar10, only on imagefolder`},
		{"pixels of cifar10", search + "data: {max_pixels: 5}", `config: x.yaml:2: data.max_pixels: 5 has no effect on cifar10, only on imagefolder`},
		{"mean alone", search + "data: {mean: 0.5}", `config: x.yaml:2: data.mean: has no effect without data.std, want both or neither`},
		{"deviation of 0", search + "data: {std: [0.1, 0, 0.1]}", `config: x.yaml:2: data.std: a deviation of 0, want more than 0 for each channel, or 0 for all`},
		{"colours of grey", search + "data: {name: digits, mean: [0.1, 0.2, 0.3], std: 1}", `config: x.yaml:2: data.mean: three numbers for images of 1 channel, want one number`},
		{"deviations of grey", search + "data: {name: digits, std: [0.1, 0.2, 0.3]}", `config: x.yaml:2: data.std: three numbers for images of 1 channel, want one number`},
		{"two means", search + "data: {mean: [0.1, 0.2]}", `config: x.yaml:2: data.mean: given a list, want a number, or a list of three numbers`},
		{"mean in words", search + "data: {mean: grey}", `config: x.yaml:2: data.mean: given text "grey", want a number, or a list of three numbers`},
		{"mean beyond white", search + "data: {mean: [0.1, 2, 0.3]}", `config: x.yaml:2: data.mean: given [0.1, 2, 0.3], want three numbers in [0, 1]`},
		{"cutout beyond size", search + "data: {name: synthetic, size: 24, cutout: 25}", `config: x.yaml:2: data.cutout: 25 is wider than the 24x24 images of synthetic, want at most 24`},
		{"lr_min of steps", train + "w: {schedule: step, lr_min: 0.01}", `config: x.yaml:2: w.lr_min: 0.01 has no effect with w.schedule step, want w.schedule cosine`},
		{"lr_decay of cosine", train + "w: {lr_decay: 0.9}", `config: x.yaml:2: w.lr_decay: 0.9 has no effect with w.schedule cosine, want w.schedule step`},
		{"restart of cosine", train + "w: {restart: 5}", `config: x.yaml:2: w.restart: 5 has no effect with w.schedule cosine, want w.schedule restarts`},
		{"restart_factor of step", train + "w: {schedule: step, restart_factor: 3}", `config: x.yaml:2: w.restart_factor: 3 has no effect with w.schedule step, want w.schedule restarts`},
		{"lr_min above lr in restarts", train + "w: {schedule: restarts, lr: 0.1, lr_min: 0.2}", `config: x.yaml:2: w.lr_min: 0.2 is above w.lr 0.1, want at most that`},
		{"more finalists than candidates", search + "strategy: {name: rsps, candidates: 5}", `config: x.yaml:2: strategy.finalists: 10 is more than strategy.candidates 5, of which they are the best, want at most that`},
		{"lr_decay of evaluate", search + "evaluate: {w: {lr_decay: 0.9}}", `config: x.yaml:2: evaluate.train.w.lr_decay: 0.9 has no effect with evaluate.train.w.schedule cosine, want evaluate.train.w.schedule step`},
		{"multiplier of the imagenet stem", train + "network:\n  stem: imagenet\n  stem_multiplier: 2", `config: x.yaml:4: network.stem_multiplier: 2 has no effect with network.stem imagenet, want network.stem cifar`},
		{"stem in search", search + "network: {stem: imagenet}", `config: x.yaml:2: key "network.stem" does not apply to strategy darts, only to random, evolution or reinforce`},
		{"subset beyond the set", search + "data: {name: digits, subset: 1438}", `config: x.yaml:2: data.subset: 1438 is more than the 1437 training images of digits, want at most that, or 0 for all`},
		{"subset too small to split", search + "data: {subset: 1}", `config: x.yaml:2: data.train_portion: 0.5 of 1 images leaves 0 for the weights and 1 for alpha, want at least 1 for each`},
		{"nothing left for alpha", search + "data: {train_portion: 1}", `config: x.yaml:2: data.train_portion: 1 of 50000 images leaves 50000 for the weights and 0 for alpha, want at least 1 for each`},
		{"nothing left for validation", train + "data: {subset: 2, train_portion: 0.1}", `config: x.yaml:2: data.train_portion: 0.1 of 2 images leaves 0 for the weights and 2 for validation, want at least 1 for each`},
		{"repeat in training", train + "repeat: {trains: 2}", `config: x.yaml:2: key "repeat" does not apply to experiment train, only to repeat`},
		{"repeat of nothing", "experiment: repeat", `config: x.yaml: repeat: no search, want the file of a search experiment`},
		{"repeat without training", "experiment: repeat\nrepeat: {search: a.yaml}", `config: x.yaml:2: no evaluate.train, want the file of a train experiment, or keys of one`},
		{"epochs in repeat", "experiment: repeat\nrepeat: {search: a.yaml, train: b.yaml}\nepochs: 3", `config: x.yaml:3: key "epochs" does not apply to experiment repeat, only to search or train`},
		{"channels that can not be parted", search + "strategy: {name: pc-darts}\nnetwork: {channels: 12}", `config: x.yaml:3: network.channels: operations have one in 4 (strategy.partial) of 12, which a reduction halves, want a multiple of 8`},
		{"epochs of unequal stages", search + "strategy: {name: p-darts}\nepochs: 50", `config: x.yaml:3: epochs: 50 are not shared evenly by the 3 stages of p-darts, want a multiple of 3`},
		{"layers of stages", search + "strategy: {name: p-darts}\nnetwork: {layers: 8}", `config: x.yaml:3: key "network.layers" does not apply to strategy p-darts, only to all others`},
		{"nesterov without momentum", search + "w: {nesterov: true, momentum: 0}", `config: x.yaml:2: w.nesterov: true has no effect with w.momentum 0, want more there, or false`},
		{"nesterov in second order", search + "strategy: {order: 2}\nw: {nesterov: true}", `config: x.yaml:3: w.nesterov: the virtual step of strategy.order 2 has plain momentum, want false, or strategy.order 1`},
		{"target without weight", search + "alpha: {cost: {target: 3}}", `config: x.yaml:2: alpha.cost.target: 3 has no effect with alpha.cost.weight 0, want a weight`},
		{"cost without weight", search + "alpha: {cost: {of: parameters}}", `config: x.yaml:2: alpha.cost.of: parameters has no effect with alpha.cost.weight 0, want a weight`},
		{"exact product in first order", search + "alpha: {hvp: {method: exact}}", `config: x.yaml:2: alpha.hvp.method: exact has no effect with strategy.order 1, want strategy.order 2`},
		{"radius in first order", search + "alpha: {hvp: {radius: 0.1}}\nstrategy: {order: 1}", `config: x.yaml:2: alpha.hvp.radius: 0.1 has no effect with strategy.order 1, want strategy.order 2`},
		{"radius of the exact product", search + "strategy: {order: 2}\nalpha: {hvp: {method: exact, radius: 0.1}}", `config: x.yaml:3: alpha.hvp.radius: 0.1 has no effect with alpha.hvp.method exact, want alpha.hvp.method finite-difference`},
		{"window without early stop", search + "strategy: {early_stop: {window: 3}}", `config: x.yaml:2: strategy.early_stop.window: 3 has no effect with strategy.early_stop.every 0, want 1 or more there`},
		{"interval of a selection by alpha", search + "strategy: {perturbation: {interval: 1}}", `config: x.yaml:2: strategy.perturbation.interval: 1 has no effect with strategy.selection alpha, want perturbation there`},
		{"early stop before a selection by perturbation", search + "strategy:\n  selection: perturbation\n  early_stop: {every: 2}", `config: x.yaml:4: strategy.early_stop.every: a search that selects by perturbation does not end early, want 0, or strategy.selection alpha`},
		{"limit of skips in a selection by perturbation", search + "strategy: {skip_limit: 2, selection: perturbation}", `config: x.yaml:2: strategy.skip_limit: 2 has no effect with strategy.selection perturbation, want -1, or strategy.selection alpha`},
		{"skip limit of a text", search + "data: {name: ptb}\nstrategy: {skip_limit: 2}", `config: x.yaml:3: key "strategy.skip_limit" does not apply to texts (data.name ptb), only to images`},
		{"hvp in training", train + "alpha: {hvp: {radius: 1}}", `config: x.yaml:2: key "alpha" does not apply to experiment train, only to search`},
		{"comparison with a network", "experiment: compare\nnetwork: {layers: 4}", `config: x.yaml:2: key "network" does not apply to experiment compare, only to search or train`},
		{"comparison with images", "experiment: compare\ndata: {batch: 4}", `config: x.yaml:2: key "data.batch" does not apply to experiment compare, only to search or train`},
		{"comparison in a search", search + "compare: {}", `config: x.yaml:2: key "compare" does not apply to experiment search, only to compare`},
		{"comparison of one seed", "experiment: compare\ncompare: {seeds: 1}", `config: x.yaml:2: compare.seeds: given 1, want 2 or more: one has no spread`},
		{"population of all queries", "experiment: compare\ncompare: {queries: 20, evolution: {population: 21}}", `config: x.yaml:2: compare.evolution.population: 21 is more than compare.queries 20, which would leave none to evolve, want at most that`},
		{"root of no file", "experiment: compare\ndata: {root: /d}\ncompare: {table: synthetic}", `config: x.yaml:2: data.root: has no effect with compare.table synthetic, want ""`},
		{"layers of a text", text + "network: {layers: 4}", `config: x.yaml:3: key "network.layers" does not apply to texts (data.name ptb), only to images`},
		{"evaluate of a text", text + "evaluate: {}", `config: x.yaml:3: key "evaluate" does not apply to texts (data.name ptb), only to images`},
		{"hidden of images", search + "network: {hidden: 4}", `config: x.yaml:2: key "network.hidden" does not apply to images (data.name cifar10), only to texts (ptb, wikitext2, text or synthetic-text)`},
		{"dropout of images", search + "network: {dropout: {}}", `config: x.yaml:2: key "network.dropout" does not apply to images (data.name cifar10), only to texts (ptb, wikitext2, text or synthetic-text)`},
		{"error of a text", text + "expect: {test_error: 4}", `config: x.yaml:3: expect: no test_perplexity, want the published test perplexity`},
		{"text without root", train + "data: {name: text}", `config: x.yaml:2: data.root: text needs one, want the folder that holds train.txt, valid.txt and test.txt`},
		{"root of a built-in text", train + "data: {name: synthetic-text, root: /d}", `config: x.yaml:2: data.root: has no effect on synthetic-text, which is built in, want ""`},
		{"part of the columns", train + "data: {name: ptb, small_batch: 24}", `config: x.yaml:2: data.small_batch: 24 does not divide data.batch 64`},
		{"one column in a search", search + "data: {name: ptb, batch: 1}", `config: x.yaml:2: data.batch: the search normalises over columns, want 2 or more`},
		{"one column at a time", search + "data: {name: ptb, small_batch: 1}", `config: x.yaml:2: data.small_batch: the search normalises over columns, want 2 or more`},
		{"corrected first order", text + "alpha: {corrected: true}", `config: x.yaml:3: alpha.corrected: has no effect with strategy.order 1, want strategy.order 2`},
		{"exact first order of a text", text + "alpha: {hvp: {method: exact}}", `config: x.yaml:3: alpha.hvp.method: exact has no effect with strategy.order 1, want strategy.order 2`},
		{"window in a search", text + "nonmono: 5", `config: x.yaml:3: key "nonmono" does not apply to strategy darts, only to random, evolution or reinforce`},
		{"too large to read", strings.Repeat("#", maxFileBytes+1), `config: x.yaml: more than 65536 bytes`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("x.yaml", []byte(test.text))
			if err == nil {
				t.Fatalf("no error, want %s; got %+v", test.want, c)
			}
			if c != nil {
				t.Errorf("a config beside the error")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadOverlay(t *testing.T) {
	// Load takes the item before the file and the file before the file it extends when all give a key.
	dir := write(t, map[string]string{
		"base.yaml": "experiment: search\nepochs: 10\ndata: {batch: 8, subset: 64}\nw: {lr: 0.1, momentum: 0.5}\nexpect: {test_error: 3}",
		"toy.yaml":  "extends: base.yaml\nepochs: 2\ndata: {batch: 4}\nexpect: null",
	})
	want, err := Parse("x.yaml", []byte("experiment: search\nstrategy: {order: 2}"))
	if err != nil {
		t.Fatal(err)
	}
	want.Epochs = 2
	want.Data.Batch, want.Data.Subset = 4, 64
	want.W.LR, want.W.Momentum = 0.3, 0.5
	want.Alpha.Betas = [2]float64{0.1, 0.2}
	want.Evaluate = evaluateDefaults()
	want.Evaluate.Random = 3
	got, err := Load(filepath.Join(dir, "toy.yaml"), "w.lr=0.2", "w.lr=0.3", "alpha.betas=[0.1, 0.2]",
		"evaluate.random=3", "strategy={order: 2}")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadDropsSection(t *testing.T) {
	// Load forgets an optional section when a later layer says null, and starts it afresh when it is given again.
	dir := write(t, map[string]string{"x.yaml": "experiment: search\nevaluate: {random: 5, w: {lr: 0.5}}"})
	path := filepath.Join(dir, "x.yaml")
	c, err := Load(path, "evaluate=null")
	if err != nil {
		t.Fatal(err)
	}
	if c.Evaluate != nil {
		t.Errorf("evaluate = %+v, want none", c.Evaluate)
	}
	if c, err = Load(path, "evaluate=null", "evaluate.epochs=1"); err != nil {
		t.Fatal(err)
	}
	want := evaluateDefaults()
	want.Train.Epochs = 1
	if diff := cmp.Diff(want, c.Evaluate); diff != "" {
		t.Error(diff)
	}
}

func TestLoadErrors(t *testing.T) {
	// Load blames the layer that wrote the offending value when sources are overlaid. "D/" stands for the folder.
	dir := write(t, map[string]string{
		"base.yaml":     "experiment: search\nw: {lr: 0.1}\nepochs: -1",
		"good.yaml":     "experiment: search\nw:\n  lr: 0.1",
		"toy.yaml":      "extends: good.yaml\n\nw: {momentum: 2}",
		"bad-base.yaml": "extends: base.yaml",
		"twice.yaml":    "# three files deep\nextends: toy.yaml",
		"missing.yaml":  "extends: god.yaml",
		"list.yaml":     "extends: [good.yaml]",
		"lrmin.yaml":    "extends: good.yaml\nw: {lr_min: 0.2}",
		"syntax.yaml":   "extends: good.yaml\nw: {lr",
	})
	tests := []struct {
		name, file string
		set        []string
		want       string
	}{
		{"value of the file", "toy.yaml", nil, `config: D/toy.yaml:3: w.momentum: given 2, want [0, 1)`},
		{"value of the extended file", "bad-base.yaml", nil, `config: D/base.yaml:3: epochs: given -1, want 0 or more`},
		{"between two files", "lrmin.yaml", nil, `config: D/lrmin.yaml:2: w.lr_min: 0.2 is above w.lr 0.1, want at most that`},
		{"between file and item", "good.yaml", []string{"w.lr=1e-4"}, `config: --set w.lr=1e-4: w.lr_min: 0.001 is above w.lr 0.0001, want at most that`},
		{"extends twice", "twice.yaml", nil, `config: D/twice.yaml:2: extends: D/toy.yaml, which itself extends a file (D/toy.yaml:1); one level is allowed`},
		{"extends a missing file", "missing.yaml", nil, `config: D/missing.yaml:1: extends: open D/god.yaml: no such file or directory (nearest: D/good.yaml)`},
		{"extends a list", "list.yaml", nil, `config: D/list.yaml:1: extends: given a list, want the name of a file`},
		{"missing file", "goods.yaml", nil, `config: open D/goods.yaml: no such file or directory (nearest: D/good.yaml)`},
		{"folder", "", nil, `config: read D: is a directory`},
		{"syntax", "syntax.yaml", nil, `config: D/syntax.yaml:2: not YAML: did not find expected ',' or '}'`},

		{"item out of range", "good.yaml", []string{"w.lr=-1"}, `config: --set w.lr=-1: w.lr: given -1, want more than 0`},
		{"item of wrong type", "good.yaml", []string{"epochs=ten"}, `config: --set epochs=ten: epochs: given text "ten", want a whole number`},
		{"item with unknown key", "good.yaml", []string{"w.momentun=0.9"}, `config: --set w.momentun=0.9: unknown key "w.momentun" (nearest: "w.momentum")`},
		{"item with unknown key below", "good.yaml", []string{"w={momentun: 0.9}"}, `config: --set w={momentun: 0.9}: unknown key "w.momentun" (nearest: "w.momentum")`},
		{"item without value", "good.yaml", []string{"w.lr="}, `config: --set w.lr=: no value after "=" (write "" for empty text)`},
		{"item with a comment as value", "good.yaml", []string{"w.lr=#"}, `config: --set w.lr=#: w.lr: empty`},
		{"item without equals", "good.yaml", []string{"w.lr"}, `config: --set w.lr: want key.path=value`},
		{"item without key", "good.yaml", []string{"=1"}, `config: --set =1: unknown key "" (nearest: "w")`},
		{"item extends", "good.yaml", []string{"extends=toy.yaml"}, `config: --set extends=toy.yaml: "extends" belongs in a file`},
		{"item not YAML", "good.yaml", []string{"alpha.betas=[0.5"}, `config: --set alpha.betas=[0.5: alpha.betas: not YAML: did not find expected ',' or ']'`},
		{"item of two documents", "good.yaml", []string{"w.lr=1\n---\n2"}, `config: --set w.lr=1\x0a---\x0a2: w.lr: a second YAML document; want one`},
		{"item drops a needed section", "good.yaml", []string{"w=null"}, `config: --set w=null: w: given nothing, want keys with values below it`},
		{"item that does not apply", "good.yaml", []string{"network.drop_path=0.1"}, `config: --set network.drop_path=0.1: key "network.drop_path" does not apply to strategy darts, only to random, evolution or reinforce`},
		{"experiment changed", "good.yaml", []string{"experiment=train", "alpha.lr=1"}, `config: --set alpha.lr=1: key "alpha" does not apply to experiment train, only to search`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(filepath.Join(dir, test.file), test.set...)
			if err == nil {
				t.Fatalf("no error, want %s", test.want)
			}
			if diff := cmp.Diff(test.want, strings.ReplaceAll(err.Error(), dir, "D")); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("missing file is ErrNotExist", func(t *testing.T) {
		if _, err := Load(filepath.Join(dir, "goods.yaml")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("errors.Is(%v, fs.ErrNotExist) is false", err)
		}
	})
}

func TestHome(t *testing.T) {
	// A ~ in a key that names a file or a folder, and in extends, stands for the home folder, and that of another user is an error with its place.
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	base := write("base.yaml", "experiment: search\ndata: {name: imagefolder, root: ~/photos}\n")
	write("train.yaml", "experiment: train\ngenotype: NASNet\n")
	elsewhere := filepath.Join(t.TempDir(), "x.yaml")
	for text, want := range map[string]string{
		"extends: ~/base.yaml\n":                                  filepath.Join(dir, "photos"),
		"extends: ~/base.yaml\ndata: {root: '~'}":                 dir,
		"extends: ~/base.yaml\ndata: {root: ./~/x}":               "./~/x",
		"experiment: search\ndata: {name: digits, root: \"~/d\"}": filepath.Join(dir, "d"),
	} {
		if err := os.WriteFile(elsewhere, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if c, err := Load(elsewhere); err != nil || c.Data.Root != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if c, err := Load(base, "data.root=~/others"); err != nil || c.Data.Root != filepath.Join(dir, "others") {
		t.Errorf("an item: %v", err)
	}
	if err := os.WriteFile(elsewhere, []byte("experiment: repeat\nrepeat: {search: ~/base.yaml, train: ~/train.yaml}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if w, err := LoadWhole(elsewhere, "search.data.name=digits", "train.data.name=digits"); err != nil || w.Search.Data.Root != filepath.Join(dir, "photos") {
		t.Errorf("a protocol: %v", err)
	}
	want := "config: --set data.root=~you/x: data.root: ~you/x: the home of another user is not looked up: write the whole path (or ./~you for a file of that name)"
	if _, err := Load(base, "data.root=~you/x"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := os.WriteFile(elsewhere, []byte("extends: ~you/base.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(elsewhere); err == nil || !strings.Contains(err.Error(), "x.yaml:1: extends: ~you/base.yaml: the home of another user") {
		t.Errorf("got %v", err)
	}
}
