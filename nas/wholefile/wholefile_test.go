package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	// Read returns what Write wrote, and names what is there if it is no file, without waiting.
	dir := t.TempDir()
	file := filepath.Join(dir, "result.json")
	for _, text := range []string{"one", "another, longer", ""} {
		if err := Write(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(file); err != nil || string(got) != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ file, want string }{
		{pipe, pipe + " is a pipe, wanted a file"},
		{dir, dir + " is a folder, wanted a file"},
		{os.DevNull, os.DevNull + " is a device, wanted a file"},
	} {
		_, err := Read(test.file)
		if err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
		cause := "it is " + strings.TrimSuffix(strings.TrimPrefix(test.want, test.file+" is "), "wanted a file") + "want a file"
		if got := Cause(err); got.Error() != cause {
			t.Errorf("got the cause %v, want %s", got, cause)
		}
	}
	_, err := Read(filepath.Join(dir, "none"))
	if !errors.Is(err, fs.ErrNotExist) || Cause(err).Error() != "no such file or directory" {
		t.Errorf("got %v", err)
	}
}

func TestWriteBeside(t *testing.T) {
	// Write makes its temporary file next to the target, whatever $TMPDIR says, and leaves nothing when it fails.
	private, dir := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", private)
	if err := os.Chmod(private, 0o500); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(private)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "a"), []byte("x")); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(private)
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("$TMPDIR was written to at %v, %v", after.ModTime(), err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "folder"), []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	if got := names(t, dir); got != "a folder" {
		t.Errorf("left: %s", got)
	}
}

func TestRemoveLeftovers(t *testing.T) {
	// RemoveLeftovers removes what a killed Write leaves, and nothing else.
	dir := t.TempDir()
	for _, name := range []string{"a.json", ".a.json123", ".a.json8412", ".b.json123", ".a.json", ".a.jsonx1", "a.json123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".a.json77"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := RemoveLeftovers(dir, "a.json"); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), ".a.json .a.json77 .a.jsonx1 .b.json123 a.json a.json123"; got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
}

func TestRemoveStale(t *testing.T) {
	// RemoveStale removes what matches and is old, folders with their content too, and accepts a missing folder.
	dir := t.TempDir()
	long := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{".config-1", ".config-2", "config-3"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "x"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if name == ".config-2" {
			continue
		}
		if err := os.Chtimes(filepath.Join(dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveStale(dir, ".config-*", ".other*"); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), ".config-2 config-3"; got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
	if err := RemoveStale(filepath.Join(dir, "none"), "*"); err != nil {
		t.Error(err)
	}
}

// names lists the names in a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestWriteFirst(t *testing.T) {
	// WriteFirst makes a file but does not change one that is there, and leaves nothing else.
	dir := t.TempDir()
	file := filepath.Join(dir, "data.json")
	for _, text := range []string{"one", "two"} {
		if err := WriteFirst(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Read(file); err != nil || string(got) != "one" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := names(t, dir); got != "data.json" {
		t.Errorf("left: %s", got)
	}
	if err := WriteFirst(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestMakeFolder(t *testing.T) {
	// MakeFolder makes a folder and those above it, also by a relative path, and accepts one that is there.
	t.Chdir(t.TempDir())
	for _, dir := range []string{"a/b/c", "a/b/c", "d", "./e/", filepath.Join(t.TempDir(), "f/g")} {
		if err := MakeFolder(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := os.WriteFile("file", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := MakeFolder("file/x"); err == nil {
		t.Error("a folder in a file")
	}
}
