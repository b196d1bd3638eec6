package checks_test

import (
	"os/exec"
	"testing"

	"godarts/nas/checks"
)

func TestPython(t *testing.T) {
	// The Python has every package that tests ask for when scripts/setup-checks has run.
	python := checks.Python(t)
	if out, err := exec.Command(python, "-c", "import numpy, onnx, onnxruntime, tensorboard").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestChromium(t *testing.T) {
	// Chromium prints a page without a display when one is found.
	out, err := exec.Command(checks.Chromium(t), "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--dump-dom", "data:text/html,<p>here</p>").Output()
	if err != nil || len(out) == 0 {
		t.Errorf("%v: %q", err, out)
	}
}
