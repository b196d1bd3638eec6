package godarts_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestExamples(t *testing.T) {
	// The programs of examples, a module of its own that imports this one, run to the end.
	if testing.Short() {
		t.Skip("-short: links two programs")
	}
	for _, program := range []struct{ folder, argument, prints string }{
		{"./supernet", "", "Genotype(normal=[("},
		{"./search", t.TempDir(), "a vertical stroke is a 1 with probability"},
	} {
		cmd := exec.Command("go", "run", program.folder, program.argument)
		cmd.Dir = "examples"
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), program.prints) {
			t.Errorf("go run %s: %v\n%s", program.folder, err, out)
		}
	}
}

func TestFlagsForImporters(t *testing.T) {
	// The file for shells and the #cgo lines of the shim hold the same flags when scripts/setup has written both.
	shim, err := os.ReadFile("torch/internal/shim/libtorch.go")
	if os.IsNotExist(err) {
		t.Skip("scripts/setup has not run in this copy of the repository: the flags of cgo come from the environment")
	}
	if err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile(".libtorch/env") // setup writes it after the other
	if err != nil {
		t.Fatalf("%v: run scripts/setup", err)
	}
	found := 0
	for line := range strings.Lines(string(shim)) {
		for _, name := range []string{"CXXFLAGS", "LDFLAGS"} {
			flags, ok := strings.CutPrefix(strings.TrimSpace(line), "// #cgo "+name+": ")
			if !ok {
				continue
			}
			found++
			if want := "export CGO_" + name + "=\"-O2 -g " + flags + "\"\n"; !strings.Contains(string(env), want) {
				t.Errorf(".libtorch/env lacks %s", want)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d lines of flags in the shim, want 2", found)
	}
}
