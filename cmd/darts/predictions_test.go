package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPredictionsOfTest(t *testing.T) {
	// Errors of classes, confusions and a table of all images are printed and written when flags ask for them.
	dir := filepath.Join(t.TempDir(), "run")
	execute(t, "train", writeFile(t, "training.yaml", tinyTraining), "--threads", "1", "--out", dir)
	table := filepath.Join(t.TempDir(), "table.csv")
	plain := execute(t, "test", dir)
	out := execute(t, "test", dir, "--per-class", "--confusion", "--predictions", table)
	rest, ok := strings.CutPrefix(out, plain)
	lines := strings.Split(strings.TrimSpace(rest), "\n")
	if !ok || len(lines) != 11+11+1 || lines[len(lines)-1] != table {
		t.Fatalf("%d lines: %s", len(lines), out)
	}
	if !regexp.MustCompile(`^ *class +images +error +precision *$`).MatchString(lines[0]) || !regexp.MustCompile(`^ *of, given as +0 +1 +.* 9 *$`).MatchString(lines[11]) {
		t.Errorf("got %q and %q", lines[0], lines[11])
	}
	content, err := os.ReadFile(table)
	if err != nil || strings.Count(string(content), "\n") != 361 || !strings.HasPrefix(string(content), "image,label,class,probability\n0,") {
		t.Errorf("%v, %d lines, %.60s", err, strings.Count(string(content), "\n"), content)
	}
}
