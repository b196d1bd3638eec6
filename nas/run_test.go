package nas_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
	"godarts/torch"
)

func TestMemoryIsFlat(t *testing.T) {
	// No tensor is added and memory does not grow when a search takes 200 steps.
	if testing.Short() {
		t.Skip("-short: takes 200 steps")
	}
	var live, rss []int64
	watch := nas.Hooks{OnStep: func(r *nas.Run, _ *nas.Step) error {
		if len(live)%10 == 0 {
			rss = append(rss, resident(t))
		}
		live = append(live, int64(torch.Live()))
		return nil
	}}
	c := fixture.Tiny(t, "strategy.order=2", "network.nodes=1", "network.channels=8", "space.operations=[none, skip_connect, sep_conv_3x3]", "data.batch=4", "epochs=26")
	if _, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), c, nas.Settings{Hooks: []nas.Hooks{watch}}); err != nil {
		t.Fatal(err)
	}
	if len(live) < 200 {
		t.Fatalf("%d steps", len(live))
	}
	for i, n := range live {
		if n != live[0] {
			t.Fatalf("%d live tensors in step %d, %d in step 0", n, i, live[0])
		}
	}
	// Allocators settle in the first steps; from there on a leak of the 80 kB of
	// weights and gradients in each step would show.
	const allowed = 4 << 20
	if grown := rss[len(rss)-1] - rss[4]; grown > allowed {
		t.Errorf("resident memory grew by %d bytes from step 40 to step %d", grown, (len(rss)-1)*10)
	}
}

// resident returns the resident memory of this process in bytes, after a garbage collection.
func resident(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory() // a heap that earlier tests have grown is collected rarely
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func TestDiverged(t *testing.T) {
	// A run stops and names step, learning rate and the last good checkpoint when its numbers are no longer finite.
	for _, test := range []struct {
		name    string
		every   nas.CheckpointEvery
		message string
	}{
		{"loss", nas.CheckpointEvery{}, `^nas: epoch 1, step \d: the loss is \S+ at learning rate 1e\+30; no checkpoint was saved before$`},
		{"weights, before they are saved", nas.CheckpointEvery{Steps: 1}, `^nas: epoch 1, step \d: "\S+" is not finite at learning rate 1e\+30; the last good checkpoint is \S+/checkpoint.safetensors$`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			c := fixture.Tiny(t, "w.lr=1e30", "w.lr_min=0", "w.grad_clip=1e30", "epochs=5", "data.batch=4")
			_, err := search.Run(t.Context(), dir, c, nas.Settings{Every: test.every})
			if err == nil || !regexp.MustCompile(test.message).MatchString(err.Error()) {
				t.Errorf("got error %v", err)
			}
			if runfolder.Finished(dir) {
				t.Error("the run counts as complete")
			}
		})
	}
}

func TestHookStopsRun(t *testing.T) {
	// A run ends with the hook's error and calls every OnEnd when a hook fails.
	failed := errors.New("enough")
	var ends []error
	_, err := search.Run(t.Context(), filepath.Join(t.TempDir(), "run"), fixture.Tiny(t), nas.Settings{Hooks: []nas.Hooks{
		{OnStep: func(*nas.Run, *nas.Step) error { return failed }, OnEnd: func(_ *nas.Run, err error) error { ends = append(ends, err); return nil }},
		{OnEnd: func(_ *nas.Run, err error) error { ends = append(ends, err); return nil }},
	}})
	if !errors.Is(err, failed) || len(ends) != 2 || !errors.Is(ends[1], failed) {
		t.Errorf("got error %v, ends %v", err, ends)
	}
}

func TestLockedFolder(t *testing.T) {
	// A second run in a folder is refused when the first is at work, and a finished one comes back as it was.
	dir := filepath.Join(t.TempDir(), "run")
	tried := false
	second := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error {
		if tried {
			return nil
		}
		tried = true
		_, err := search.Run(context.Background(), dir, fixture.Tiny(t), nas.Settings{})
		if err == nil || !strings.Contains(err.Error(), "another process works on this run") {
			t.Errorf("got error %v", err)
		}
		return nil
	}}
	first, err := search.Run(t.Context(), dir, fixture.Tiny(t), nas.Settings{Hooks: []nas.Hooks{second}})
	if err != nil || !tried {
		t.Fatal(err)
	}
	again, err := search.Run(t.Context(), dir, fixture.Tiny(t), nas.Settings{})
	if err != nil || again.Genotype.String() != first.Genotype.String() {
		t.Errorf("got %v, %v", again.Genotype, err)
	}
}

func TestTrainThenTest(t *testing.T) {
	// Test gives the training's own result when it reads the saved weights.
	dir := filepath.Join(t.TempDir(), "run")
	trained, err := train.Run(t.Context(), dir, fixture.Load(t, "testdata/tiny-train.yaml"), nas.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	tested, err := train.Test(t.Context(), dir, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	if tested.TestError != trained.TestError || tested.TestLoss != trained.TestLoss || tested.Parameters != trained.Parameters {
		t.Errorf("trained %+v, tested %+v", trained, tested)
	}
}
