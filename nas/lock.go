package nas

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// errBusy ends an attempt to take the folder of a run that is going on.
var errBusy = errors.New("another process works on this run")

// lock takes the run folder for this process, until the file that it returns is closed. The
// kernel gives the folder back too when the process dies.
func lock(dir string) (*os.File, error) {
	name := filepath.Join(dir, lockFile)
	for {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, fmt.Errorf("nas: run folder: %w", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("nas: run folder %s: %w", dir, errBusy)
			}
			return nil, fmt.Errorf("nas: run folder %s: lock: %w", dir, err)
		}
		if same, err := isFile(name, f); err != nil || same {
			return f, err
		}
		f.Close() // the folder was removed meanwhile, and another process has a lock of that name
	}
}

// isFile tells whether a name is still that of the open file.
func isFile(name string, f *os.File) (bool, error) {
	open, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("nas: run folder: %w", err)
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(open, named), nil
}

// owns is an error if the run's folder is no longer its own: it may have been removed, and
// have become another run's. Everything that is saved comes after it.
func (r *Run) owns() error {
	about, err := ReadAbout(r.Dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("nas: run folder %s: its %s is gone, the folder was removed or renamed: the run ends and writes nothing more", r.Dir, runFile)
	case err != nil:
		return err
	case about.ID != r.id:
		return fmt.Errorf("nas: run folder %s has become another run's (%s has id %q, this run is %q): the run ends and writes nothing more", r.Dir, runFile, about.ID, r.id)
	}
	name := filepath.Join(r.Dir, lockFile)
	if same, err := isFile(name, r.lock); err != nil || same {
		return err
	}
	// A cleaner may have removed the file. Any other process would have made it anew.
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		f.Close() // of nil it does nothing
		return fmt.Errorf("nas: run folder %s: its file %s was replaced (%w), so that another process may work on the run: it ends and writes nothing more", r.Dir, lockFile, err)
	}
	r.lock.Close()
	r.lock = f
	return nil
}

// write saves a file of the run folder.
func (r *Run) write(name string, content []byte) error {
	if err := r.owns(); err != nil {
		return err
	}
	return write(filepath.Join(r.Dir, name), content)
}

// writeJSON saves v as a file of the run folder.
func (r *Run) writeJSON(name string, v any) error {
	if err := r.owns(); err != nil {
		return err
	}
	return writeJSON(filepath.Join(r.Dir, name), v)
}
