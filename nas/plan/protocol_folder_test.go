package plan_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
)

func TestProtocolFolder(t *testing.T) {
	// A protocol names the file that is damaged and what helps, before it begins a part, and goes on when that is done.
	whole := fixture.TinyWhole(t)
	dir := filepath.Join(t.TempDir(), "protocol")
	var begun []string
	work := func() error {
		_, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{Settings: nas.Settings{Hooks: []nas.Hooks{{OnStart: func(r *nas.Run) error {
			begun = append(begun, filepath.Base(r.Dir))
			return nil
		}}}}})
		return err
	}
	if err := work(); err != nil {
		t.Fatal(err)
	}
	report := fixture.Content(t, dir, runfolder.ResultFile)
	begun = nil
	restore := "restore the file, or delete the folder " + filepath.Join(dir, runfolder.ProtocolConfigFolder) + " and give the same CONFIG as before, with --out " + dir
	for _, test := range []struct {
		name, want string
		by         func(string) error
	}{
		{runfolder.ProtocolConfigFolder + "/search.yaml", restore, fixture.Text("")},
		{runfolder.ProtocolConfigFolder + "/search.yaml", restore, fixture.Text("experiment: train")},
		{runfolder.ProtocolConfigFolder + "/train.yaml", "is a pipe, wanted a file: move it away", fixture.Pipe},
		{runfolder.ProtocolConfigFolder + "/" + config.WholeFile, "is a folder, wanted a file: move it away", fixture.Folder},
		{"search-2/result.json", "the file is empty; restore the file, or delete it and go on with `darts search --resume ", fixture.Text("")},
		{"search-2/genotype.json", "restore it, or delete ", fixture.Text("{}")},
		{"brief-2/result.json", "key test_error is missing; restore the file, or delete it", func(file string) error {
			content := fixture.Content(t, dir, "train-0/result.json")
			return os.WriteFile(file, bytes.ReplaceAll(content, []byte(`"test_error"`), []byte(`"valid_loss"`)), 0o644)
		}},
		{"train-0/result.json", "is a pipe, wanted a file", fixture.Pipe},
	} {
		file := filepath.Join(dir, test.name)
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fixture.Replace(t, file, test.by)
		if err := fixture.Soon(work); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
		fixture.Replace(t, file, fixture.Text(string(before)))
	}
	if len(begun) > 0 {
		t.Errorf("begun: %s", begun)
	}
	for _, name := range []string{runfolder.ProtocolConfigFolder, "train-0/result.json", runfolder.ResultFile} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	leave := func(names ...string) {
		for _, name := range names {
			fixture.Replace(t, filepath.Join(dir, name), fixture.Text("left by a kill"))
		}
	}
	leave("."+runfolder.ResultFile+"784", "."+plan.ReportFile+"1", "."+runfolder.GenotypeFile+"2")
	if err := work(); err != nil || fmt.Sprint(begun) != "[train-0]" || !bytes.Equal(fixture.Content(t, dir, runfolder.ResultFile), report) {
		t.Errorf("begun %s, %v, report\n%s, want\n%s", begun, err, fixture.Content(t, dir, runfolder.ResultFile), report)
	}
	leave(runfolder.ProtocolConfigFolder+"/.data.json77", runfolder.ProtocolConfigFolder+"/.search-data.json8", ".config-3")
	if err := work(); err != nil {
		t.Error(err)
	}
	for _, pattern := range []string{".*", runfolder.ProtocolConfigFolder + "/.*"} {
		if left, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

func TestProtocolTaken(t *testing.T) {
	// A protocol begins no other part when its folder has become another's, or is gone.
	for _, test := range []struct {
		name, want string
		take       func(t *testing.T, dir string)
	}{
		{"another's", "has another config: search.seed: ", func(t *testing.T, dir string) {
			other := fixture.TinyWhole(t)
			other.Search.Seed = 9
			files, err := config.Files(other.Experiments())
			if err != nil {
				t.Fatal(err)
			}
			fixture.Replace(t, filepath.Join(dir, runfolder.ProtocolConfigFolder, "search.yaml"), fixture.Text(string(files["search.yaml"])))
		}},
		{"gone", "no such file or directory", func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, runfolder.ProtocolConfigFolder)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "protocol")
			var begun []string
			_, err := plan.Repeat(t.Context(), dir, fixture.TinyWhole(t), plan.Settings{Settings: nas.Settings{Hooks: []nas.Hooks{{OnStart: func(r *nas.Run) error {
				begun = append(begun, filepath.Base(r.Dir))
				test.take(t, dir)
				return nil
			}}}}})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) || fmt.Sprint(begun) != "[search-2]" {
				t.Errorf("begun %s, got %v, want %s", begun, err, test.want)
			}
		})
	}
}

func TestTrialInTakenFolder(t *testing.T) {
	// A search makes no folder for its next trial when its own folder was removed after one.
	dir := filepath.Join(t.TempDir(), "run")
	c := fixture.LoadTiny(t, "tiny.yaml", "strategy.name=random", "strategy.trials=2", "epochs=1", "data.subset=24")
	err := nastest.Perform(t.Context(), dir, c, nas.Hooks{OnEpoch: func(r *nas.Run, _ *nas.Epoch) error {
		if filepath.Base(r.Dir) == "run" {
			return os.RemoveAll(dir)
		}
		return nil
	}})
	if err == nil || !strings.Contains(err.Error(), "its run.json is gone") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there again: %v", err)
	}
}
