package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/checks"
	"godarts/nas/data/sets"
)

// errorInRuntime prints the error of an ONNX file on images: its arguments are the file, a file of pixels, the value of full brightness,
// labels and sizes.
const errorInRuntime = `
import sys, numpy, onnxruntime
model, pixels, full, labels, channels, size = sys.argv[1:]
images = numpy.fromfile(pixels, "uint8").astype("float32").reshape(-1, int(channels), int(size), int(size)) / numpy.float32(full)
labels = numpy.array(labels.strip("[]").split(), int)
session = onnxruntime.InferenceSession(model)
wrong, batch = 0, 100
for at in range(0, len(images), batch):
    logits, = session.run(None, {"images": images[at:at + batch]})
    wrong += (logits.argmax(1) != labels[at:at + batch]).sum()
print("test error %.2f %%" % (100 * wrong / len(images)))
`

func TestQuickstartInRuntime(t *testing.T) {
	// The networks that a quickstart trains have the same test error in ONNX Runtime as in darts test, folded or not, and in integers.
	if testing.Short() {
		t.Skip("-short: trains two networks")
	}
	python := checks.Python(t, "onnxruntime", "numpy")
	dir := t.TempDir()
	search := filepath.Join(dir, "search")
	darts := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if status := run(args, &stdout, &stderr); status != exitOK {
			t.Fatalf("%q: status %d, %s", args, status, stderr.String())
		}
		return stdout.String()
	}
	darts("search", "../../configs/quickstart.yaml", "--set", "epochs=1", "--set", "data.subset=200", "--set", "evaluate.train.epochs=2", "--threads", "1", "--out", search)

	set, err := sets.Open("digits", "")
	if err != nil {
		t.Fatal(err)
	}
	pixels, labels := filepath.Join(dir, "pixels"), fmt.Sprint(set.Test.Labels)
	if err := os.WriteFile(pixels, set.Test.Pixels, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"found", "random-1"} {
		trained := filepath.Join(search, network)
		integers := trained + "-int8"
		darts("quantise", trained, "--run", integers)
		for _, flags := range [][]string{{trained}, {trained, "--fold"}, {integers}} {
			want, _, _ := strings.Cut(darts("test", flags[0]), ",")
			file := filepath.Join(dir, network+".onnx")
			darts(append([]string{"export", "--onnx", file}, flags...)...)
			out, err := exec.Command(python, "-c", errorInRuntime, file, pixels, fmt.Sprint(set.Test.Max), labels, fmt.Sprint(set.Test.Channels), fmt.Sprint(set.Test.Height)).CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != want {
				t.Errorf("%s %q: %v: %s, darts test says %s", network, flags, err, got, want)
			}
		}
	}
}
