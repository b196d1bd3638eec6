package nas

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"godarts/nas/runfolder"
)

// Owns is an error if the run's folder is no longer its own: it may have been removed, and
// have become another run's. Everything that is saved comes after it.
func (r *Run) Owns() error {
	about, err := runfolder.ReadRunInfo(r.Dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("nas: run folder %s: its %s is gone, the folder was removed or renamed: the run ends and writes nothing more", r.Dir, runfolder.RunFile)
	case err != nil:
		return err
	case about.ID != r.id:
		return fmt.Errorf("nas: run folder %s has become another run's (%s has id %q, this run is %q): the run ends and writes nothing more", r.Dir, runfolder.RunFile, about.ID, r.id)
	}
	name := filepath.Join(r.Dir, runfolder.LockFile)
	if same, err := runfolder.SameFile(name, r.lock); err != nil || same {
		return err
	}
	// A cleaner may have removed the file. Any other process would have made it anew.
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		f.Close() // of nil it does nothing
		return fmt.Errorf("nas: run folder %s: its file %s was replaced (%w), so that another process may work on the run: it ends and writes nothing more", r.Dir, runfolder.LockFile, err)
	}
	r.lock.Close()
	r.lock = f
	return nil
}

// Write saves a file of the run folder.
func (r *Run) Write(name string, content []byte) error {
	if err := r.Owns(); err != nil {
		return err
	}
	return runfolder.Write(filepath.Join(r.Dir, name), content)
}

// WriteJSON saves v as a file of the run folder.
func (r *Run) WriteJSON(name string, v any) error {
	if err := r.Owns(); err != nil {
		return err
	}
	return runfolder.WriteJSON(filepath.Join(r.Dir, name), v)
}

// Complete writes the result, after which nothing goes back to the earlier checkpoints. They are
// removed before, so that the disk knows of both.
func (r *Run) Complete(result any) error {
	if err := r.Owns(); err != nil {
		return err
	}
	if err := runfolder.PruneCheckpoints(r.Dir, 1); err != nil {
		return err
	}
	return r.WriteJSON(runfolder.ResultFile, result)
}
