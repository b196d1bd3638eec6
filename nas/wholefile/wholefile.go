// Package wholefile reads and writes whole files. It reads only regular files, so that a pipe
// does not make a program wait. A file that it writes is there entirely or not at all, also
// after a kill or a power cut.
package wholefile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// KindError says that there is something else than a file.
type KindError struct {
	File, Kind string // Kind as function Kind
}

// Error names the file.
func (e *KindError) Error() string { return fmt.Sprintf("%s is %s, wanted a file", e.File, e.Kind) }

// Cause returns what is wrong with a file, without its name, which may not be fit to print.
func Cause(err error) error {
	var path *fs.PathError
	var kind *KindError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &kind):
		return fmt.Errorf("it is %s, want a file", kind.Kind)
	}
	return err
}

// Read reads a regular file. The error names it, and wraps fs.ErrNotExist if it is not there.
func Read(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // without it opening a pipe waits for a writer
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if what := Kind(info.Mode()); what != "" {
		return nil, &KindError{file, what}
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead) // in one step, since a checkpoint may be large
	if _, err := b.ReadFrom(f); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Kind returns "a folder", "a pipe" and the like, empty for a regular file.
func Kind(m os.FileMode) string {
	switch {
	case m.IsRegular():
		return ""
	case m.IsDir():
		return "a folder"
	case m&os.ModeNamedPipe != 0:
		return "a pipe"
	case m&os.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// Write replaces a file, or makes it, with mode 0644 less the umask. It returns when the
// disk has both the content and the name.
func Write(file string, content []byte) error {
	dir := filepath.Dir(file)
	if err := renameio.WriteFile(file, content, 0o644, renameio.WithTempDir(dir)); err != nil {
		return err
	}
	return SyncFolder(dir)
}

// SyncFolder returns when the disk has the names of the files in dir. On a file system that
// cannot sync folders it does nothing.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// WriteFirst makes a file unless it is there already. Of several processes that call it at
// once only one writes.
func WriteFirst(file string, content []byte) error {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, "."+filepath.Base(file)+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return SyncFolder(dir)
}

// MakeFolder makes a folder and the missing ones above it. It returns when the disk has their
// names, also the name of dir if another process has made it.
func MakeFolder(dir string) error {
	above := []string{filepath.Dir(filepath.Clean(dir))}
	for {
		last := above[len(above)-1]
		if _, err := os.Stat(last); err == nil || filepath.Dir(last) == last {
			break
		}
		above = append(above, filepath.Dir(last))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, folder := range above {
		if err := SyncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}

// temporary matches the names of the temporary files of Write and WriteFirst.
var temporary = regexp.MustCompile(`^\.(.+?)\d+$`)

// RemoveLeftovers removes from dir the temporary files that killed calls of Write and
// WriteFirst have left for files of these names. The caller makes sure that no process writes
// there.
func RemoveLeftovers(dir string, names ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		m := temporary.FindStringSubmatch(e.Name())
		if m == nil || !e.Type().IsRegular() || !slices.Contains(names, m[1]) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// stale is the age at which a temporary file or folder is no longer in use.
const stale = time.Hour

// RemoveStale removes what killed processes have left in a shared folder: the entries that
// match one of the patterns of filepath.Match and are older than an hour.
func RemoveStale(dir string, patterns ...string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		matches := slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, _ := filepath.Match(pattern, e.Name())
			return ok
		})
		info, err := e.Info()
		if !matches || err != nil || time.Since(info.ModTime()) < stale {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
