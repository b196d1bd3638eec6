package nas_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
)

func TestDamagedResult(t *testing.T) {
	// A complete run whose result.json cannot be read says so, and ends with the same bytes when the file is deleted and the run goes on.
	for _, name := range []string{"tiny-train.yaml", "tiny.yaml", "tiny-text-train.yaml"} {
		t.Run(name, func(t *testing.T) {
			c := fixture.LoadTiny(t, name)
			dir := filepath.Join(t.TempDir(), "run")
			if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{}); err != nil {
				t.Fatal(err)
			}
			compared := []string{runfolder.ResultFile, runfolder.GenotypeFile, runfolder.CheckpointFile, runfolder.MetricsFile}
			if c.Experiment != "search" {
				compared = append(compared, runfolder.WeightsFile)
			}
			before := map[string][]byte{}
			for _, name := range compared {
				before[name] = fixture.Content(t, dir, name)
			}
			file := filepath.Join(dir, runfolder.ResultFile)
			goOn := func() error { return nastest.Perform(t.Context(), dir, c, nas.Hooks{}) }
			again := fmt.Sprintf("delete it and go on with `darts %s --resume %s`", c.Experiment, dir)
			sound := string(before[runfolder.ResultFile])
			for what, by := range map[string]struct {
				make func(string) error
				want string
			}{
				"empty":          {fixture.Text(""), "the file is empty"},
				"blank":          {fixture.Text(" \n"), "the file is empty"},
				"garbage":        {fixture.Text("\x00\x01"), "invalid character"},
				"cut off":        {fixture.Text(sound[:len(sound)/2]), "unexpected end of JSON input"},
				"twice":          {fixture.Text(sound + sound), "invalid character '{' after top-level value"},
				"another thing":  {fixture.Text("[]"), "cannot unmarshal array"},
				"no key":         {fixture.Text("{}"), "cells: genotype: "},
				"an unknown key": {fixture.Text(strings.Replace(sound, "{", `{"colour": 1,`, 1)), "key colour is unknown"},
				"a folder":       {fixture.Folder, "is a folder, wanted a file"},
				"a pipe":         {fixture.Pipe, "is a pipe, wanted a file"},
			} {
				fixture.Replace(t, file, by.make)
				err := fixture.Soon(goOn)
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
				if !bytes.Equal(fixture.Content(t, dir, name), before[name]) {
					t.Errorf("%s differs", name)
				}
			}
		})
	}
}

func TestImplausibleResult(t *testing.T) {
	// A result is refused when no run of its config can end with it.
	c := fixture.LoadTiny(t, "tiny-train.yaml")
	dir := nastest.TrainedRun(t)
	sound := string(fixture.Content(t, dir, runfolder.ResultFile))
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
		fixture.Replace(t, filepath.Join(dir, runfolder.ResultFile), fixture.Text(test.text))
		if err := runfolder.ReadResult(dir, c, &runfolder.TrainResult{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", what, err, test.want)
		}
	}
	fixture.Replace(t, filepath.Join(dir, runfolder.ResultFile), fixture.Text(sound))
	cell := string(fixture.Content(t, dir, runfolder.GenotypeFile))
	for what, test := range map[string]struct{ text, want string }{
		"an empty genotype":         {"", runfolder.GenotypeFile},
		"another genotype":          {strings.Replace(cell, `"sep_conv_3x3"`, `"sep_conv_5x5"`, 1), "have different cells"},
		"a genotype that is no one": {"{}", runfolder.GenotypeFile},
	} {
		fixture.Replace(t, filepath.Join(dir, runfolder.GenotypeFile), fixture.Text(test.text))
		if _, err := train.Test(t.Context(), dir, torch.CPU); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "writes both again") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
