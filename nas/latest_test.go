package nas_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/info"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

// stoppedAfter is the folder of a run of c that was interrupted after so many epochs, and of what
// its hook saw of the last of them.
func stoppedAfter(t *testing.T, c *config.Config, epochs int) (dir string, last nas.Epoch) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	hooks := nas.Hooks{OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
		last = *e
		if e.Index+1 == epochs {
			cancel()
		}
		return nil
	}}
	run := func() error { _, err := search.Run(ctx, dir, c, nas.Settings{Hooks: []nas.Hooks{hooks}}); return err }
	if c.Experiment == config.Train {
		run = func() error { _, err := train.Run(ctx, dir, c, nas.Settings{Hooks: []nas.Hooks{hooks}}); return err }
	}
	if err := run(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return dir, last
}

func TestGenotypeOfSearchThatGoesOn(t *testing.T) {
	// The cell of the last epoch is found in a search that is not complete, with a note of which it is; before the first epoch there is none.
	for _, test := range []struct {
		name, note string
		c          *config.Config
		recurrent  bool
	}{
		{"images", "after epoch 1 of 2", fixture.Tiny(t, "strategy.order=1"), false},
		{"text", "after epoch 1 of 2", fixture.Load(t, "testdata/tiny-text.yaml"), true},
		{"from scratch", "after cell 1 of 3", fixture.Tiny(t, "strategy.name=random", "strategy.trials=3", "epochs=1"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, last := stoppedAfter(t, test.c, 1)
			g, err := runfolder.ReadGenotype(dir)
			if err != nil || g.String() != last.Genotype || g.IsRecurrent() != test.recurrent {
				t.Errorf("got %v, %v, want %s", g, err, last.Genotype)
			}
			if got, want := runfolder.GenotypeNote(dir), "the cell of "+dir+" is that "+test.note+": the run is not complete"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			infos, err := info.ReadInfo(dir, false)
			if noted := len(infos) > 1 && len(infos[1].Notes) == 1; err != nil || noted == (test.name == "from scratch") {
				t.Errorf("info: %v, %v", infos, err)
			}
			if err := os.Remove(filepath.Join(dir, runfolder.MetricsFile)); err != nil {
				t.Fatal(err)
			}
			want := "nas: the search in " + dir + " has found no cell yet: its first epoch is not done; it goes on with `darts search --resume " + dir + "`"
			if _, err := runfolder.ReadGenotype(dir); err == nil || err.Error() != want {
				t.Errorf("without an epoch: %v", err)
			}
			if runfolder.GenotypeNote(dir) != "" {
				t.Errorf("note %q without an epoch", runfolder.GenotypeNote(dir))
			}
			if infos, err := info.ReadInfo(dir, false); err != nil || len(infos) != 1 {
				t.Errorf("info without an epoch: %v, %v", infos, err)
			}
		})
	}
	if _, err := runfolder.ReadGenotype(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no folder of a run or an export: it has no genotype.json, no genotype.txt and no config.yaml") {
		t.Errorf("no run: %v", err)
	}
}

func TestTestOfTrainingThatGoesOn(t *testing.T) {
	// A test of a training that is not complete measures its checkpoint, as the epoch's end did, notes that and changes no file.
	c := fixture.Load(t, "testdata/tiny-train.yaml")
	dir, last := stoppedAfter(t, c, 1)
	before := listed(t, dir)
	result, err := train.Test(t.Context(), dir, torch.Device{})
	if err != nil {
		t.Fatal(err)
	}
	if result.TestLoss != last.Valid.MeanLoss() || len(result.Notes) != 1 ||
		result.Notes[0] != "these are the weights of the checkpoint after epoch 1 of 2: the run is not complete" {
		t.Errorf("loss %v, want %v; notes %q", result.TestLoss, last.Valid.MeanLoss(), result.Notes)
	}
	if after := listed(t, dir); after != before {
		t.Errorf("the folder is\n%s\nand was\n%s", after, before)
	}
	if g, err := runfolder.ReadGenotype(dir); err != nil || g.String() != result.Genotype.String() || runfolder.GenotypeNote(dir) != "" {
		t.Errorf("its cell: %v, %v, note %q", g, err, runfolder.GenotypeNote(dir))
	}
	if err := os.Remove(filepath.Join(dir, runfolder.CheckpointFile)); err != nil {
		t.Fatal(err)
	}
	earlier, err := train.Test(t.Context(), dir, torch.Device{})
	if err != nil || len(earlier.Notes) == 0 || earlier.Notes[0] != "there is no "+filepath.Join(dir, runfolder.CheckpointFile) {
		t.Errorf("with the checkpoint before alone: notes %q, %v", earlier.Notes, err)
	}
	if err := os.Remove(filepath.Join(dir, "checkpoint.previous.safetensors")); err != nil {
		t.Fatal(err)
	}
	want := "nas: the training in " + dir + " has no checkpoint yet; it goes on with `darts train --resume " + dir + "`"
	if _, err := train.Test(t.Context(), dir, torch.Device{}); err == nil || err.Error() != want {
		t.Errorf("without a checkpoint: %v", err)
	}

	text := fixture.Load(t, "testdata/tiny-text-train.yaml")
	dir, _ = stoppedAfter(t, text, 1)
	result, err = train.Test(t.Context(), dir, torch.Device{})
	if err != nil || result.LanguageModelResult == nil || len(result.Notes) == 0 || !strings.Contains(result.Notes[len(result.Notes)-1], "after epoch 1 of ") {
		t.Errorf("a text: %+v, %v", result, err)
	}
}

// listed gives the files of a folder with sizes and times.
func listed(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		list.WriteString(e.Name() + " " + info.ModTime().String() + "\n")
	}
	return list.String()
}

func TestExportedFolder(t *testing.T) {
	// An export is tested, described and trained as the run that it was made of.
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := train.Run(t.Context(), dir, fixture.Load(t, "testdata/tiny-train.yaml"), nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "exported")
	if _, err := model.Export(dir, to, false); err != nil {
		t.Fatal(err)
	}
	want, err := train.Test(t.Context(), dir, torch.Device{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := train.Test(t.Context(), to, torch.Device{})
	if err != nil || got.TestLoss != want.TestLoss || got.TestError != want.TestError || got.Parameters != want.Parameters {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if g, err := runfolder.ReadGenotype(to); err != nil || g.String() != want.Genotype.String() {
		t.Errorf("genotype %v, %v", g, err)
	}
	infos, err := info.ReadInfo(to, false)
	if err != nil || len(infos) != 1 || infos[0].Cost.Parameters != want.Parameters || infos[0].Batch != 12 {
		t.Errorf("info %+v, %v", infos, err)
	}
}
