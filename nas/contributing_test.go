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
	// CONTRIBUTING's example compiles and passes the suite of strategies when its lines are put where it says.
	if testing.Short() {
		t.Skip("-short: compiles the package again")
	}
	text := read(t, "../CONTRIBUTING.md")
	_, code, _ := strings.Cut(text, "```go\n")
	code, _, ok := strings.Cut(code, "```\n")
	if !ok || strings.Count(code, "\n") >= 100 {
		t.Fatalf("want a block of Go of under 100 lines, got %d", strings.Count(code, "\n"))
	}
	replace := map[string]string{
		"onelevel.go": code,
		"strategy.go": edited(t, "strategy.go", "var strategies = map[string]func(*Run) (Strategy, error){\n", "$&\t\"one-level\": newOneLevel,\n"),
		"config/config.go": strings.Replace(edited(t, "config/config.go", `oneof:"darts p-darts`, `oneof:"one-level darts p-darts`),
			`key:"alpha" only:"search" for:"darts`, `key:"alpha" only:"search" for:"one-level darts`, 1),
		"contributing_example_test.go": exampleTest,
	}
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

// exampleTest runs the suite in the copy of the package.
const exampleTest = `package nas_test

import (
	"testing"

	"godarts/nas/nastest"
)

func TestExampleOfContributing(t *testing.T) {
	nastest.TestStrategy(t, tiny(t, "strategy.name=one-level"))
}
`

// edited is a file with to in place of from, which it must have.
func edited(t *testing.T, file, from, to string) string {
	t.Helper()
	text := read(t, file)
	if !strings.Contains(text, from) {
		t.Fatalf("%s has no %q", file, from)
	}
	return strings.Replace(text, from, strings.ReplaceAll(to, "$&", from), 1)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
