package search_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWorkedExample(t *testing.T) {
	// A module outside of the repository adds CONTRIBUTING's strategy, and the operation and the data set of docs/library.md, and searches with them.
	if testing.Short() {
		t.Skip("-short: compiles a module")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	strategy := block(t, filepath.Join(root, "CONTRIBUTING.md"), "package main")
	if n := strings.Count(strategy, "\n"); n >= 100 {
		t.Fatalf("the strategy has %d lines, want under 100", n)
	}
	operation := block(t, filepath.Join(root, "docs/library.md"), "func init() {\n\tcells.RegisterOp")
	set := block(t, filepath.Join(root, "docs/library.md"), "func init() {\n\tsets.Register")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"onelevel.go":  strategy,
		"main.go":      block(t, filepath.Join(root, "docs/tutorial-3-your-strategy.md"), "package main"),
		"blur.go":      "package main\n\nimport (\n\t\"godarts/cells\"\n\t\"godarts/torch\"\n\t\"godarts/torch/nn\"\n)\n\n" + operation,
		"halves.go":    "package main\n\nimport (\n\t\"godarts/nas/data\"\n\t\"godarts/nas/data/sets\"\n)\n\n" + set,
		"main_test.go": exampleTest,
		"tiny.yaml":    content(t, filepath.Join(root, "nas/testdata/tiny.yaml")),
		"go.sum":       content(t, filepath.Join(root, "go.sum")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range [][]string{
		{"mod", "init", "example.org/onelevel"},
		{"mod", "edit", "-require", "godarts@v0.0.0", "-replace", "godarts=" + root},
		{"mod", "tidy"},
		{"test", "-v", "."},
		{"run", ".", "tiny.yaml", "run", "strategy.name=one-level", "space.operations=[skip_connect, blur_3x3]", "data.name=halves", "epochs=1"},
	} {
		cmd := exec.Command("go", command...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(command, " "), err, out)
		}
		if command[0] == "test" && !strings.Contains(string(out), "--- PASS: TestOneLevel/interrupted") {
			t.Errorf("the suite did not run:\n%s", out)
		}
	}
	if found := content(t, filepath.Join(dir, "run/genotype.json")); !strings.Contains(found, "blur_3x3") && !strings.Contains(found, "skip_connect") {
		t.Errorf("the search found %s", found)
	}
	if used := content(t, filepath.Join(dir, "run/data.json")); !strings.Contains(used, `"halves"`) {
		t.Errorf("the search ran on %s", used)
	}
}

// block is the first block of Go of a page that begins with a text.
func block(t *testing.T, page, begin string) string {
	t.Helper()
	_, code, ok := strings.Cut(content(t, page), "```go\n"+begin)
	code, _, end := strings.Cut(code, "```\n")
	if !ok || !end {
		t.Fatalf("%s has no block of Go that begins with %q", page, begin)
	}
	return begin + code
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exampleTest sets the keys of the example, right and wrong, and runs the suite of strategies.
const exampleTest = `package main

import (
	"bytes"
	"testing"

	"godarts/nas/config"
	"godarts/nas/nastest"
)

func TestOneLevel(t *testing.T) {
	set := []string{"strategy.name=one-level", "strategy.rest=1", "strategy.every=2", "space.operations=[skip_connect, blur_3x3]"}
	c, err := config.Load("tiny.yaml", set...)
	if err != nil {
		t.Fatal(err)
	}
	nastest.TestStrategy(t, c)
	text, err := c.YAML()
	if want := "strategy:\n  name: one-level\n  rest: 1\n  every: 2\n"; err != nil || !bytes.Contains(text, []byte(want)) {
		t.Errorf("%v in\n%s", err, text)
	}
	if _, err := config.Load("tiny.yaml", "data.name=halves", "data.size=4"); err == nil || err.Error() != "config: --set data.size=4: data.size: 4 has no effect on halves, whose images are 8x8, want 0" {
		t.Error(err)
	}
	for item, want := range map[string]string{
		"strategy.every=0": "config: --set strategy.every=0: strategy.every: given 0, want 1 or more",
		"strategy.rest=3":  "config: --set strategy.rest=3: strategy.rest: 3 is more than epochs 2, want at most that",
		"strategy.order=2": "config: --set strategy.order=2: key \"strategy.order\" does not apply to strategy one-level, only to darts",
		"data.name=halfs":  "config: --set data.name=halfs: data.name: given \"halfs\", want cifar10 or cifar100 or digits or halves or imagefolder or synthetic or ptb or wikitext2 or text or synthetic-text",
		"strategy.evry=2":  "config: --set strategy.evry=2: unknown key \"strategy.evry\" (nearest: \"strategy.every\")",
	} {
		if _, err := config.Load("tiny.yaml", append(set, item)...); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", item, err, want)
		}
	}
}
`
