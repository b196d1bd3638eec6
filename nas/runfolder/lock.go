package runfolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrBusy says that another process has locked the folder.
var ErrBusy = errors.New("another process works on this run")

// Lock locks the run folder for this process until the returned file is closed or the process ends.
func Lock(dir string) (*os.File, error) {
	name := filepath.Join(dir, LockFile)
	for {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, fmt.Errorf("nas: run folder: %w", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("nas: run folder %s: %w", dir, ErrBusy)
			}
			return nil, fmt.Errorf("nas: run folder %s: lock: %w", dir, err)
		}
		if same, err := SameFile(name, f); err != nil || same {
			return f, err
		}
		f.Close() // the folder was removed meanwhile, and another process holds the lock of a new one
	}
}

// SameFile reports whether name still leads to the open file f.
func SameFile(name string, f *os.File) (bool, error) {
	open, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("nas: run folder: %w", err)
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(open, named), nil
}
