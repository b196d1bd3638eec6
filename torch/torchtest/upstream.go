package torchtest

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Upstream are the recordings whose names have the form of pattern, as filepath.Match
// reads it: those in the folder that GODARTS_UPSTREAM names, else those of the nearest
// testdata/upstream of the package's folder and those above it. Files may be compressed:
// then their names end in .gz, which pattern leaves out. The test fails if testdata has
// none, and is skipped if the folder named has none.
func Upstream(t testing.TB, pattern string) (paths []string) {
	t.Helper()
	folder, named := os.LookupEnv("GODARTS_UPSTREAM")
	if !named || folder == "" {
		folder, named = above(t, filepath.Join("testdata", "upstream")), false
	}
	for _, name := range []string{pattern, pattern + ".gz"} {
		found, err := filepath.Glob(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	switch {
	case len(paths) == 0 && named:
		t.Skipf("%s has no %s", folder, pattern)
	case len(paths) == 0:
		t.Fatalf("%s has no %s", folder, pattern)
	}
	return paths
}

// UpstreamName is the name of a file of Upstream, for a subtest.
func UpstreamName(path string) string {
	name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".gz"), ".safetensors")
	return strings.TrimSuffix(name, ".json")
}

// above is the nearest such path in the package's folder and those above it.
func above(t testing.TB, path string) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		at := filepath.Join(folder, path)
		if _, err := os.Stat(at); err == nil {
			return at
		}
		if folder == filepath.Dir(folder) {
			t.Fatalf("no %s in %s or above", path, start)
		}
	}
}

// Content is that of a file, decompressed if its name ends in .gz.
func Content(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return content
	}
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if content, err = io.ReadAll(r); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return content
}
