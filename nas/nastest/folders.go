package nastest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/search"
	"godarts/nas/train"
)

// StopAfter runs c in a new folder and interrupts it after one epoch.
func StopAfter(t *testing.T, c *config.Config) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := Perform(ctx, dir, c, nas.Hooks{OnEpoch: func(*nas.Run, *nas.Epoch) error { cancel(); return nil }}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return dir
}

// Perform runs c, a search or a training, or continues it.
func Perform(ctx context.Context, dir string, c *config.Config, watch nas.Hooks) (err error) {
	s := nas.Settings{Hooks: []nas.Hooks{watch}}
	if c.Experiment == config.Train {
		_, err = train.Run(ctx, dir, c, s)
	} else {
		_, err = search.Run(ctx, dir, c, s)
	}
	return err
}

// TrainedRun returns the folder of a tiny training.
func TrainedRun(t testing.TB) string {
	t.Helper()
	c, err := config.Load(fixture.File("tiny-train.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	return dir
}
