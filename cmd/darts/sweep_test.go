package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tinySweep writes a sweep of eight searches, half of which a rung leaves out, and returns its file.
func tinySweep(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sweep.yaml": "experiment: sweep\nbase: base.yaml\nkeys: {w.lr: [0.025, 0.5], alpha.lr: [3e-4, 3e-2]}\nseeds: 2\n" + more,
		"base.yaml": "experiment: search\ndata: {name: digits, subset: 64, batch: 12}\nnetwork: {channels: 2, layers: 3, nodes: 1, stem_multiplier: 1}\n" +
			"space: {operations: [none, skip_connect, sep_conv_3x3]}\nepochs: 2",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "sweep.yaml")
}

// sweepTable are the rows of sweep.csv without what time they took.
func sweepTable(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "sweep.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if !strings.HasSuffix(rows[0][i], "seconds") {
				table.WriteString(cell + "\t")
			}
		}
		table.WriteString("\n")
	}
	return table.String()
}

// runsOfSweep matches the first line of each run that a process begins or continues.
var runsOfSweep = regexp.MustCompile(`(?m)^search (point-\d-seed-\d): .*`)

func TestSweepKilled(t *testing.T) {
	// A sweep of eight runs whose two processes are killed, and then one twice, ends, worked on by two, with the table and the checkpoints of an undisturbed one, and begins no finished run again.
	if testing.Short() {
		t.Skip("-short: works through two sweeps")
	}
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	config, dir := tinySweep(t, "halving: {rungs: [2, 3], keep: 0.5}"), t.TempDir()
	start := func(out string) *repetition { return startRepeat(t, darts, "sweep", config, "--out", out) }
	undisturbed, out := filepath.Join(dir, "undisturbed"), filepath.Join(dir, "killed")
	p := start(undisturbed)
	if status := p.end(); status != exitOK {
		t.Fatalf("status %d: %s%s", status, &p.out, &p.err)
	}
	want := sweepTable(t, undisturbed)
	if rows := strings.Count(want, "\n"); rows != 9 || strings.Count(want, "stopped") != 4 || strings.Count(want, "done\t\n") != 4 {
		t.Fatalf("the table of the undisturbed sweep is\n%s", want)
	}
	beside := start(out)
	for i, until := range [][]string{
		{`^search point-\d-seed-\d: `, "^epoch 1/3: "},
		{`^search point-3-seed-\d: `},
		{`^search point-\d-seed-\d: .*going on in epoch 3`, "^epoch 3/3: "},
	} {
		killed := start(out)
		killed.until(t, until...)
		if _, err := os.Stat(filepath.Join(out, "sweep.md")); err == nil {
			t.Fatalf("the sweep was complete before a process was killed after %q", until)
		}
		killed.Process.Kill()
		killed.end()
		if i == 0 { // later it could leave the next one nothing to do
			beside.Process.Kill()
			beside.end()
		}
	}
	other, last := start(out), start(out)
	for _, p := range []*repetition{other, last} {
		if status := p.end(); status != exitOK {
			t.Fatalf("status %d: %s%s", status, &p.out, &p.err)
		}
		if !strings.Contains(p.out.String(), "Best on validation data: point-") {
			t.Errorf("no best point in %s", &p.out)
		}
	}
	if got := sweepTable(t, out); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	points, err := filepath.Glob(filepath.Join(undisturbed, "point-*"))
	if err != nil || len(points) != 8 {
		t.Fatalf("%d runs, %v", len(points), err)
	}
	for _, point := range points {
		name := filepath.Join(filepath.Base(point), "checkpoint.safetensors")
		a, _ := os.ReadFile(filepath.Join(undisturbed, name)) // an unreadable one differs
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs, %v", name, err)
		}
	}
	again := start(out)
	if status := again.end(); status != exitOK || runsOfSweep.MatchString(again.out.String()) {
		t.Errorf("a complete sweep: status %d, %s%s", status, &again.out, &again.err)
	}
}

func TestSweepHalving(t *testing.T) {
	// A run that halving leaves at the end has the bytes of one without halving; the others have the epochs of their rung.
	config, dir := tinySweep(t, ""), t.TempDir()
	whole, halved := filepath.Join(dir, "whole"), filepath.Join(dir, "halved")
	for out, set := range map[string]string{whole: "base.epochs=3", halved: "halving.rungs=[1, 3]"} {
		var stdout, stderr bytes.Buffer
		if status := run([]string{"sweep", config, "--out", out, "--set", "seeds=1", "--set", set}, &stdout, &stderr); status != exitOK {
			t.Fatalf("status %d: %s%s", status, &stdout, &stderr)
		}
	}
	epochs := map[int]int{}
	for _, point := range []string{"point-1-seed-2", "point-2-seed-2", "point-3-seed-2", "point-4-seed-2"} {
		metrics, err := os.ReadFile(filepath.Join(halved, point, "metrics.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		n := bytes.Count(metrics, []byte("\n")) - bytes.Count(metrics, []byte(`"step":`))
		epochs[n]++
		for _, file := range []string{"checkpoint.safetensors", "result.json"} {
			a, _ := os.ReadFile(filepath.Join(whole, point, file)) // an unreadable one differs
			b, err := os.ReadFile(filepath.Join(halved, point, file))
			if same := err == nil && bytes.Equal(a, b); same != (n == 3) {
				t.Errorf("%s of %s after %d epochs: the same is %v, %v", file, point, n, same, err)
			}
		}
	}
	if epochs[1] != 3 || epochs[3] != 1 {
		t.Errorf("runs by epochs: %v, want 3 of 1 and 1 of 3", epochs)
	}
}

func TestSweepUsage(t *testing.T) {
	// One clear line and exit status 2 come back when a sweep cannot be made, before anything is written.
	config, training := tinySweep(t, ""), writeFile(t, "training.yaml", tinyTraining)
	used := filepath.Dir(training)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no config", nil, `^darts: sweep: one CONFIG wanted, 0 given\n$`},
		{"training", []string{training}, "training.yaml is the config of a train: use `darts train`\n$"},
		{"unknown key", []string{config, "--set", "keys={w.rl: [1]}"}, `sweep.yaml:1: unknown key "w.rl" \(nearest: "w.lr"\)\n$`},
		{"too large", []string{config, "--set", "keys={network.channels: [2, 1000000]}"}, `^darts: nas: sweep: network.channels=1000000: `},
		{"folder in use", []string{config, "--out", used}, `is not empty: choose another --out\n$`},
		{"stale at once", []string{config, "--stale", "1ms"}, `^darts: sweep: --stale 1ms: wanted a second or more\n$`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := test.args
			if !slices.Contains(args, "--out") {
				args = append(args, "--out", filepath.Join(t.TempDir(), "out"))
			}
			status := run(append([]string{"sweep"}, args...), &stdout, &stderr)
			if status != exitUsage || !regexp.MustCompile(test.want).MatchString(stderr.String()) || strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("status %d, stderr %q, want %q", status, &stderr, test.want)
			}
		})
	}
}
