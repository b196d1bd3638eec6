package nas_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

// interrupted returns a run folder whose checkpoint is from the end of the first epoch.
func interrupted(t *testing.T, set ...string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := nas.Hooks{OnEpoch: func(*nas.Run, *nas.Epoch) error {
		cancel()
		return nil
	}}
	_, err := search.Run(ctx, dir, fixture.Tiny(t, set...), nas.Settings{Hooks: []nas.Hooks{stop}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return dir
}

func TestBadCheckpoint(t *testing.T) {
	// A run does not go on, and says what is wrong, when its only checkpoint is damaged or its checkpoint another run's.
	dir := interrupted(t)
	file := filepath.Join(dir, runfolder.CheckpointFile)
	if err := os.Remove(filepath.Join(dir, "checkpoint.previous.safetensors")); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(filepath.Join(interrupted(t, "w.lr=0.5", "network.channels=4"), runfolder.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 4
		return b
	}
	configText, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		content []byte
		want    []string
	}{
		{"empty", nil, []string{"is damaged"}},
		{"truncated", good[:len(good)/2], []string{"is damaged"}},
		{"one byte short", good[:len(good)-1], []string{"is damaged"}},
		{"bit flipped in the weights", flip(len(good) - 5), []string{"is damaged: its checksum does not fit"}},
		{"bit flipped in the position", flip(bytes.Index(good, []byte(`correct`)) + 12), []string{"is damaged"}},
		{"of another config", foreign, []string{"is of another config: ", "w.lr: 0.025 in the run's config.yaml, 0.5 in the checkpoint", "network.channels: 2 in"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(file, test.content, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := search.Run(t.Context(), dir, fixture.Tiny(t), nas.Settings{})
			if err == nil {
				t.Fatal("the run went on")
			}
			for _, want := range append(test.want, file) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not contain %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error %q is several lines", err)
			}
			if left, err := os.ReadFile(file); err != nil || !bytes.Equal(left, test.content) {
				t.Error("the checkpoint was touched")
			}
			if left, err := os.ReadFile(filepath.Join(dir, "config.yaml")); err != nil || !bytes.Equal(left, configText) {
				t.Error("the config was touched")
			}
		})
	}
}

func TestDiskFull(t *testing.T) {
	// The earlier checkpoint survives whole when there is no room for a new one.
	dir := interrupted(t)
	file := filepath.Join(dir, runfolder.CheckpointFile)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// In a child process: the limit is for everything that the process writes.
	p := process(dir)
	p.Env = append(p.Env, fmt.Sprint(fileLimit, "=", len(before)/2))
	var said strings.Builder
	p.Stderr = &said
	if err := p.Run(); err == nil || !strings.Contains(said.String(), syscall.EFBIG.Error()) || !strings.Contains(said.String(), file) {
		t.Errorf("ended with %v, saying %q", err, said.String())
	}
	after, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the earlier checkpoint did not survive: %v", err)
	}
	entries, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if _, err := search.Run(t.Context(), dir, fixture.Tiny(t), nas.Settings{}); err != nil {
		t.Errorf("the run does not go on afterwards: %v", err)
	}
}

func TestFolderNotEmpty(t *testing.T) {
	// A new run is refused when its folder holds other files.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := search.Run(t.Context(), dir, fixture.Tiny(t), nas.Settings{})
	if err == nil || !strings.Contains(err.Error(), "is not empty: choose another --out") {
		t.Errorf("got error %v", err)
	}
}

func TestOtherConfig(t *testing.T) {
	// A run does not go on, and says what differs, when the given config is another.
	dir := interrupted(t)
	_, err := search.Run(t.Context(), dir, fixture.Tiny(t, "w.lr=0.5"), nas.Settings{})
	want := "nas: the run in " + dir + " has another config: w.lr: 0.025 in its config.yaml, 0.5 given"
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
