package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestConfigs(t *testing.T) {
	// configs lists the configs in the program with a line each, prints one as its file has it, and names the nearest of an unknown one.
	want, err := os.ReadFile("../../configs/imagefolder-train.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	list := printed(t, "configs")
	if !regexp.MustCompile(`\ncifar10-darts-second +DARTS, second order, CIFAR-10 search \(arXiv 1806.09055, sec. 3.1, table 1\).\n`).MatchString(list) || strings.Contains(list, "second.toy") {
		t.Errorf("the list is\n%s", list)
	}
	for _, name := range []string{"imagefolder-train", "imagefolder-train.yaml"} {
		if got := printed(t, "configs", name); got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	var stdout, stderr bytes.Buffer
	status := run([]string{"configs", "cifar10-darts-secnd"}, &stdout, &stderr)
	if status != exitUsage || stderr.String() != "darts: configs: there is no config cifar10-darts-secnd in the program (nearest: cifar10-darts-second)\n" {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
}

func TestSearchBuiltin(t *testing.T) {
	// A search takes a config of the program by its name in an empty folder, and its run folder has that name.
	t.Chdir(t.TempDir())
	out := printed(t, "search", "imagefolder-search.toy", "--set", "epochs=1", "--set", "data.subset=32", "--threads", "1")
	if !strings.Contains(out, "run folder: runs/imagefolder-search.toy-") {
		t.Errorf("printed\n%s", out)
	}
	if out := printed(t, "info", "cifar10-train"); !strings.Contains(out, "36 channels, 20 cells") {
		t.Errorf("info printed\n%s", out)
	}
}
