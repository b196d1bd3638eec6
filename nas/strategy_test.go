package nas_test

import (
	"testing"

	"godarts/nas/config"
	"godarts/nas/nastest"
)

// tiny is a search of some steps on a few digits.
func tiny(t testing.TB, set ...string) *config.Config {
	t.Helper()
	return load(t, "testdata/tiny.yaml", set...)
}

func load(t testing.TB, file string, set ...string) *config.Config {
	t.Helper()
	c, err := config.Load(file, set...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStrategies(t *testing.T) {
	// Every strategy passes the suite; with -short one of them does.
	for _, test := range []struct {
		name string
		set  []string
	}{
		{"darts, first order", []string{"strategy.order=1"}},
		{"darts, second order", []string{"strategy.order=2"}},
	} {
		t.Run(test.name, func(t *testing.T) { nastest.TestStrategy(t, tiny(t, test.set...)) })
		if testing.Short() {
			break
		}
	}
}
