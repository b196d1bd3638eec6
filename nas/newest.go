package nas

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"godarts/nas/wholefile"
	"godarts/torch/safetensors"
)

// DefaultKeep is how many checkpoints a run keeps until it is complete, MaxKeep how many it may.
const (
	DefaultKeep = 2
	MaxKeep     = 100
)

// checkpointNames are the files of checkpoints, each one save older than the one before it.
var checkpointNames = func() []string {
	names := []string{CheckpointFile, "checkpoint.previous.safetensors"}
	for n := 2; n < MaxKeep; n++ {
		names = append(names, fmt.Sprintf("checkpoint.previous.%d.safetensors", n))
	}
	return names
}()

// checkpointsIn are those that dir has, as indices of checkpointNames, the newest first.
func checkpointsIn(dir string) (all []int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // a folder that is not there, or does not read, has none
	}
	for _, e := range entries {
		if n := slices.Index(checkpointNames, e.Name()); n >= 0 {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// holdsCheckpoint tells whether the run in dir was saved.
func holdsCheckpoint(dir string) bool { return len(checkpointsIn(dir)) > 0 }

// keepOnly removes the checkpoints in dir but for the newest keep.
func keepOnly(dir string, keep int) error {
	for _, n := range checkpointsIn(dir) {
		if n < keep {
			continue
		}
		if err := os.Remove(filepath.Join(dir, checkpointNames[n])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("nas: checkpoint: %w", err)
		}
	}
	return nil
}

// keepEarlier makes room for a new checkpoint in dir, of which keep are to be there then: the one
// that is about to be replaced gets a second name, those before it move on. A kill in between
// leaves a free name, up to which the next call moves them, or the second name, which the next
// call leaves. Where a file system has no second names there is no earlier checkpoint.
func keepEarlier(dir string, keep int) error {
	if err := keepOnly(dir, keep); err != nil {
		return err
	}
	path := func(n int) string { return filepath.Join(dir, checkpointNames[n]) }
	last, err := os.Stat(path(0))
	if errors.Is(err, fs.ErrNotExist) || keep == 1 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("nas: checkpoint: %w", err)
	}
	if before, err := os.Stat(path(1)); err == nil && os.SameFile(last, before) {
		return nil
	}
	free := 1
	for free < keep-1 && there(dir, checkpointNames[free]) {
		free++
	}
	if err := os.Remove(path(free)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: checkpoint: %w", err)
	}
	for n := free; n > 1; n-- {
		if err := os.Rename(path(n-1), path(n)); err != nil {
			return fmt.Errorf("nas: checkpoint: %w", err)
		}
	}
	err = os.Link(path(0), path(1))
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("nas: checkpoint: %w", err)
	}
	return nil
}

// newest opens the newest checkpoint in dir that is not damaged: name is empty if there is none.
// damaged are those that are newer, the newest first.
func newest(dir string) (name string, st *safetensors.File, damaged []*damagedError, err error) {
	for _, n := range checkpointsIn(dir) {
		name := checkpointNames[n]
		st, err := readCheckpoint(filepath.Join(dir, name))
		var bad *damagedError
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.As(err, &bad):
			damaged = append(damaged, bad)
		default:
			return name, st, damaged, err
		}
	}
	return "", nil, damaged, nil
}

// lastMeta is the metadata of the newest checkpoint in dir that is not damaged, and the file. If all
// are damaged, that is an error; if there is none, file is empty.
func lastMeta(dir string) (file string, meta map[string]string, err error) {
	name, st, damaged, err := newest(dir)
	switch {
	case err != nil:
		return "", nil, err
	case name != "":
		return filepath.Join(dir, name), st.Metadata(), nil
	}
	return "", nil, noneReads(damaged)
}

// noneReads is an error if there are checkpoints, all of them damaged.
func noneReads(damaged []*damagedError) error {
	switch len(damaged) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w; restore the file, or delete it: the run then begins anew", damaged[0])
	}
	return fmt.Errorf("%w, and so is every one before it; restore one of them, or delete all: the run then begins anew", damaged[0])
}

// damagedError says that a checkpoint does not read.
type damagedError struct{ file, why string }

func (e *damagedError) Error() string {
	return fmt.Sprintf("nas: checkpoint %s is damaged: %s", e.file, e.why)
}

// readCheckpoint opens a file that saveAs wrote, and verifies it. The error wraps fs.ErrNotExist if
// it is not there, and is a *damagedError if it does not read.
func readCheckpoint(file string) (*safetensors.File, error) {
	content, err := wholefile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("nas: checkpoint: %w", err)
	}
	return openChecked(file, content)
}

// openChecked verifies the checksum and the format of a checkpoint.
func openChecked(file string, content []byte) (*safetensors.File, error) {
	st, err := safetensors.Read(content)
	if err != nil {
		return nil, &damagedError{file, err.Error()}
	}
	format := st.Metadata()[metaFormat]
	found, fits := st.CheckSum(metaSum)
	switch {
	case !fits && (found || format == checkpointFormat):
		return nil, &damagedError{file, "its checksum does not fit"}
	case format != checkpointFormat:
		return nil, fmt.Errorf("nas: checkpoint %s has format %q, this program reads %q", file, format, checkpointFormat)
	}
	return st, nil
}
