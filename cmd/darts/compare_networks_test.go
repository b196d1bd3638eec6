package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// tinyComparison are the files of a comparison of seconds.
func tinyComparison(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tiny.yaml":   "experiment: compare\ncompare:\n  search: search.yaml\n  strategies: [[strategy.name=darts], [strategy.name=random, strategy.trials=2]]\n  train: train.yaml\n  seeds: 2",
		"search.yaml": "experiment: search\ndata: {name: digits, subset: 64, batch: 12}\nnetwork: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}\nepochs: 2",
		"train.yaml":  "experiment: train\ndata: {name: digits, subset: 64, batch: 16}\nnetwork: {channels: 2, layers: 3}\nepochs: 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "tiny.yaml")
}

func TestComparison(t *testing.T) {
	// Strategies are compared on networks, a second call finds all done, and a comparison by two processes, or an interrupted one, ends with the same cells and errors.
	t.Setenv(asProgram, "1") // the searches it starts inherit it
	file, out := tinyComparison(t), filepath.Join(t.TempDir(), "out")
	replaceIn(t, filepath.Join(filepath.Dir(file), "search.yaml"), "nodes: 2", "nodes: 1")
	var stdout, stderr bytes.Buffer
	if status := run([]string{"compare", file, "--out", out}, &stdout, &stderr); status != exitOK {
		t.Fatalf("status %d, stderr %q", status, stderr.String())
	}
	want := `(?m)^strategy +test error +parameters +search time +peak memory\ndarts-first +\d+\.\d\d ± \d+\.\d\d % +\d+ +\d+ s +\d+ MB\nrandom +\d`
	if !regexp.MustCompile(want).MatchString(stdout.String()) {
		t.Errorf("stdout is %q", stdout.String())
	}
	table := comparisonTable(t, out)
	if len(table) != 5 {
		t.Errorf("table %q, want a header and four trainings", table)
	}
	left := filepath.Join(out, ".contest.md1") // by a kill
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if status := run([]string{"compare", file, "--out", out}, &again, &stderr); status != exitOK || strings.Contains(again.String(), "epoch") {
		t.Errorf("the second call: status %d, stdout %q", status, again.String())
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a kill left is still there")
	}

	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(t.TempDir(), "out")
	var both [2]*exec.Cmd
	for i := range both {
		both[i] = exec.Command(darts, "compare", file, "--out", shared, "--stale", "12s")
		if err := both[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range both {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got := comparisonTable(t, shared); strings.Join(got, "\n") != strings.Join(table, "\n") {
		t.Errorf("by two processes the table is\n%q, want\n%q", got, table)
	}

	other := filepath.Join(t.TempDir(), "out")
	p := exec.Command(darts, "compare", file, "--out", other)
	var said bytes.Buffer
	p.Stderr = &said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(other, "darts-first", "search"))
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	if want := "interrupted; go on with: darts compare " + file + " --out " + other + "\n"; p.ProcessState.ExitCode() != exitInterrupted || !strings.HasSuffix(said.String(), want) {
		t.Errorf("status %d, stderr %q, want %q", p.ProcessState.ExitCode(), said.String(), want)
	}
	if status := run([]string{"compare", file, "--out", other}, &stdout, &stderr); status != exitOK {
		t.Fatalf("status %d, stderr %q", status, stderr.String())
	}
	if got := comparisonTable(t, other); strings.Join(got, "\n") != strings.Join(table, "\n") {
		t.Errorf("after an interruption the table is\n%q, want\n%q", got, table)
	}
}

// comparisonTable are the lines of contest.csv but for time and memory.
func comparisonTable(t *testing.T, dir string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "contest.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ",", 7)
		lines = append(lines, strings.Join(append(fields[:4:4], fields[6:]...), ","))
	}
	return lines
}

func TestComparisonErrors(t *testing.T) {
	// The exit status is 2 and one line says why when a comparison on networks is given what it has no use for.
	var stdout, stderr bytes.Buffer
	if status := run([]string{"compare", tinyComparison(t), "--workers", "2"}, &stdout, &stderr); status != exitUsage || !strings.Contains(stderr.String(), "--workers has no effect on networks") {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
}
