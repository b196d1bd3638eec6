package nas

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/config"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// loadTiny is a config of testdata.
func loadTiny(t *testing.T, file string, set ...string) *config.Config {
	t.Helper()
	c, err := config.Load(filepath.Join("testdata", file), set...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stopAfter runs c in a new folder until one epoch is done.
func stopAfter(t *testing.T, c *config.Config) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := perform(ctx, dir, c, Hooks{OnEpoch: func(*Run, *Epoch) error { cancel(); return nil }}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return dir
}

// perform runs c, a search or a training, or goes on with it.
func perform(ctx context.Context, dir string, c *config.Config, watch Hooks) (err error) {
	s := Settings{Hooks: []Hooks{watch}}
	if c.Experiment == config.Train {
		_, err = Train(ctx, dir, c, s)
	} else {
		_, err = Search(ctx, dir, c, s)
	}
	return err
}

// flipLast flips a bit of a file's last tensor.
func flipLast(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-3] ^= 1
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestZerosInConfig(t *testing.T) {
	// A run goes on from its checkpoint when a text of its config holds what a checksum looks like.
	c := loadTiny(t, "tiny.yaml", "data.root=/data/"+strings.Repeat("0", 64))
	dir := stopAfter(t, c)
	epochs := 0
	if err := perform(t.Context(), dir, c, Hooks{OnEpoch: func(*Run, *Epoch) error { epochs++; return nil }}); err != nil || epochs != 1 {
		t.Errorf("%d epochs, want the second alone; %v", epochs, err)
	}
}

func TestDamagedWeights(t *testing.T) {
	// Nothing takes the weights of a training when a bit of them is flipped.
	dir := trainedRun(t)
	file := filepath.Join(dir, runfolder.WeightsFile)
	flipLast(t, file)
	want := "nas: weights " + file + " are damaged: their checksum does not fit; restore the file, or "
	for name, read := range map[string]func() error{
		"LoadModel": func() error {
			return torch.Do(func() error { _, err := LoadModel(dir, torch.Device{}); return err })
		},
		"Test":        func() error { _, err := Test(t.Context(), dir, torch.Device{}); return err },
		"Export":      func() error { _, err := Export(dir, t.TempDir(), false); return err },
		"ReadWeights": func() error { return torch.Do(func() error { _, err := ReadWeights(file); return err }) },
	} {
		if err := read(); !strings.HasPrefix(fmt.Sprint(err), want) {
			t.Errorf("%s gives\n%v, want\n%s", name, err, want)
		}
	}
}

func TestDamagedCheckpointAsWeights(t *testing.T) {
	// ReadWeights refuses a checkpoint when a bit of it is flipped.
	file := filepath.Join(trainedRun(t), runfolder.CheckpointFile)
	read := func() error { return torch.Do(func() error { _, err := ReadWeights(file); return err }) }
	if err := read(); err != nil {
		t.Error(err)
	}
	flipLast(t, file)
	if err := read(); !strings.Contains(fmt.Sprint(err), file+" are damaged: their checksum does not fit") {
		t.Errorf("got %v", err)
	}
}

func TestDamagedBest(t *testing.T) {
	// A training on a text does not go on, and says why, when its best model is damaged or gone.
	c := loadTiny(t, "tiny-text-train.yaml")
	dir := stopAfter(t, c)
	file := filepath.Join(dir, runfolder.BestFile)
	steps := 0
	goOn := func() error {
		return perform(t.Context(), dir, c, Hooks{OnStep: func(*Run, *Step) error { steps++; return nil }})
	}
	flipLast(t, file)
	if err := goOn(); err == nil || !strings.Contains(err.Error(), file+" is damaged: ") || !strings.Contains(err.Error(), "its checksum does not fit") {
		t.Errorf("damaged: got %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := goOn(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("gone: got %v", err)
	}
	if steps > 0 {
		t.Errorf("%d steps were taken", steps)
	}
}
