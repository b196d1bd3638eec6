package nas_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWorkedExample(t *testing.T) {
	// CONTRIBUTING's example, one file, compiles, has its keys and passes the suite of strategies.
	if testing.Short() {
		t.Skip("-short: compiles the package again")
	}
	text := read(t, "../CONTRIBUTING.md")
	_, code, _ := strings.Cut(text, "```go\n")
	code, _, ok := strings.Cut(code, "```\n")
	if !ok || strings.Count(code, "\n") >= 100 {
		t.Fatalf("want a block of Go of under 100 lines, got %d", strings.Count(code, "\n"))
	}
	replace := map[string]string{"onelevel.go": code, "contributing_example_test.go": exampleTest}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	dir := t.TempDir()
	for name, text := range replace {
		original, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[original] = file
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "test", "-overlay", file, "-run", "^TestExampleOfContributing$", "-v", ".").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestExampleOfContributing/interrupted") {
		t.Errorf("%v\n%s", err, out)
	}
}

// exampleTest sets the keys of the example, right and wrong, and runs the suite in the copy of the package.
const exampleTest = `package nas_test

import (
	"bytes"
	"testing"

	"godarts/nas/config"
	"godarts/nas/nastest"
)

func TestExampleOfContributing(t *testing.T) {
	set := []string{"strategy.name=one-level", "strategy.rest=1", "strategy.every=2"}
	nastest.TestStrategy(t, tiny(t, set...))
	text, err := tiny(t, set...).YAML()
	if want := "strategy:\n  name: one-level\n  rest: 1\n  every: 2\n"; err != nil || !bytes.Contains(text, []byte(want)) {
		t.Errorf("%v in\n%s", err, text)
	}
	for item, want := range map[string]string{
		"strategy.every=0": "config: --set strategy.every=0: strategy.every: given 0, want 1 or more",
		"strategy.rest=3":  "config: --set strategy.rest=3: strategy.rest: 3 is more than epochs 2, want at most that",
		"strategy.order=2": "config: --set strategy.order=2: key \"strategy.order\" does not apply to strategy one-level, only to darts",
		"strategy.evry=2":  "config: --set strategy.evry=2: unknown key \"strategy.evry\" (nearest: \"strategy.every\")",
	} {
		if _, err := config.Load("testdata/tiny.yaml", append(set, item)...); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", item, err, want)
		}
	}
}
`

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
