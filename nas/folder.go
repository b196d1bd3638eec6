package nas

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"godarts/nas/runfolder"
)

// Owns returns an error if the folder no longer belongs to this run: it may have been removed, and
// replaced by another run's. Everything that saves calls it first.
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
	// A cleaner may have removed the file. Any other process would have created it again.
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		f.Close() // does nothing if f is nil
		return fmt.Errorf("nas: run folder %s: its file %s was replaced (%w), so that another process may work on the run: it ends and writes nothing more", r.Dir, runfolder.LockFile, err)
	}
	r.lock.Close()
	r.lock = f
	return nil
}

// Write replaces a file of the run folder.
func (r *Run) Write(name string, content []byte) error {
	if err := r.Owns(); err != nil {
		return err
	}
	return runfolder.Write(filepath.Join(r.Dir, name), content)
}

// WriteJSON writes v as JSON to a file of the run folder.
func (r *Run) WriteJSON(name string, v any) error {
	if err := r.Owns(); err != nil {
		return err
	}
	return runfolder.WriteJSON(filepath.Join(r.Dir, name), v)
}

// Complete writes the result. A complete run never returns to earlier checkpoints, so Complete removes
// them first.
func (r *Run) Complete(result any) error {
	if err := r.Owns(); err != nil {
		return err
	}
	if err := runfolder.PruneCheckpoints(r.Dir, 1); err != nil {
		return err
	}
	return r.WriteJSON(runfolder.ResultFile, result)
}
