package config_test

import (
	"testing"

	"godarts/nas/config"
	_ "godarts/nas/search"
)

func TestSettings(t *testing.T) {
	// Settings has every key that applies once, changed where a file gives another value than the default.
	c, err := config.Parse("test.yaml", []byte("{experiment: search, strategy: {name: darts, order: 2}, data: {name: digits}, w: {lr: 0.05}, "+
		"evaluate: {epochs: 3}, expect: {test_error: 3}}"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]config.Setting{}
	for _, s := range c.Settings() {
		if _, twice := seen[s.Path]; twice {
			t.Errorf("%s stands twice", s.Path)
		}
		seen[s.Path] = s
	}
	for path, changed := range map[string]bool{"w.lr": true, "data.name": true, "evaluate.train.epochs": true, "evaluate.train.data.batch": false, "alpha.lr": false, "seed": false} {
		if s, ok := seen[path]; !ok || s.Changed() != changed {
			t.Errorf("%s: %+v, changed %v, want %v", path, s, s.Changed(), changed)
		}
	}
	for _, path := range []string{"expect.test_error", "genotype", "data.bptt"} {
		if s, ok := seen[path]; ok {
			t.Errorf("%+v does not apply", s)
		}
	}
}
