package nas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/runfolder"
)

func TestDamagedFolder(t *testing.T) {
	// A run does not go on, and names the file and what helps, when a file of its folder is damaged; no step is taken.
	c := loadTiny(t, "tiny.yaml")
	dir := stopAfter(t, c)
	steps := 0
	goOn := func() error {
		own, err := runfolder.ReadConfig(dir) // as `darts search --resume` does
		if err != nil {
			return err
		}
		return perform(t.Context(), dir, own, Hooks{OnStep: func(*Run, *Step) error { steps++; return nil }})
	}
	for _, test := range []struct {
		name, want string
		by         func(string) error
	}{
		{runfolder.ConfigFile, "or delete it: it is then taken from the checkpoint", text("")},
		{runfolder.ConfigFile, "or delete it: it is then taken from the checkpoint", text("experiment: search\nepoch: 3")},
		{runfolder.ConfigFile, "is a pipe, wanted a file", pipe},
		{runfolder.RunFile, "the file is empty; restore it, or delete it and resume with", text("")},
		{runfolder.RunFile, "key threads is missing; restore it", text(`{"version": "", "libtorch": "", "go": "", "platform": "", "device": "cpu", "seed": 1}`)},
		{runfolder.RunFile, `0 threads on device "cpu"; restore it`, text(`{"version": "", "libtorch": "", "go": "", "platform": "", "device": "cpu", "threads": 0, "seed": 1}`)},
		{runfolder.RunFile, "is a pipe, wanted a file", pipe},
		{runfolder.MetricsFile, "is a pipe, wanted a file: move it away", pipe},
		{runfolder.MetricsFile, "is a folder, wanted a file: move it away", folder},
		{runfolder.CheckpointFile, "is a folder, wanted a file: move it away", folder},
		{runfolder.CheckpointNames[1], "is a folder, wanted a file: move it away", folder},
		{runfolder.GenotypeFile, "is a folder, wanted a file: move it away", folder},
		{runfolder.WeightsFile, "is a pipe, wanted a file: move it away", pipe},
		{"normal.svg", "is a folder, wanted a file: move it away", folder},
		{runfolder.LockFile, "is a directory", folder},
		{runfolder.LockFile, "is a pipe, wanted a file: move it away", pipe},
	} {
		file := filepath.Join(dir, test.name)
		before, failed := os.ReadFile(file)
		replace(t, file, test.by)
		err := soon(goOn)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		replace(t, file, func(file string) error {
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
		t.Errorf("%s is not written anew: %v", runfolder.ConfigFile, err)
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
			if err := perform(ctx, dir, loadTiny(t, "tiny.yaml", "seed=5"), Hooks{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}},
		{"gone", "its run.json is gone", func(*testing.T, string) {}},
		{"emptied", "its run.json is gone", func(t *testing.T, dir string) { replace(t, dir, folder) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			taken := map[string]string{}
			steal := Hooks{OnStep: func(r *Run, s *Step) error {
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
			err := perform(t.Context(), dir, loadTiny(t, "tiny.yaml"), steal)
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
	// A run takes its lock again when that was removed, and ends and writes nothing when it was replaced, since another process may have the run.
	c := loadTiny(t, "tiny.yaml", "epochs=1")
	dir := filepath.Join(t.TempDir(), "run")
	file := filepath.Join(dir, runfolder.LockFile)
	err := perform(t.Context(), dir, c, Hooks{OnEpoch: func(*Run, *Epoch) error {
		if _, err := runfolder.Lock(dir); !errors.Is(err, runfolder.ErrBusy) {
			t.Errorf("another process gets the lock: %v", err)
		}
		return nil
	}, OnStep: func(*Run, *Step) error { return os.RemoveAll(file) }})
	if err != nil {
		t.Error(err)
	}
	dir = filepath.Join(t.TempDir(), "run")
	file = filepath.Join(dir, runfolder.LockFile)
	err = perform(t.Context(), dir, c, Hooks{OnStep: func(*Run, *Step) error { replace(t, file, text("")); return nil }})
	if err == nil || !strings.Contains(err.Error(), "its file lock was replaced") || runfolder.Has(dir, runfolder.CheckpointFile) {
		t.Errorf("got %v", err)
	}
}

// filesOf are the contents of a folder's files, of none if there is no folder.
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
	// A run of before, without an id, gets one when it goes on, and keeps it; two runs have different ones.
	c := loadTiny(t, "tiny.yaml")
	dir, other := stopAfter(t, c), stopAfter(t, c)
	about := func(dir string) runfolder.About {
		t.Helper()
		a, err := runfolder.ReadAbout(dir)
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
	err := perform(t.Context(), dir, c, Hooks{OnStep: func(*Run, *Step) error { given = about(dir).ID; return nil }})
	if err != nil || given == "" || about(dir).ID != given {
		t.Errorf("id %q, then %q, %v", given, about(dir).ID, err)
	}
	a.ID = given
	if about(dir) != a {
		t.Errorf("run.json has become %+v, was %+v", about(dir), a)
	}
}

func TestLeftovers(t *testing.T) {
	// What kills left of half-written files is gone, and a stranger's file is not, when a run goes on.
	c := loadTiny(t, "tiny.yaml")
	dir := stopAfter(t, c)
	for _, name := range []string{".checkpoint.safetensors8123", ".metrics.jsonl1", ".mine1"} {
		replace(t, filepath.Join(dir, name), text("x"))
	}
	if err := perform(t.Context(), dir, c, Hooks{}); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".mine1" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestEarlierCheckpoint(t *testing.T) {
	// A run ends with the same bytes, and says where it went on, when its last checkpoint is damaged or gone and the one before is not.
	c := loadTiny(t, "tiny.yaml", "epochs=3")
	undisturbed := filepath.Join(t.TempDir(), "run")
	if err := perform(t.Context(), undisturbed, c, Hooks{}); err != nil {
		t.Fatal(err)
	}
	stopped, enough := filepath.Join(t.TempDir(), "run"), errors.New("enough")
	err := perform(t.Context(), stopped, c, Hooks{OnEpoch: func(_ *Run, e *Epoch) error {
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
			return os.WriteFile(file, bytes.Replace(contentOf(t, undisturbed, runfolder.CheckpointFile), []byte("search"), []byte("sEarch"), 1), 0o644)
		}},
		{"empty", "is damaged: ", text("")},
		{"a bit of its format", "is damaged: its checksum does not fit", func(file string) error {
			return os.WriteFile(file, bytes.Replace(contentOf(t, undisturbed, runfolder.CheckpointFile), []byte("checkpoint 1"), []byte("checkpoint 3"), 1), 0o644)
		}},
		{"gone", "there is no ", func(string) error { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(dir, os.DirFS(stopped)); err != nil {
				t.Fatal(err)
			}
			replace(t, filepath.Join(dir, runfolder.CheckpointFile), test.by)
			var notes []string
			err := perform(t.Context(), dir, c, Hooks{OnStart: func(r *Run) error { notes = r.notes; return nil }})
			goesOn := "the run goes on from checkpoint.previous.safetensors, in epoch 2 after step 0"
			if err != nil || len(notes) != 2 || !strings.Contains(notes[0], test.want) || !strings.Contains(notes[0], filepath.Join(dir, runfolder.CheckpointFile)) || notes[1] != goesOn {
				t.Errorf("%v, notes %q, want %s and %s", err, notes, test.want, goesOn)
			}
			for _, name := range []string{runfolder.ResultFile, runfolder.GenotypeFile, runfolder.CheckpointFile, runfolder.MetricsFile} {
				if !bytes.Equal(contentOf(t, dir, name), contentOf(t, undisturbed, name)) {
					t.Errorf("%s differs", name)
				}
			}
			if runfolder.Has(dir, runfolder.CheckpointNames[1]) {
				t.Error("a complete run has two checkpoints")
			}
		})
	}
}

func TestTrimmed(t *testing.T) {
	// What a run keeps of its metrics are the lines up to its position, each once and in order, and what is not there is known.
	line := func(epoch, step int) string {
		if step == 0 {
			return fmt.Sprintf(`{"epoch":%d,"lr":0.1}`+"\n", epoch)
		}
		return fmt.Sprintf(`{"epoch":%d,"step":%d,"lr":0.1}`+"\n", epoch, step)
	}
	whole := line(0, 50) + line(0, 100) + line(0, 0) + line(1, 50) + line(1, 100) + line(1, 0) + line(2, 50)
	at := position{Epoch: 2, Step: 60}
	for _, test := range []struct {
		name, text string
		at         position
		kept       string
		bad        int
		missing    string
	}{
		{"as it was", whole, at, whole, 0, ""},
		{"ahead of the checkpoint", whole + line(2, 100) + line(2, 0) + line(3, 50), at, whole, 0, ""},
		{"ahead of the first checkpoint", line(0, 50), position{}, "", 0, ""},
		{"a last line cut off", whole + `{"epoch":2,"st`, at, whole, 0, ""},
		{"emptied", "", at, "", 0, "epochs 1 and 2"},
		{"shortened", line(0, 50) + line(0, 100) + line(0, 0) + line(1, 50), at, line(0, 50) + line(0, 100) + line(0, 0) + line(1, 50), 0, "epoch 2"},
		{"without its beginning", line(1, 0) + line(2, 50), at, line(1, 0) + line(2, 50), 0, "epoch 1"},
		{"doubled", whole + whole, at, whole, 7, ""},
		{"garbage", "\x00\x01\n" + line(0, 0) + "{}[]\n" + line(1, 0), at, line(0, 0) + line(1, 0), 2, ""},
		{"an epoch below zero", line(-1, 0) + line(0, 0) + line(1, 0), at, line(0, 0) + line(1, 0), 1, ""},
		{"many epochs gone", "", position{Epoch: 9}, "", 0, "9 epochs from 1 to 9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept, bad, missing := trimmed([]byte(test.text), test.at)
			said := ""
			if len(missing) > 0 {
				said = epochNumbers(missing)
			}
			if string(kept) != test.kept || bad != test.bad || said != test.missing {
				t.Errorf("kept\n%s%d bad, missing %q, want\n%s%d and %q", kept, bad, said, test.kept, test.bad, test.missing)
			}
		})
	}
}

func TestMetricsNoted(t *testing.T) {
	// A run that goes on says so when its metrics were emptied.
	c := loadTiny(t, "tiny.yaml")
	dir := stopAfter(t, c)
	replace(t, filepath.Join(dir, runfolder.MetricsFile), text(""))
	var notes []string
	if err := perform(t.Context(), dir, c, Hooks{OnStart: func(r *Run) error { notes = r.notes; return nil }}); err != nil {
		t.Fatal(err)
	}
	if want := "the lines of epoch 1 are missing"; len(notes) != 1 || !strings.Contains(notes[0], want) {
		t.Errorf("notes %q, want %s", notes, want)
	}
}
