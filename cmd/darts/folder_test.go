package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReserve(t *testing.T) {
	// Two runs get a folder each when they start in the same second.
	t.Chdir(t.TempDir())
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, want := range []string{"runs/tiny-20260102-030405", "runs/tiny-20260102-030405-2", "runs/tiny-20260102-030405-3"} {
		if got, err := reserve("configs/tiny.yaml", now); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

func TestNothingBegan(t *testing.T) {
	// No default run folder stays when the run could not begin.
	t.Chdir(t.TempDir())
	config := writeFile(t, "tiny.yaml", tinyConfig)
	var stdout, stderr bytes.Buffer
	if status := run([]string{"search", config, "--set", "data.name=cifar10", "--set", "data.root=nowhere"}, &stdout, &stderr); status != exitUsage {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
	if left, err := os.ReadDir("runs"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestResumeElsewhere(t *testing.T) {
	// A finished run shows its results when its device is not there, and an evaluation starts over when a kill left a half-written file of its start.
	config := writeFile(t, "tiny.yaml", tinyConfig)
	dir := filepath.Join(t.TempDir(), "run")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	search := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{"search"}, args...), &stdout, &stderr); status != exitOK {
			t.Fatalf("%v: status %d, stderr %q", args, status, stderr.String())
		}
		return stdout.String()
	}
	search(config, "--out", dir)

	must(os.RemoveAll(filepath.Join(dir, "random-1")))
	must(os.Mkdir(filepath.Join(dir, "random-1"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "random-1", ".config.yaml123"), nil, 0o644))
	must(os.Remove(filepath.Join(dir, "result.json")))
	search("--resume", dir)

	about := filepath.Join(dir, "run.json")
	text, err := os.ReadFile(about)
	must(err)
	must(os.WriteFile(about, []byte(strings.Replace(string(text), `"cpu"`, `"cuda:99"`, 1)), 0o644))
	if out := search("--resume", dir); !strings.Contains(out, "is complete") || !strings.Contains(out, "random-1") {
		t.Errorf("stdout is %q", out)
	}
}

func TestBeginAgain(t *testing.T) {
	// A run may begin in the folder of another when nothing was saved of that one, and may not when a checkpoint was.
	config, dir := writeFile(t, "tiny.yaml", tinyTraining), filepath.Join(t.TempDir(), "run")
	train := func(args ...string) (status int, stdout, stderr string) {
		var o, e bytes.Buffer
		status = run(append([]string{"train", config, "--out", dir}, args...), &o, &e)
		return status, o.String(), e.String()
	}
	if status, _, stderr := train(); status != exitOK {
		t.Fatal(stderr)
	}
	if err := os.Remove(filepath.Join(dir, "result.json")); err != nil {
		t.Fatal(err)
	}
	want := "darts: train: " + dir + " holds a run already: go on with --resume " + dir + ", or choose another --out\n"
	if status, _, stderr := train(); status != exitUsage || stderr != want {
		t.Errorf("with a checkpoint: status %d, stderr %q, want %q", status, stderr, want)
	}
	if err := os.Remove(filepath.Join(dir, "checkpoint.safetensors")); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := train("--set", "epochs=2")
	if note := "note: nothing was saved of the run that began in " + dir + ": this one begins at the start\n"; status != exitOK || !strings.Contains(stdout, note) || !strings.Contains(stdout, "epoch 2/2") {
		t.Errorf("without: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestResumeSet(t *testing.T) {
	// --resume takes more epochs by --set and says so in a line, and refuses other keys and a complete run by one.
	config, dir := writeFile(t, "tiny.yaml", tinyTraining), filepath.Join(t.TempDir(), "run")
	train := func(args ...string) (status int, stdout, stderr string) {
		var o, e bytes.Buffer
		status = run(append([]string{"train"}, args...), &o, &e)
		return status, o.String(), e.String()
	}
	if status, _, stderr := train(config, "--out", dir); status != exitOK {
		t.Fatal(stderr)
	}
	refused := func(item, want string) {
		t.Helper()
		if status, _, stderr := train("--resume", dir, "--set", item); status != exitUsage || stderr != "darts: nas: "+want+"\n" {
			t.Errorf("--set %s: status %d, stderr %q, want %q", item, status, stderr, want)
		}
	}
	refused("epochs=2", "epochs: the run in "+dir+" is complete after 1 epoch: start a new run for 2")
	if err := os.Remove(filepath.Join(dir, "result.json")); err != nil {
		t.Fatal(err)
	}
	refused("w.lr=0.5", "--set w.lr=0.5: a run goes on with the w.lr that it began with; what can change is epochs, data.root, data.on_bad_file, data.check")
	status, stdout, stderr := train("--resume", dir, "--set", "epochs=2")
	if status != exitOK || !strings.Contains(stdout, "\nnote: changed: epochs: 1 until now, 2 from now on; the learning rate") || !strings.Contains(stdout, "\nepoch 2/2: ") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestDamagedResultOfRun(t *testing.T) {
	// The exit status is 2, and one line says what helps, when a complete run's result does not read.
	config := writeFile(t, "tiny.yaml", strings.Split(tinyConfig, "evaluate:")[0])
	dir := filepath.Join(t.TempDir(), "run")
	var stdout, stderr bytes.Buffer
	if status := run([]string{"search", config, "--out", dir, "--set", "epochs=1"}, &stdout, &stderr); status != exitOK {
		t.Fatalf("status %d, stderr %q", status, stderr.String())
	}
	if err := os.WriteFile(filepath.Join(dir, "result.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout.Reset()
	stderr.Reset()
	status := run([]string{"search", "--resume", dir}, &stdout, &stderr)
	want := "or delete it and go on with `darts search --resume " + dir + "`, which writes it again from the checkpoint\n"
	if status != exitUsage || stdout.Len() > 0 || !strings.HasSuffix(stderr.String(), want) || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("status %d, stdout %q, stderr %q, want %q", status, stdout.String(), stderr.String(), want)
	}
}
