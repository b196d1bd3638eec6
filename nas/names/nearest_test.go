package names_test

import (
	"os"
	"path/filepath"
	"testing"

	"godarts/nas/names"
)

func TestNearest(t *testing.T) {
	// The nearest name is the one with the fewest changed letters, of several the first.
	for _, test := range []struct {
		text       string
		candidates []string
		want       string
	}{
		{"cifar01", []string{"digits", "cifar10", "cifar100"}, "cifar10"},
		{"b", []string{"a", "c"}, "a"},
		{"", []string{"abc", "a"}, "a"},
		{"x", nil, ""},
	} {
		if got := names.Nearest(test.text, test.candidates); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestNearestPath(t *testing.T) {
	// The nearest existing path is found in the folder of the path, or in that of its first missing folder.
	dir := t.TempDir()
	for _, name := range []string{"runs/second-3", "runs/.second-4", "runs/first", "other", "empty"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"runs/second-4": "runs/second-3", "runs/fist": "runs/first", "run/second-3": "runs", "rums/a/b": "runs", "empty/x": "", "runs/first/": "runs/first",
	} {
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got := names.NearestPath(filepath.Join(dir, path)); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
