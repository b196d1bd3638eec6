package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// sameFiles compares files of two folders.
func sameFiles(t *testing.T, want, got string, files ...string) {
	t.Helper()
	for _, file := range files {
		a, err := os.ReadFile(filepath.Join(want, file))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(got, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", file)
		}
	}
}

func TestReproduceInParts(t *testing.T) {
	// The protocol ends with the same bytes when it runs in parts as long as --minutes says, each on another machine to which its folder is carried.
	if testing.Short() {
		t.Skip("-short: a protocol in parts")
	}
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"--toy", "--order", "1", "--seed", "3", "--threads", "1", "--darts", darts, "--set", "search.epochs=6", "--set=train.epochs=3"}
	whole := filepath.Join(dir, "whole")
	if status, out := script(t, "reproduce", append(args, "--run", whole)...); status != exitOK || !strings.Contains(out, "test error ") {
		t.Fatalf("status %d, %s", status, out)
	}
	carried, machine, stopped := filepath.Join(dir, "carried"), "", 0
	for part := 1; ; part++ {
		machine = filepath.Join(dir, fmt.Sprintf("machine-%d", part))
		status, out := script(t, "reproduce", append(args, "--run", machine, "--carry", carried, "--minutes", fmt.Sprintf("%.3f", 0.02*float64(part)))...) // longer each time, since a machine may be slow
		if status == exitOK {
			break
		}
		if status != exitInterrupted || !strings.Contains(out, "stopped after ") || !strings.HasSuffix(out, "reproduce: not complete; the same line goes on\n") || part > 30 {
			t.Fatalf("part %d: status %d, %s", part, status, out)
		}
		stopped++
	}
	if stopped == 0 {
		t.Error("all of it fitted into the first part")
	}
	sameFiles(t, whole, machine, "result.json", "report.md", "genotype.json", "search-3/metrics.jsonl", "search-3/genotype.json", "train-0/metrics.jsonl", "train-0/weights.safetensors", "train-0/result.json")
	if status, out := script(t, "reproduce", append(args, "--run", whole, "--carry", carried)...); status != 1 || !strings.Contains(out, "is there, and not what went from or to") {
		t.Errorf("two versions: status %d, %s", status, out)
	}
}

// filled writes files of a folder, whose parents it makes.
func filled(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCarry(t *testing.T) {
	// A folder arrives as it was, in files of at most 15 MiB, without what only the first machine needs; what is damaged, in use, or newer elsewhere is refused.
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	carry := func(want int, message string, args ...string) {
		t.Helper()
		if status, out := script(t, "carry", args...); status != want || !strings.Contains(out, message) {
			t.Fatalf("%q: status %d, %s; want %d, %q", args, status, out, want, message)
		}
	}
	large := make([]byte, 33<<20)
	rand.Read(large)
	filled(t, in("run"), map[string]string{
		"config/repeat.yaml": "c", "claims/search-2.1": "x", "lock": "",
		"search-2/result.json": "{}", "search-2/checkpoint.safetensors": "whole", "search-2/checkpoint.previous.safetensors": "whole", "search-2/metrics.jsonl": "m",
		"train-0/checkpoint.safetensors": string(large), "train-0/checkpoint.previous.safetensors": "before", "train-0/lock": "", "a [b]*/claims/x": "y",
	})
	carry(0, "3 files of at most 15 MiB", "pack", in("run"), in("carried/p"))
	parts, err := os.ReadDir(in("carried/p"))
	if err != nil || len(parts) != 4 {
		t.Fatalf("%d files, %v", len(parts), err)
	}
	for _, part := range parts {
		if info, err := part.Info(); err != nil || info.Size() > 15<<20 {
			t.Errorf("%s: %d bytes, %v", part.Name(), info.Size(), err)
		}
	}
	carry(0, "is what", "unpack", in("carried/p"), in("there"))
	sameFiles(t, in("run"), in("there"), "config/repeat.yaml", "search-2/result.json", "search-2/metrics.jsonl", "train-0/checkpoint.safetensors", "train-0/checkpoint.previous.safetensors", "a [b]*/claims/x", ".carried")
	for _, left := range []string{"claims", "search-2/checkpoint.safetensors", "search-2/checkpoint.previous.safetensors"} {
		if _, err := os.Stat(filepath.Join(in("there"), left)); err == nil {
			t.Errorf("%s was carried", left)
		}
	}
	carry(0, "is here already", "unpack", in("carried/p"), in("run"))

	filled(t, in("there"), map[string]string{"train-0/metrics.jsonl": "more", "train-0/checkpoint.safetensors": "small"})
	carry(0, "", "pack", in("there"), in("carried/p"))
	carry(1, "is there, and not what went from or to", "unpack", in("carried/p"), in("run"))
	carry(1, "lies in", "pack", in("run"), in("run/train-0/p"))
	carry(1, "there is no folder", "pack", in("nothing"), in("q"))
	carry(1, "holds no pack", "pack", in("run"), in("there"))
	carry(1, "holds no pack", "unpack", in("run"), in("again"))
	lock, err := os.Open(in("run/train-0/lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	carry(1, "a process works on "+in("run/train-0"), "pack", in("run"), in("carried/q"))
	lock.Close()

	for _, harm := range []string{"printf x | dd of=part.000 conv=notrunc status=none", "rm part.000", "cp part.000 part.001", "sed -i '$d' SHA256SUMS", ": >SHA256SUMS"} {
		broken := in("broken")
		if out, err := exec.Command("sh", "-c", `rm -rf "$2"; cp -r "$1" "$2" && cd "$2" && eval "$3"`, "sh", in("carried/p"), broken, harm).CombinedOutput(); err != nil {
			t.Fatalf("%s: %s", harm, out)
		}
		carry(1, "copy it again", "unpack", broken, in("from-broken"))
		if _, err := os.Stat(in("from-broken")); err == nil {
			t.Errorf("%s: unpacked all the same", harm)
		}
	}
}

func TestCheckOfADevice(t *testing.T) {
	// The check of a GPU goes through tests, times and a search on a CPU too, and fails when a test fails.
	if testing.Short() {
		t.Skip("-short: times of steps, and a search")
	}
	darts, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	programs, out := filepath.Join(dir, "programs"), filepath.Join(dir, "out")
	filled(t, programs, map[string]string{"cells_draw.test": "#!/bin/sh\npwd\nprintf '%s\\n' '--- PASS: TestOneGPU (0.00s)' '    --- PASS: TestOneGPU/part (0.00s)' '--- SKIP: TestTwoGPU (0.00s)' PASS\n"})
	if err := os.Chmod(filepath.Join(programs, "cells_draw.test"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(darts, filepath.Join(programs, "darts")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GODARTS_PYTORCH", "false") // the twin's times stand alone: PyTorch takes seconds to start
	args := []string{"--programs", programs, "--device", "cpu", "--size", "small", "--minutes", "1", "--out", out, "--run", filepath.Join(dir, "run"), "--carry", filepath.Join(dir, "carry")}
	status, printed := script(t, "gpu-check", args...)
	if status != 0 {
		t.Fatalf("status %d, %s", status, printed)
	}
	summary, err := os.ReadFile(filepath.Join(out, "summary.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`\| cells/draw \| 1 \| 1 \| 0 \|`, `first-order`, `inference`, `test error \d+\.\d\d %`, `(?s)## tests.*ok, .*## bench.*ok, .*## search.*ok, `} {
		if !regexp.MustCompile(want).Match(summary) {
			t.Errorf("no %s in\n%s", want, summary)
		}
	}
	for _, file := range []string{"out/bench.json", "run/result.json", "carry/SHA256SUMS"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(printed, "/cells/draw\n") {
		t.Errorf("the tests did not run in the folder of their package: %s", printed)
	}

	filled(t, programs, map[string]string{"cells_draw.test": "#!/bin/sh\necho '--- FAIL: TestOneGPU (0.00s)'; exit 1\n"})
	if status, printed = script(t, "gpu-check", append(args, "--only", "tests")...); status != 1 || !strings.HasSuffix(printed, "gpu-check: failed: tests\n") || strings.Contains(printed, "gpu-check: bench") {
		t.Errorf("a test that fails: status %d, %s", status, printed)
	}
}
