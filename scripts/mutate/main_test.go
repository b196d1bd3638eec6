package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestMutantsApply(t *testing.T) {
	// Each mistake fits its file, and has a name of its own and existing tests.
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	there := map[string]string{} // the tests of each folder
	for _, m := range mutants {
		if names[m.name] {
			t.Errorf("%s: there are two of that name", m.name)
		}
		names[m.name] = true
		if _, err := m.applyTo(root); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if _, ok := there[m.by.folder]; !ok {
			there[m.by.folder] = testsIn(t, filepath.Join(root, m.by.folder))
		}
		for alternative := range strings.SplitSeq(m.by.run, "|") {
			name, _, _ := strings.Cut(alternative, "/")
			if !regexp.MustCompile(`(?m)^func ` + strings.TrimSuffix(name, "$")).MatchString(there[m.by.folder]) {
				t.Errorf("%s: %s has no test of %s", m.name, m.by.folder, name)
			}
		}
	}
}

// testsIn returns the text of all test files in a folder.
func testsIn(t *testing.T, folder string) (text string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS(folder), "*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d tests, %v", folder, len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		text += string(content)
	}
	return text
}

func TestApply(t *testing.T) {
	// A mistake is refused when its old text is not there once, when it changes nothing, or when the result is not Go.
	const text = "package p\n\nfunc f() int { return 1 + 1 }\n"
	for _, test := range []struct{ old, new, want string }{
		{"return 1", "return 2", ""},
		{"return 3", "return 2", `p.go has the old text 0 times, want once: "return 3"`},
		{"1", "2", `p.go has the old text 2 times, want once: "1"`},
		{"return 1", "return 1", "the new text is the old one"},
		{"return 1", "return ) 1", "p.go:3:23: expected operand"},
	} {
		got, err := mutant{file: "p.go", old: test.old, new: test.new}.apply(text)
		if test.want == "" {
			if err != nil || !strings.Contains(got, test.new) {
				t.Errorf("%q for %q: %q, %v", test.new, test.old, got, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q for %q: error %v, want %s", test.new, test.old, err, test.want)
		}
	}
}

func TestTry(t *testing.T) {
	// A mistake is killed by a test that fails and survives one that passes; one that does not compile is named as such.
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.26\n",
		"p/p.go": "package p\n\nfunc Twice(n int) int { return 2 * n }\n",
		"p/p_test.go": `package p

import "testing"

func TestTwice(t *testing.T) {
	if Twice(2) != 4 {
		t.Fail()
	}
}

func TestWrong(t *testing.T) { t.Fail() }
`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	by := tests{"p", "TestTwice"}
	all := []mutant{
		{"killed", "p/p.go", "2 * n", "3 * n", by},
		{"survivor", "p/p.go", "2 * n", "n + 2", by},
		{"broken", "p/p.go", "2 * n", "2 * m", by},
		{"misfit", "p/p.go", "5 * n", "2 * m", by},
	}
	var out bytes.Buffer
	if err := try(t.Context(), root, all, &out); err == nil || err.Error() != "not every mutant is killed" {
		t.Errorf("error %v", err)
	}
	for _, want := range []string{
		`killed +\S+ s  killed .TestTwice`, `SURVIVED +\S+ s  survivor`,
		`DOES NOT COMPILE +\S+ s  broken`, `TEXT NOT FOUND +\S+ s  misfit`,
		`4 mutants in \S+: 1 killed, 1 SURVIVED, 1 DOES NOT COMPILE, 1 TEXT NOT FOUND`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if err := try(t.Context(), root, all[:1], &out); err != nil {
		t.Errorf("error %v where all are killed", err)
	}
	for run, want := range map[string]string{"TestWrong": "the tests of p fail without a mutant", "TestThrice": "p has no test of TestThrice"} {
		err := try(t.Context(), root, []mutant{{"killed", "p/p.go", "2 * n", "3 * n", tests{"p", run}}}, &out)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", run, err, want)
		}
	}
}

func TestChoose(t *testing.T) {
	// choose returns the mutants whose names begin with a prefix, all without one, and refuses a prefix that fits none.
	all := []mutant{{name: "a: b"}, {name: "a: c"}, {name: "b: a"}}
	for _, test := range []struct {
		prefixes []string
		want     int
	}{{nil, 3}, {[]string{"a"}, 2}, {[]string{"a: c", "b"}, 2}} {
		got, err := choose(all, test.prefixes)
		if err != nil || len(got) != test.want {
			t.Errorf("%q: %d, %v, want %d", test.prefixes, len(got), err, test.want)
		}
	}
	if _, err := choose(all, []string{"c"}); err == nil || err.Error() != `no mutant's name begins with "c": --list shows them` {
		t.Errorf("error %v", err)
	}
}
