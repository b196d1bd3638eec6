package torch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// use is a place where Go calls a function of the shim.
type use struct {
	file string
	line int
}

var (
	shimCall   = regexp.MustCompile(`\bC\.(torch_\w+)\(`)
	cgoPromise = regexp.MustCompile(`^// #cgo (noescape|nocallback) (torch_\w+)$`)
)

// sources are the package's Go files without tests, by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	return texts
}

// shimUses finds the calls of every function of the shim.
func shimUses(t *testing.T) map[string][]use {
	t.Helper()
	uses := map[string][]use{}
	for file, text := range sources(t) {
		for i, line := range strings.Split(text, "\n") {
			for _, m := range shimCall.FindAllStringSubmatch(line, -1) {
				uses[m[1]] = append(uses[m[1]], use{file, i + 1})
			}
		}
	}
	if len(uses) < 100 {
		t.Fatalf("found %d functions: the search is broken", len(uses))
	}
	return uses
}

func TestCgoPromises(t *testing.T) {
	// A file says noescape and nocallback of exactly the shim's functions that it calls when cgo reads it.
	promised := map[string]bool{}
	for file, text := range sources(t) {
		for _, line := range strings.Split(text, "\n") {
			if m := cgoPromise.FindStringSubmatch(line); m != nil {
				promised[file+" "+m[1]+" "+m[2]] = true
			}
		}
	}
	for name, uses := range shimUses(t) {
		for _, u := range uses {
			for _, kind := range []string{"noescape", "nocallback"} {
				if !promised[u.file+" "+kind+" "+name] {
					t.Errorf("%s:%d: no line #cgo %s %s", u.file, u.line, kind, name)
				}
			}
		}
		for _, u := range uses {
			delete(promised, u.file+" noescape "+name)
			delete(promised, u.file+" nocallback "+name)
		}
	}
	for key := range promised {
		t.Errorf("%s: the file does not call it", key)
	}
}
