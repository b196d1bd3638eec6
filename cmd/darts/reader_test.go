package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReaderGoesAway(t *testing.T) {
	// A run ends as usual when nobody reads its output, when that is closed from the start, and when its disk is full; a list ends at once, without a word.
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	config := writeFile(t, "tiny.yaml", strings.Split(tinyConfig, "evaluate:")[0])
	unread := func(t *testing.T) *os.File {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		return write
	}
	full := func(t *testing.T) *os.File {
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, test := range []struct {
		name string
		args []string // after sh -c
		out  func(t *testing.T) *os.File
	}{
		{"nobody reads", []string{`exec "$@"`}, unread},
		{"nor what goes to stderr", []string{`exec "$@" 2>&1`}, unread},
		{"closed", []string{`exec "$@" >&- 2>&-`}, unread},
		{"disk full", []string{`exec "$@" 2>&1`}, full},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			out := test.out(t)
			defer out.Close()
			p := exec.Command("sh", append(append([]string{"-c"}, test.args...), "sh", darts, "search", config, "--out", dir, "--threads", "1")...)
			p.Stdout = out
			if err := p.Run(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "result.json")); err != nil {
				t.Error(err)
			}
		})
	}
	out := unread(t)
	defer out.Close()
	var stderr bytes.Buffer
	p := exec.Command(darts, "genotypes")
	p.Stdout, p.Stderr = out, &stderr
	if err := p.Run(); err == nil || !p.ProcessState.Sys().(syscall.WaitStatus).Signaled() || stderr.Len() > 0 {
		t.Errorf("genotypes ended with %v, stderr %q, want the signal's quiet end", err, stderr.String())
	}
}
