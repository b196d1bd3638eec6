// Package checks finds programs of others that only tests use: a Python that reads the files we write,
// and a browser that shows our pages. scripts/setup-checks installs them. A test that needs one which
// is missing is skipped, and scripts/test lists it with the reason.
package checks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Python returns the path of a Python that can import the modules, such as onnx or tensorboard: what
// GODARTS_CHECKS_PYTHON names, else that of scripts/setup-checks. It skips the test if there is none,
// and fails it if GODARTS_CHECKS_PYTHON names one that cannot.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	python := os.Getenv("GODARTS_CHECKS_PYTHON")
	named := python != ""
	if !named {
		python = filepath.Join(root(t), ".checks", "python", "bin", "python")
		if _, err := os.Stat(filepath.Join(root(t), ".checks", "complete")); err != nil {
			t.Skip("no Python packages for tests: scripts/setup-checks installs them")
		}
	}
	out, err := exec.Command(python, "-c", "import "+strings.Join(append(modules, "sys"), ", ")).CombinedOutput()
	switch {
	case err == nil:
	case named:
		t.Fatalf("GODARTS_CHECKS_PYTHON=%s: %v: %s", python, err, lastLine(out))
	default:
		t.Skipf("the Python packages for tests cannot be loaded: %s", lastLine(out))
	}
	return python
}

// Chromium returns the path of Chromium or Chrome: what GODARTS_CHROMIUM names, else the one in PATH. It
// skips the test if there is none, or only a stand-in that does not run.
func Chromium(t testing.TB) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	if named := os.Getenv("GODARTS_CHROMIUM"); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		file, err := exec.LookPath(name)
		if err == nil && exec.Command(file, "--version").Run() == nil {
			return file
		}
	}
	t.Skip("no Chromium: scripts/setup-checks says how to get it")
	return ""
}

// root returns the folder of the module that the test is in.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		t.Fatal("no go.mod here or above")
	}
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
