package nas

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"godarts/nas/runfolder"
	"godarts/torch"
)

// replace puts something else in the place of a file.
func replace(t *testing.T, file string, by func(file string) error) {
	t.Helper()
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := by(file); err != nil {
		t.Fatal(err)
	}
}

func text(s string) func(string) error {
	return func(file string) error { return os.WriteFile(file, []byte(s), 0o644) }
}

func folder(file string) error { return os.Mkdir(file, 0o755) }
func pipe(file string) error   { return syscall.Mkfifo(file, 0o644) }

// soon is what act gives, or an error if that takes too long: a pipe makes programs wait.
func soon(act func() error) error {
	done := make(chan error, 1)
	go func() { done <- act() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		return fmt.Errorf("nothing happens")
	}
}

func TestDamagedResult(t *testing.T) {
	// A complete run whose result.json does not read says so, and ends with the same bytes when that is deleted and it goes on.
	for _, name := range []string{"tiny-train.yaml", "tiny.yaml", "tiny-text-train.yaml"} {
		t.Run(name, func(t *testing.T) {
			c := loadTiny(t, name)
			dir := filepath.Join(t.TempDir(), "run")
			if err := perform(t.Context(), dir, c, Hooks{}); err != nil {
				t.Fatal(err)
			}
			compared := []string{runfolder.ResultFile, runfolder.GenotypeFile, runfolder.CheckpointFile, runfolder.MetricsFile}
			if c.Experiment != "search" {
				compared = append(compared, runfolder.WeightsFile)
			}
			before := map[string][]byte{}
			for _, name := range compared {
				before[name] = contentOf(t, dir, name)
			}
			file := filepath.Join(dir, runfolder.ResultFile)
			goOn := func() error { return perform(t.Context(), dir, c, Hooks{}) }
			again := fmt.Sprintf("delete it and go on with `darts %s --resume %s`", c.Experiment, dir)
			sound := string(before[runfolder.ResultFile])
			for what, by := range map[string]struct {
				make func(string) error
				want string
			}{
				"empty":          {text(""), "the file is empty"},
				"blank":          {text(" \n"), "the file is empty"},
				"garbage":        {text("\x00\x01"), "invalid character"},
				"cut off":        {text(sound[:len(sound)/2]), "unexpected end of JSON input"},
				"twice":          {text(sound + sound), "invalid character '{' after top-level value"},
				"another thing":  {text("[]"), "cannot unmarshal array"},
				"no key":         {text("{}"), "cells: genotype: "},
				"an unknown key": {text(strings.Replace(sound, "{", `{"colour": 1,`, 1)), "key colour is unknown"},
				"a folder":       {folder, "is a folder, wanted a file"},
				"a pipe":         {pipe, "is a pipe, wanted a file"},
			} {
				replace(t, file, by.make)
				err := soon(goOn)
				if err == nil || !strings.Contains(err.Error(), by.want) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), again) {
					t.Errorf("%s: got %v, want %s, the file and how to go on", what, err, by.want)
				}
			}
			if err := os.RemoveAll(file); err != nil {
				t.Fatal(err)
			}
			if err := goOn(); err != nil {
				t.Fatal(err)
			}
			for _, name := range compared {
				if !bytes.Equal(contentOf(t, dir, name), before[name]) {
					t.Errorf("%s differs", name)
				}
			}
		})
	}
}

// contentOf is a file of a run folder, without what a machine's state decides.
func contentOf(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if name != runfolder.MetricsFile {
		return content
	}
	var kept []byte
	for line := range bytes.Lines(content) {
		line, _, _ = bytes.Cut(line, []byte(`,"peak_rss_bytes"`))
		kept = append(append(kept, line...), '\n')
	}
	return kept
}

func TestImplausibleResult(t *testing.T) {
	// A result is refused when no run of its config ends so.
	c := loadTiny(t, "tiny-train.yaml")
	dir := trainedRun(t)
	sound := string(contentOf(t, dir, runfolder.ResultFile))
	change := func(key, to string) string {
		at := strings.Index(sound, `"`+key+`": `)
		end := at + strings.IndexAny(sound[at:], ",\n}")
		return sound[:at] + to + strings.TrimPrefix(sound[end:], strings.Repeat(",", 1-min(len(to), 1)))
	}
	for what, test := range map[string]struct{ text, want string }{
		"more than all wrong": {change("test_error", `"test_error": 100.5`), "test_error 100.5 %"},
		"a negative loss":     {change("test_loss", `"test_loss": -1`), "test_loss -1"},
		"a missing key":       {change("test_loss", ""), "key test_loss is missing"},
		"no parameters":       {change("parameters", `"parameters": 0`), "parameters: 0"},
		"two kinds":           {change("test_loss", `"test_loss": 1, "valid_error": 1, "valid_loss": 1`), "want one of"},
		"another cell":        {strings.Replace(sound, `"sep_conv_3x3"`, `"sep_conv_5x5"`, 1), "the config has another cell"},
	} {
		replace(t, filepath.Join(dir, runfolder.ResultFile), text(test.text))
		if err := runfolder.ReadResult(dir, c, &runfolder.TrainResult{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", what, err, test.want)
		}
	}
	replace(t, filepath.Join(dir, runfolder.ResultFile), text(sound))
	cell := string(contentOf(t, dir, runfolder.GenotypeFile))
	for what, test := range map[string]struct{ text, want string }{
		"an empty genotype":         {"", runfolder.GenotypeFile},
		"another genotype":          {strings.Replace(cell, `"sep_conv_3x3"`, `"sep_conv_5x5"`, 1), "have different cells"},
		"a genotype that is no one": {"{}", runfolder.GenotypeFile},
	} {
		replace(t, filepath.Join(dir, runfolder.GenotypeFile), text(test.text))
		if _, err := Test(t.Context(), dir, torch.CPU); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "writes both anew") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
