package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestHomeInArguments(t *testing.T) {
	// A ~ that no shell has expanded stands for the home folder in every argument and flag that names a file, and that of another user is an error.
	home := t.TempDir()
	t.Setenv("HOME", home)
	training := writeFile(t, "training.yaml", tinyTraining)
	if err := os.Rename(training, filepath.Join(home, "t.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "g.txt"), []byte("NASNet"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"train", "~/t.yaml", "--genotype", "~/g.txt", "--out", "~/run", "--threads", "1"},
		{"train", "--resume=~/run"},
		{"test", "~/run"},
		{"test", "~/t.yaml", "--weights", "~/run/weights.safetensors", "--genotype", "~/g.txt"},
		{"export", "~/run", "-o", "~/exported"},
		{"draw", "~/exported", "--out", "~/pictures"},
		{"data", "export", "digits", "~/photos", "--n", "250", "--root", "~/data"},
		{"info", "~/t.yaml", "--set", "data.name=imagefolder", "--set", "data.root=~/photos"},
		{"info", "~/t.yaml", "--set", "data={name: imagefolder, root: ~/photos}"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(args, &stdout, &stderr); status != exitOK {
			t.Errorf("%v: status %d, stderr %q", args, status, stderr.String())
		}
	}
	for _, file := range []string{"run/result.json", "exported/network.py", "pictures/normal.svg", "photos/train"} {
		if _, err := os.Stat(filepath.Join(home, file)); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("the working folder has %v, %v", left, err)
	}
	for _, args := range [][]string{
		{"train", "~you/t.yaml"}, {"train", "~/t.yaml", "--out", "~you/run"}, {"train", "~/t.yaml", "--genotype", "~you/g"}, {"train", "--resume", "~you/run"},
		{"search", "~/t.yaml", "--set", "data.root=~you/x"}, {"draw", "NASNet", "-o", "~you"}, {"data", "get", "digits", "--root", "~you"}, {"bench", "--chart", "~you/x.png"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(args, &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), ": the home of another user is not looked up: write the whole path") {
			t.Errorf("%v: status %d, stderr %q", args, status, stderr.String())
		}
	}
	t.Setenv("GODARTS_DATA", "~you/data")
	var stdout, stderr bytes.Buffer
	if status := run([]string{"version"}, &stdout, &stderr); status != exitUsage || !strings.HasPrefix(stderr.String(), "darts: GODARTS_DATA: ~you/data: the home of another user") {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
}

func TestHomeInLists(t *testing.T) {
	// Each path of a flag that can be given several times is expanded, and no other flag.
	t.Setenv("HOME", "/home/me")
	f := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	charts, name := f.StringArray("chart", nil, "draw to `FILE`"), f.String("name", "", "a `NAME`")
	if err := f.Parse([]string{"--chart", "~/a.png", "--name", "~/x", "--chart=b.svg"}); err != nil {
		t.Fatal(err)
	}
	if err := expandHome(f); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(*charts, " "); got != "/home/me/a.png b.svg" || *name != "~/x" {
		t.Errorf("got %s and %s", got, *name)
	}
}
