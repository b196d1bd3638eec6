package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/config"
)

func TestVarying(t *testing.T) {
	// Varying lists the keys in which configs of one experiment differ, and optional sections that only some have.
	parse := func(text string) *config.Config {
		t.Helper()
		c, err := config.Parse("test.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	search := "experiment: search\nstrategy: {name: darts}\ndata: {name: digits}\n"
	folder := "experiment: search\nstrategy: {name: darts}\ndata: {name: imagefolder, root: a}\n"
	for name, test := range map[string]struct {
		configs []string
		want    []config.Variation
	}{
		"equal": {[]string{search, search}, nil},
		"one":   {[]string{search}, nil},
		"seeds and a rate": {[]string{search, search + "seed: 3\n", search + "w: {lr: 0.05}\nseed: 3\n"},
			[]config.Variation{{"w.lr", []string{"0.025", "0.025", "0.05"}}, {"seed", []string{"2", "3", "3"}}}},
		"a section": {[]string{search, search + "evaluate: {random: 1}\n"},
			[]config.Variation{{"evaluate", []string{"", "set"}}}},
		"inside of a section": {[]string{search, search + "evaluate: {random: 1}\n", search + "evaluate: {random: 2}\n"},
			[]config.Variation{{"evaluate", []string{"", "set", "set"}}, {"evaluate.random", []string{"", "1", "2"}}}},
		"experiments": {[]string{search, "experiment: train\ngenotype: DARTS_V2\ndata: {name: digits}\n", search + "w: {lr: 0.05}\n"},
			[]config.Variation{{"experiment", []string{"search", "train", "search"}}, {"w.lr", []string{"0.025", "0.025", "0.05"}}}},
		"machines and figures": {[]string{folder, strings.Replace(folder, "root: a", "root: b, check: header, on_bad_file: skip", 1) +
			"expect: {test_error: 3, source: a}\n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var configs []*config.Config
			for _, text := range test.configs {
				configs = append(configs, parse(text))
			}
			if diff := cmp.Diff(test.want, config.Varying(configs)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
