package plan_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

func TestHeldOut(t *testing.T) {
	// A training is measured on the rest of its training images, and on no test image, when it trains on a part.
	dir := filepath.Join(t.TempDir(), "run")
	images := 0
	watch := nas.Hooks{OnStep: func(_ *nas.Run, s *nas.Step) error { images += s.Count; return nil }}
	trained, err := train.Run(t.Context(), dir, fixture.Load(t, "../testdata/tiny-train.yaml", "data.train_portion=0.75"), nas.Settings{Hooks: []nas.Hooks{watch}})
	if err != nil {
		t.Fatal(err)
	}
	if images != 2*27 { // two epochs
		t.Errorf("trained on %d images, want 27 of 36 an epoch", images)
	}
	if trained.Tested != nil || trained.Validated == nil {
		t.Fatalf("got %+v, want a validation error alone", trained)
	}
	if wrong := trained.ValidError / 100 * 9; math.Abs(wrong-math.Round(wrong)) > 1e-9 {
		t.Errorf("%v of 9 images wrong", wrong)
	}
	if text := fixture.Content(t, dir, "result.json"); bytes.Contains(text, []byte("test_")) || !bytes.Contains(text, []byte("valid_error")) {
		t.Errorf("result.json is %s", text)
	}
	tested, err := train.Test(t.Context(), dir, torch.CPU)
	if err != nil || tested.Tested != nil || tested.Validated == nil || *tested.Validated != *trained.Validated {
		t.Errorf("Test gives %+v, %v, want %+v", tested, err, trained)
	}
}

func TestGuard(t *testing.T) {
	// Nothing of a step is saved when the guard fails after it.
	dir := filepath.Join(t.TempDir(), "run")
	lost := errors.New("lost")
	steps := 0
	guard := func() error {
		if steps++; steps == 3 {
			return lost
		}
		return nil
	}
	var saved []byte
	watch := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error {
		saved = fixture.Content(t, dir, runfolder.CheckpointFile)
		return nil
	}}
	_, err := search.Run(t.Context(), dir, fixture.Tiny(t), nas.Settings{Every: nas.CheckpointEvery{Steps: 1}, Guard: guard, Hooks: []nas.Hooks{watch}})
	if !errors.Is(err, lost) {
		t.Fatalf("got error %v", err)
	}
	if len(saved) == 0 || !bytes.Equal(saved, fixture.Content(t, dir, runfolder.CheckpointFile)) {
		t.Error("the checkpoint is not that of the step before")
	}
}

// writeCIFAR writes a data set in CIFAR-10's form of bright and dark noise, the test images
// too. With another data set's root it takes that one's training images, and its test images
// are blank and all of one class.
func writeCIFAR(t *testing.T, other string) (root string) {
	t.Helper()
	root = t.TempDir()
	const folder = "cifar-10-batches-bin"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(filepath.Join(root, folder), 0o755))
	const images, record = 10000, 1 + 3*32*32
	text := make([]byte, images*record)
	train := filepath.Join(other, folder, "test_batch.bin")
	if other == "" {
		rand.NewChaCha8([32]byte{1}).Read(text)
		for i := range images {
			label := i % 10
			for j := range record {
				at := &text[i*record+j]
				*at = *at/2 + byte(12*label)
			}
			text[i*record] = byte(label)
		}
		train = filepath.Join(root, folder, "test_batch.bin")
	}
	must(os.WriteFile(filepath.Join(root, folder, "test_batch.bin"), text, 0o644))
	for i := range 5 {
		must(os.Symlink(train, filepath.Join(root, folder, fmt.Sprintf("data_batch_%d.bin", i+1))))
	}
	must(os.WriteFile(filepath.Join(root, folder, "batches.meta.txt"), []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"), 0o644))
	return root
}

func TestChoiceReadsNoTestImage(t *testing.T) {
	// The chosen cell and all that leads to it stay the same, bit for bit, when the test images and their labels are replaced.
	if testing.Short() {
		t.Skip("-short: works through eight runs")
	}
	const small = "data: {name: cifar10, subset: 48, batch: 24}\nepochs: 1\n"
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	threads := torch.Threads() // many small steps
	torch.SetThreads(1)
	defer torch.SetThreads(threads)
	chosen := errors.New("chosen")
	choose := func(root string) (dir, cell string) {
		whole := fixture.WholeOf(t, "experiment: search\nnetwork: {channels: 2, layers: 3, nodes: 1, stem_multiplier: 1}\n"+small,
			"experiment: train\nnetwork: {channels: 2, layers: 3, stem_multiplier: 1}\n"+small, "search.data.root="+root, "train.data.root="+root)
		stop := nas.Hooks{OnStart: func(r *nas.Run) error {
			if filepath.Base(r.Dir) != "train-0" {
				return nil
			}
			cell = r.Config.Genotype
			return chosen
		}}
		dir = filepath.Join(t.TempDir(), "protocol")
		_, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{Settings: nas.Settings{Hooks: []nas.Hooks{stop}}})
		if !errors.Is(err, chosen) {
			t.Fatal(err)
		}
		return dir, cell
	}
	root := writeCIFAR(t, "")
	dir, cell := choose(root)
	replacedDir, replacedCell := choose(writeCIFAR(t, root))
	if cell == "" || cell != replacedCell {
		t.Errorf("chosen %s, with other test images %s", cell, replacedCell)
	}
	for _, part := range []string{"search-2", "search-3", "brief-2", "brief-3"} {
		for _, file := range []string{"result.json", "metrics.jsonl"} {
			if !bytes.Equal(fixture.Content(t, dir, part+"/"+file), fixture.Content(t, replacedDir, part+"/"+file)) {
				t.Errorf("%s/%s differs", part, file)
			}
		}
	}
}

func TestClaimLost(t *testing.T) {
	// A process leaves a part unsaved when another has taken its claim, and takes it again when that one falls silent.
	tiny, err := os.ReadFile("../testdata/tiny.yaml")
	if err != nil {
		t.Fatal(err)
	}
	training, err := os.ReadFile("../testdata/tiny-train.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const stale = 1200 * time.Millisecond
	dir := filepath.Join(t.TempDir(), "protocol")
	enough := errors.New("enough")
	starts, steps := 0, 0
	var notes []string
	var claim string // the one of the other process
	s := plan.Settings{
		Stale: stale,
		Note: func(format string, a ...any) {
			if notes = append(notes, fmt.Sprintf(format, a...)); len(notes) == 3 { // it falls silent once this process waits
				then := time.Now().Add(-2 * time.Hour)
				if err := os.Chtimes(claim, then, then); err != nil {
					t.Error(err)
				}
			}
		},
	}
	s.Every.Steps = 1
	s.Hooks = []nas.Hooks{{
		OnStart: func(*nas.Run) error {
			if starts++; starts > 1 {
				return enough
			}
			return nil
		},
		OnStep: func(r *nas.Run, _ *nas.Step) error {
			if steps++; steps > 1 {
				return nil
			}
			text := `{"host":"far","pid":7,"stale_seconds":3600,"kernel":"another"}` + "\n"
			claim = filepath.Join(dir, "claims", filepath.Base(r.Dir)+".2")
			if err := os.WriteFile(claim, []byte(text), 0o644); err != nil {
				return err
			}
			time.Sleep(stale / 3) // after that long the claim is looked at before the next step is saved
			return nil
		},
	}}
	_, err = plan.Repeat(t.Context(), dir, fixture.WholeOf(t, string(tiny), string(training), "repeat.searches=1"), s)
	if !errors.Is(err, enough) || steps != 1 || starts != 2 {
		t.Errorf("got error %v after %d steps and %d starts, want the second start after one step", err, steps, starts)
	}
	if len(notes) != 3 || notes[0] != "protocol folder: "+dir || !strings.HasPrefix(notes[1], "search-2 was taken over by another process") || !strings.HasPrefix(notes[2], "waiting for other processes: search-2 by process 7 on far") {
		t.Errorf("notes are %q", notes)
	}
}
