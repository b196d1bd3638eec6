package nas_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
)

func TestDamagedFolder(t *testing.T) {
	// A run does not go on, and names the file and what helps, when a file of its folder is damaged; no step is taken.
	c := fixture.LoadTiny(t, "tiny.yaml")
	dir := nastest.StopAfter(t, c)
	steps := 0
	goOn := func() error {
		own, err := runfolder.ReadConfig(dir) // as `darts search --resume` does
		if err != nil {
			return err
		}
		return nastest.Perform(t.Context(), dir, own, nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { steps++; return nil }})
	}
	for _, test := range []struct {
		name, want string
		by         func(string) error
	}{
		{runfolder.ConfigFile, "or delete it: it is then taken from the checkpoint", fixture.Text("")},
		{runfolder.ConfigFile, "or delete it: it is then taken from the checkpoint", fixture.Text("experiment: search\nepoch: 3")},
		{runfolder.ConfigFile, "is a pipe, wanted a file", fixture.Pipe},
		{runfolder.RunFile, "the file is empty; restore it, or delete it and resume with", fixture.Text("")},
		{runfolder.RunFile, "key threads is missing; restore it", fixture.Text(`{"version": "", "libtorch": "", "go": "", "platform": "", "device": "cpu", "seed": 1}`)},
		{runfolder.RunFile, `0 threads on device "cpu"; restore it`, fixture.Text(`{"version": "", "libtorch": "", "go": "", "platform": "", "device": "cpu", "threads": 0, "seed": 1}`)},
		{runfolder.RunFile, "is a pipe, wanted a file", fixture.Pipe},
		{runfolder.MetricsFile, "is a pipe, wanted a file: move it away", fixture.Pipe},
		{runfolder.MetricsFile, "is a folder, wanted a file: move it away", fixture.Folder},
		{runfolder.CheckpointFile, "is a folder, wanted a file: move it away", fixture.Folder},
		{runfolder.CheckpointNames[1], "is a folder, wanted a file: move it away", fixture.Folder},
		{runfolder.GenotypeFile, "is a folder, wanted a file: move it away", fixture.Folder},
		{runfolder.WeightsFile, "is a pipe, wanted a file: move it away", fixture.Pipe},
		{"normal.svg", "is a folder, wanted a file: move it away", fixture.Folder},
		{runfolder.LockFile, "is a directory", fixture.Folder},
		{runfolder.LockFile, "is a pipe, wanted a file: move it away", fixture.Pipe},
	} {
		file := filepath.Join(dir, test.name)
		before, failed := os.ReadFile(file)
		fixture.Replace(t, file, test.by)
		err := fixture.Soon(goOn)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		fixture.Replace(t, file, func(file string) error {
			if failed != nil {
				return nil
			}
			return os.WriteFile(file, before, 0o644)
		})
	}
	if steps > 0 {
		t.Errorf("%d steps were taken", steps)
	}
	for _, name := range []string{runfolder.ConfigFile, runfolder.RunFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := goOn(); err != nil || steps != 3 {
		t.Errorf("without %s and %s: %d steps, %v", runfolder.ConfigFile, runfolder.RunFile, steps, err)
	}
	if own, err := runfolder.ReadConfig(dir); err != nil || runfolder.Differences(own, c, "", "") != "" || !runfolder.Has(dir, runfolder.ConfigFile) {
		t.Errorf("%s is not written again: %v", runfolder.ConfigFile, err)
	}
}

func TestFolderTaken(t *testing.T) {
	// A run ends and writes nothing when its folder has been removed, renamed or taken by another run.
	for _, test := range []struct {
		name, want string
		take       func(t *testing.T, dir string)
	}{
		{"another run's", "has become another run's (run.json has id ", func(t *testing.T, dir string) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := nastest.Perform(ctx, dir, fixture.LoadTiny(t, "tiny.yaml", "seed=5"), nas.Hooks{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}},
		{"gone", "its run.json is gone", func(*testing.T, string) {}},
		{"emptied", "its run.json is gone", func(t *testing.T, dir string) { fixture.Replace(t, dir, fixture.Folder) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			taken := map[string]string{}
			steal := nas.Hooks{OnStep: func(r *nas.Run, s *nas.Step) error {
				if len(taken) > 0 || s.Index < 1 {
					return nil
				}
				if err := os.RemoveAll(dir); err != nil {
					return err
				}
				test.take(t, dir)
				taken = filesOf(t, dir)
				taken["stolen"] = ""
				return nil
			}}
			err := nastest.Perform(t.Context(), dir, fixture.LoadTiny(t, "tiny.yaml"), steal)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, test.want)
			}
			after := filesOf(t, dir)
			after["stolen"] = ""
			if fmt.Sprint(after) != fmt.Sprint(taken) {
				t.Errorf("the folder has become %q, was %q", after, taken)
			}
		})
	}
}

func TestLockRemoved(t *testing.T) {
	// A run takes its lock again when the lock was removed. It ends and writes nothing when the lock was replaced, since another process may have the run.
	c := fixture.LoadTiny(t, "tiny.yaml", "epochs=1")
	dir := filepath.Join(t.TempDir(), "run")
	file := filepath.Join(dir, runfolder.LockFile)
	err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnEpoch: func(*nas.Run, *nas.Epoch) error {
		if _, err := runfolder.Lock(dir); !errors.Is(err, runfolder.ErrBusy) {
			t.Errorf("another process gets the lock: %v", err)
		}
		return nil
	}, OnStep: func(*nas.Run, *nas.Step) error { return os.RemoveAll(file) }})
	if err != nil {
		t.Error(err)
	}
	dir = filepath.Join(t.TempDir(), "run")
	file = filepath.Join(dir, runfolder.LockFile)
	err = nastest.Perform(t.Context(), dir, c, nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { fixture.Replace(t, file, fixture.Text("")); return nil }})
	if err == nil || !strings.Contains(err.Error(), "its file lock was replaced") || runfolder.Has(dir, runfolder.CheckpointFile) {
		t.Errorf("got %v", err)
	}
}

// filesOf returns the contents of a folder's files; none if there is no folder.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(content)
	}
	return files
}

func TestRunID(t *testing.T) {
	// A run of an older version, which has no id, gets one when it goes on, and keeps it; two runs have different ones.
	c := fixture.LoadTiny(t, "tiny.yaml")
	dir, other := nastest.StopAfter(t, c), nastest.StopAfter(t, c)
	about := func(dir string) runfolder.RunInfo {
		t.Helper()
		a, err := runfolder.ReadRunInfo(dir)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := about(dir)
	if a.ID == "" || a.ID == about(other).ID {
		t.Errorf("ids %q and %q", a.ID, about(other).ID)
	}
	a.ID = ""
	if err := runfolder.WriteJSON(filepath.Join(dir, runfolder.RunFile), a); err != nil {
		t.Fatal(err)
	}
	given := ""
	err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error { given = about(dir).ID; return nil }})
	if err != nil || given == "" || about(dir).ID != given {
		t.Errorf("id %q, then %q, %v", given, about(dir).ID, err)
	}
	a.ID = given
	if about(dir) != a {
		t.Errorf("run.json has become %+v, was %+v", about(dir), a)
	}
}

func TestLeftovers(t *testing.T) {
	// A run that goes on removes the half-written files that kills left, and no file of another program.
	c := fixture.LoadTiny(t, "tiny.yaml")
	dir := nastest.StopAfter(t, c)
	for _, name := range []string{".checkpoint.safetensors8123", ".metrics.jsonl1", ".mine1"} {
		fixture.Replace(t, filepath.Join(dir, name), fixture.Text("x"))
	}
	if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{}); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".mine1" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestEarlierCheckpoint(t *testing.T) {
	// A run ends with the same bytes, and says where it went on, when its last checkpoint is damaged or gone and the one before is not.
	c := fixture.LoadTiny(t, "tiny.yaml", "epochs=3", "network.nodes=1")
	undisturbed := filepath.Join(t.TempDir(), "run")
	if err := nastest.Perform(t.Context(), undisturbed, c, nas.Hooks{}); err != nil {
		t.Fatal(err)
	}
	stopped, enough := filepath.Join(t.TempDir(), "run"), errors.New("enough")
	err := nastest.Perform(t.Context(), stopped, c, nas.Hooks{OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
		if e.Index == 1 {
			return enough
		}
		return nil
	}})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, want string
		by         func(string) error
	}{
		{"damaged", "is damaged: its checksum does not fit", func(file string) error {
			return os.WriteFile(file, bytes.Replace(fixture.Content(t, undisturbed, runfolder.CheckpointFile), []byte("search"), []byte("sEarch"), 1), 0o644)
		}},
		{"empty", "is damaged: ", fixture.Text("")},
		{"a bit of its format", "is damaged: its checksum does not fit", func(file string) error {
			return os.WriteFile(file, bytes.Replace(fixture.Content(t, undisturbed, runfolder.CheckpointFile), []byte("checkpoint 1"), []byte("checkpoint 3"), 1), 0o644)
		}},
		{"gone", "there is no ", func(string) error { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(dir, os.DirFS(stopped)); err != nil {
				t.Fatal(err)
			}
			fixture.Replace(t, filepath.Join(dir, runfolder.CheckpointFile), test.by)
			var notes []string
			err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnStart: func(r *nas.Run) error { notes = r.Notes(); return nil }})
			goesOn := "the run goes on from checkpoint.previous.safetensors, in epoch 2 after step 0"
			if err != nil || len(notes) != 2 || !strings.Contains(notes[0], test.want) || !strings.Contains(notes[0], filepath.Join(dir, runfolder.CheckpointFile)) || notes[1] != goesOn {
				t.Errorf("%v, notes %q, want %s and %s", err, notes, test.want, goesOn)
			}
			for _, name := range []string{runfolder.ResultFile, runfolder.GenotypeFile, runfolder.CheckpointFile, runfolder.MetricsFile} {
				if !bytes.Equal(fixture.Content(t, dir, name), fixture.Content(t, undisturbed, name)) {
					t.Errorf("%s differs", name)
				}
			}
			if runfolder.Has(dir, runfolder.CheckpointNames[1]) {
				t.Error("a complete run has two checkpoints")
			}
		})
	}
}

func TestMetricsNoted(t *testing.T) {
	// A run that goes on says so when its metrics were emptied.
	c := fixture.LoadTiny(t, "tiny.yaml")
	dir := nastest.StopAfter(t, c)
	fixture.Replace(t, filepath.Join(dir, runfolder.MetricsFile), fixture.Text(""))
	var notes []string
	if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnStart: func(r *nas.Run) error { notes = r.Notes(); return nil }}); err != nil {
		t.Fatal(err)
	}
	if want := "the lines of epoch 1 are missing"; len(notes) != 1 || !strings.Contains(notes[0], want) {
		t.Errorf("notes %q, want %s", notes, want)
	}
}
