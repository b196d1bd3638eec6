package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestCompare(t *testing.T) {
	// The table is printed and every file written, the same with any number of workers, when a toy comparison runs.
	var folders []string
	for _, workers := range []string{"1", "3"} {
		dir := filepath.Join(t.TempDir(), "out")
		var stdout, stderr bytes.Buffer
		if status := run([]string{"compare", "../../configs/nasbench201.toy.yaml", "--workers", workers, "--seed", "5", "--out", dir}, &stdout, &stderr); status != exitOK {
			t.Fatalf("status %d, stderr %q", status, stderr.String())
		}
		want := `^a made-up table: 20 searches of each strategy, 40 queries (?s:.*)\nrandom +\d\d\.\d\d ± .*\nevolution (?s:.*)\n60 searches in .* with ` + workers + ` workers\ntables and charts: `
		if !regexp.MustCompile(want).MatchString(stdout.String()) {
			t.Errorf("stdout is %q", stdout.String())
		}
		folders = append(folders, dir)
	}
	for _, name := range []string{"config.yaml", "comparison.md", "comparison.csv", "curves.csv", "searches.csv", "curves.png", "curves.svg"} {
		first, err := os.ReadFile(filepath.Join(folders[0], name))
		if err != nil || len(first) == 0 {
			t.Errorf("%s: %d bytes, error %v", name, len(first), err)
		}
		if second, err := os.ReadFile(filepath.Join(folders[1], name)); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s differs between 1 and 3 workers, error %v", name, err)
		}
	}
}

func TestGetTable(t *testing.T) {
	// data get checks the table of NAS-Bench-201 and says what is wrong when there is a file.
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "nasbench201"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "nasbench201", "nasbench201.csv")
	if err := os.WriteFile(file, []byte("index,cells\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := run([]string{"data", "get", "nasbench201", "--root", root}, &stdout, &stderr)
	if want := "darts: nasbench201: " + file + ":1: column 2 is \"cells\", want \"cell\"\n"; status != exitFailed || stderr.String() != want {
		t.Errorf("status %d, stderr %q, want %q", status, stderr.String(), want)
	}
	if os.Getenv("GODARTS_DATA") == "" {
		return
	}
	stdout.Reset()
	stderr.Reset()
	status = run([]string{"data", "get", "nasbench201"}, &stdout, &stderr)
	if !regexp.MustCompile(`^nasbench201 is in .*: 15625 cells, the best 94.37 % on CIFAR-10, 73.51 % on CIFAR-100, 47.31 % on ImageNet16-120\n$`).MatchString(stdout.String()) || status != exitOK {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout.String(), stderr.String())
	}
}
