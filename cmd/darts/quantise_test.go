package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/runfolder"
)

func TestQuantise(t *testing.T) {
	// The command prints what integers change, writes a run that is tested and classifies as it says, and an ONNX file; what it cannot do is one line.
	dir := t.TempDir()
	darts := func(args ...string) (int, string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		status := run(args, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	float, integers, file := filepath.Join(dir, "float"), filepath.Join(dir, "int8"), filepath.Join(dir, "int8.onnx")
	if status, _, stderr := darts("train", "../../nas/testdata/tiny-train.yaml", "--out", float); status != exitOK {
		t.Fatal(stderr)
	}
	status, out, stderr := darts("quantise", float, "--images", "30", "--range", "reduced", "--method", "percentile", "--run", integers, "-o", file)
	if status != exitOK {
		t.Fatal(stderr)
	}
	for _, want := range []string{"in floating point: test error ", "in integers:       test error ", " bytes as ONNX\n",
		"weights of the reduced range, scales by percentile of 30 images\n", "in floating point stay: normalisation, logits\n", file + "\n", "run folder: " + integers + "\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Error(err)
	}
	_, rest, _ := strings.Cut(out, "in integers:       ")
	said, _, _ := strings.Cut(rest, ",")
	if status, out, stderr := darts("test", integers); status != exitOK || !strings.HasPrefix(out, said+",") {
		t.Errorf("a test says %q %q, the command %q", out, stderr, said)
	}
	if err := os.WriteFile(filepath.Join(dir, "none"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{float, "--images", "0"}, "--set quantise.images=0: quantise.images: given 0, want "},
		{[]string{float, "--method", "best"}, `--set quantise.method=best: quantise.method: given "best", want `},
		{[]string{float, "--range", "half"}, `--set quantise.range=half: quantise.range: given "half", want `},
		{[]string{float, "--lr", "0.1"}, "quantise: --lr 0.1 has no effect without --epochs"},
		{[]string{float, "--run", integers}, " holds a run already: go on with `darts train --resume "},
		{[]string{integers}, " computes in integers already: name the run that it was made of"},
		{[]string{dir}, "config.yaml"},
	} {
		status, _, stderr := darts(append([]string{"quantise", "--run", filepath.Join(t.TempDir(), "x")}, test.args...)...)
		if status != exitUsage || !strings.Contains(stderr, test.want) || strings.Count(strings.TrimSpace(stderr), "\n") > 0 {
			t.Errorf("%q: status %d, %q, want %q", test.args, status, stderr, test.want)
		}
	}
	if status, _, stderr := darts("latency", integers); status != exitUsage || !strings.Contains(stderr, "computes in integers") {
		t.Errorf("latency: %d, %q", status, stderr)
	}
	if !runfolder.Finished(integers) {
		t.Error("the run is not complete")
	}
}
