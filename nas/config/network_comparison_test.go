package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// comparisonFiles are the files of a comparison on networks.
var comparisonFiles = map[string]string{
	"c.yaml": "experiment: compare\ncompare:\n  search: s.yaml\n  strategies: [[strategy.name=darts], [strategy.order=2, epochs=3], [strategy.name=random], [strategy.name=random, strategy.trials=2]]\n  seeds: 2\nevaluate: {train: t.yaml}",
	"s.yaml": "experiment: search\ndata: {name: digits}\nepochs: 5",
	"t.yaml": "experiment: train\ndata: {name: digits}",
}

func TestLoadNetworkComparison(t *testing.T) {
	// Searches are the common config with each strategy's items, then those of the command line, and have distinct names, when strategies are listed.
	dir := write(t, comparisonFiles)
	c, err := LoadNetworkComparison(filepath.Join(dir, "c.yaml"), "search.data.batch=7", "train.epochs=4", "compare.seeds=3")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"darts-first", "darts-second", "random", "random-4"}, c.Names); diff != "" {
		t.Error(diff)
	}
	var got []int
	for _, s := range c.Searches {
		got = append(got, s.Epochs, s.Data.Batch)
		got = append(append(got, numbers(s, "strategy.order")...), numbers(s, "strategy.trials")...)
	}
	if diff := cmp.Diff([]int{5, 7, 1, 3, 7, 2, 5, 7, 24, 5, 7, 2}, got); diff != "" {
		t.Error(diff)
	}
	if c.Train.Epochs != 4 || c.Compare.Compare.Seeds != 3 {
		t.Errorf("training %+v, comparison %+v", c.Train, c.Compare.Compare)
	}
}

func TestLoadNetworkComparisonErrors(t *testing.T) {
	// One line says what is wrong when a comparison on networks cannot be made.
	tests := []struct {
		name, file, from, to, want string
	}{
		{"no strategies", "c.yaml", "strategies: [[strategy.name=darts], [strategy.order=2, epochs=3], [strategy.name=random], [strategy.name=random, strategy.trials=2]]", "strategies: []",
			"config: D/c.yaml: compare.strategies: none, want a list of lists of key=value items"},
		{"no training", "c.yaml", "\nevaluate: {train: t.yaml}", "", "config: D/c.yaml: evaluate.train: none, want the file of a train experiment, or keys of one"},
		{"no search", "c.yaml", "  search: s.yaml\n", "", "config: D/c.yaml: compare.search: none, want the file of a search experiment"},
		{"queries", "c.yaml", "seeds: 2", "seeds: 2\n  queries: 70", "config: D/c.yaml: compare: table, dataset, queries, evolution, reinforce and expect have no effect on networks, want none of them beside compare.strategies"},
		{"a seed", "c.yaml", "seeds: 2", "seeds: 2\nseed: 3", "config: D/c.yaml: seed: has no effect on networks, want those of compare.search and evaluate.train"},
		{"a strategy that is none", "c.yaml", "[strategy.name=random]", "[strategy.name=chance]", `config: D/c.yaml: compare.search: config: --set strategy.name=chance: strategy.name: given "chance", want darts or p-darts or`},
		{"an evaluation", "s.yaml", "epochs: 5", "epochs: 5\nevaluate: {}", "config: D/c.yaml: compare.search: strategy 1 has a section evaluate, which the comparison does itself, want none (evaluate: null)"},
		{"images held out", "t.yaml", "{name: digits}", "{name: digits, train_portion: 0.5}", "config: D/c.yaml: evaluate.train: data.train_portion 0.5, want 1: its trainings are measured on the test images"},
		{"a text", "t.yaml", "{name: digits}", "{name: ptb}", "config: D/c.yaml: compare"},
		{"a search that trains", "s.yaml", "experiment: search", "experiment: train", "config: D/c.yaml: compare.search: config: --set strategy.name=darts"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{}
			for name, text := range comparisonFiles {
				files[name] = text
			}
			files[test.file] = strings.Replace(files[test.file], test.from, test.to, 1)
			if files[test.file] == comparisonFiles[test.file] {
				t.Fatal("the test changes nothing")
			}
			dir := write(t, files)
			_, err := LoadNetworkComparison(filepath.Join(dir, "c.yaml"))
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), dir, "D"); !strings.HasPrefix(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("error %s\nwant  %s", got, test.want)
			}
		})
	}
}
