package runtable_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/record"
	"godarts/nas/runtable"
)

func TestLabels(t *testing.T) {
	// A legend names runs by the few keys in which they differ, without the seed if there are others, else by their paths.
	const search = "experiment: search\ndata: {name: digits}\n"
	for name, test := range map[string]struct{ configs, want []string }{
		"one":        {[]string{search}, []string{"run-0"}},
		"equal":      {[]string{search, search}, []string{"run-0", "run-1"}},
		"seeds":      {[]string{search + "seed: 0\n", search + "seed: 1\n"}, []string{"seed 0", "seed 1"}},
		"strategies": {[]string{search + "strategy: {name: darts}\n", search + "strategy: {name: gdas}\n"}, []string{"darts", "gdas"}},
		"a rate and seeds": {[]string{search, search + "seed: 1\n", search + "seed: 1\nw: {lr: 0.05}\n"},
			[]string{"lr 0.025", "lr 0.025", "lr 0.05"}},
		"two rates": {[]string{search, search + "w: {lr: 0.05}\nalpha: {lr: 0.01}\n"}, []string{"w.lr 0.025, alpha.lr 0.0003", "w.lr 0.05, alpha.lr 0.01"}},
		"many keys": {[]string{search, search + "w: {lr: 0.05, lr_min: 0.01, momentum: 0, weight_decay: 0}\n"}, []string{"run-0", "run-1"}},
		"a section": {[]string{search, search + "evaluate: {}\n"}, []string{"run-0", "run-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var runs []*record.Run
			for i, text := range test.configs {
				runs = append(runs, run(t, fmt.Sprintf("/runs/run-%d", i), text, record.Done))
			}
			if diff := cmp.Diff(test.want, runtable.Labels(runs)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
