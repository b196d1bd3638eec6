package nas_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/model"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
)

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
	// A run goes on from its checkpoint when a text in its config looks like a checksum.
	c := fixture.LoadTiny(t, "tiny.yaml", "data.root=/data/"+strings.Repeat("0", 64))
	dir := nastest.StopAfter(t, c)
	epochs := 0
	if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnEpoch: func(*nas.Run, *nas.Epoch) error { epochs++; return nil }}); err != nil || epochs != 1 {
		t.Errorf("%d epochs, want the second alone; %v", epochs, err)
	}
}

func TestDamagedWeights(t *testing.T) {
	// Every reader refuses the weights of a training when a bit of them is flipped.
	dir := nastest.TrainedRun(t)
	file := filepath.Join(dir, runfolder.WeightsFile)
	flipLast(t, file)
	want := "nas: weights " + file + " are damaged: their checksum does not fit; restore the file, or "
	for name, read := range map[string]func() error{
		"LoadModel": func() error {
			return torch.Do(func() error { _, err := model.LoadModel(dir, torch.Device{}); return err })
		},
		"Test":        func() error { _, err := train.Test(t.Context(), dir, torch.Device{}); return err },
		"Export":      func() error { _, err := model.Export(dir, t.TempDir(), false); return err },
		"ReadWeights": func() error { return torch.Do(func() error { _, err := model.ReadWeights(file); return err }) },
	} {
		if err := read(); !strings.HasPrefix(fmt.Sprint(err), want) {
			t.Errorf("%s gives\n%v, want\n%s", name, err, want)
		}
	}
}

func TestDamagedCheckpointAsWeights(t *testing.T) {
	// ReadWeights refuses a checkpoint when a bit of it is flipped.
	file := filepath.Join(nastest.TrainedRun(t), runfolder.CheckpointFile)
	read := func() error { return torch.Do(func() error { _, err := model.ReadWeights(file); return err }) }
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
	c := fixture.LoadTiny(t, "tiny-text-train.yaml")
	dir := nastest.StopAfter(t, c)
	file := filepath.Join(dir, runfolder.BestFile)
	steps := 0
	goOn := func() error {
		return nastest.Perform(t.Context(), dir, c, nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { steps++; return nil }})
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
