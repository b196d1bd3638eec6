package nas_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
)

// errStart ends a run before its first step.
var errStart = errors.New("ended at the start")

// startOnly begins a run in dir and ends it before anything is saved.
func startOnly(t *testing.T, dir string, c *config.Config) {
	t.Helper()
	if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnStart: func(*nas.Run) error { return errStart }}); !errors.Is(err, errStart) {
		t.Fatal(err)
	}
	if !runfolder.HoldsOnlyStart(dir) || runfolder.Has(dir, runfolder.CheckpointFile) {
		t.Fatalf("%s is not the start of a run", dir)
	}
}

// notesOf returns the notes of a run that is resumed in dir, up to its first step.
func notesOf(t *testing.T, dir string, c *config.Config) (notes string) {
	t.Helper()
	err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnStart: func(r *nas.Run) error {
		notes = strings.Join(r.Notes(), "\n")
		return errStart
	}})
	if !errors.Is(err, errStart) {
		t.Fatal(err)
	}
	return notes
}

func TestBeginAgain(t *testing.T) {
	// A run in the folder of an earlier one, of which nothing was saved, begins at the start, says so, and ends with the bytes of a run in a new folder, whatever the earlier config.
	other, c := fixture.LoadTiny(t, "tiny.yaml", "evaluate=null", "epochs=2", "seed=4"), fixture.LoadTiny(t, "tiny.yaml", "evaluate=null", "epochs=1")
	fresh, again := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
	if err := nastest.Perform(t.Context(), fresh, c, nas.Hooks{}); err != nil {
		t.Fatal(err)
	}
	startOnly(t, again, other)
	for _, name := range []string{runfolder.MetricsFile, runfolder.BestFile} { // as a kill after its first epoch leaves them
		if err := os.WriteFile(filepath.Join(again, name), []byte("{\"epoch\":0}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	said := ""
	if err := nastest.Perform(t.Context(), again, c, nas.Hooks{OnStart: func(r *nas.Run) error { said = strings.Join(r.Notes(), "\n"); return nil }}); err != nil {
		t.Fatal(err)
	}
	if want := "nothing was saved of the run that began in " + again + ": this one begins at the start"; said != want {
		t.Errorf("said %q, want %q", said, want)
	}
	for _, name := range []string{runfolder.ConfigFile, runfolder.CheckpointFile, runfolder.ResultFile, runfolder.GenotypeFile} {
		if string(fixture.Content(t, again, name)) != string(fixture.Content(t, fresh, name)) {
			t.Errorf("%s is not that of a run in a new folder", name)
		}
	}
	if runfolder.Has(again, runfolder.BestFile) {
		t.Errorf("%s of the other run is there still", runfolder.BestFile)
	}
	saved := nastest.StopAfter(t, other)
	if err := nastest.Perform(t.Context(), saved, c, nas.Hooks{}); err == nil || !strings.Contains(err.Error(), "has another config") {
		t.Errorf("a folder with a checkpoint of another config: %v", err)
	}
	foreign := t.TempDir() // somebody's config, no run
	if err := os.WriteFile(filepath.Join(foreign, runfolder.ConfigFile), []byte("epochs: 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := nastest.Perform(t.Context(), foreign, c, nas.Hooks{}); err == nil || string(fixture.Content(t, foreign, runfolder.ConfigFile)) != "epochs: 3\n" {
		t.Errorf("a folder with a config of somebody's: %v, which now is %s", err, fixture.Content(t, foreign, runfolder.ConfigFile))
	}
}

func TestResumeSaysChanges(t *testing.T) {
	// A resumed run notes each change of versions, machine or threads in a line; what an old folder does not record is no change.
	c := fixture.LoadTiny(t, "tiny.yaml", "evaluate=null")
	dir := nastest.StopAfter(t, c)
	now, err := runfolder.ReadRunInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		began func(*runfolder.RunInfo)
		want  []string
	}{
		{"the same", func(*runfolder.RunInfo) {}, nil},
		{"old folder", func(a *runfolder.RunInfo) { a.Processor = "" }, nil},
		{"everything", func(a *runfolder.RunInfo) {
			a.Version, a.Libtorch, a.Platform, a.Processor, a.Device, a.Threads = "0.0.1", "2.1", "plan9/arm", "avx1024", "cuda:7", now.Threads+1
			a.JPEG = "punched cards"
		}, []string{"version: the run began with 0.0.1 ", "libtorch: the run began with 2.1 ", "platform: the run began with plan9/arm ",
			"processor: the run began with avx1024 and goes on with " + now.Processor + ", so that it may end with other bits",
			"JPEG: the run began with punched cards and goes on with ",
			"device: the run began with cuda:7 and goes on with cpu, ", "threads: the run began with "}},
	} {
		began := now
		test.began(&began)
		if err := runfolder.WriteJSON(filepath.Join(dir, runfolder.RunFile), began); err != nil {
			t.Fatal(err)
		}
		got := notesOf(t, dir, c)
		if lines := strings.Count(got, "so that it may end with other bits"); lines != len(test.want) {
			t.Errorf("%s: %d changes, want %d:\n%s", test.name, lines, len(test.want), got)
		}
		for _, want := range test.want {
			if !strings.Contains("\n"+got, "\n"+want) {
				t.Errorf("%s: no line %q:\n%s", test.name, want, got)
			}
		}
	}
}
