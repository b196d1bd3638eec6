package runfolder

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

// CheckpointNames are the files of checkpoints, each one save older than the one before it.
var CheckpointNames = func() []string {
	names := []string{CheckpointFile, "checkpoint.previous.safetensors"}
	for n := 2; n < MaxKeep; n++ {
		names = append(names, fmt.Sprintf("checkpoint.previous.%d.safetensors", n))
	}
	return names
}()

// CheckpointsIn are those that dir has, as indices of checkpointNames, the newest first.
func CheckpointsIn(dir string) (all []int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // a folder that is not there, or does not read, has none
	}
	for _, e := range entries {
		if n := slices.Index(CheckpointNames, e.Name()); n >= 0 {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// HoldsCheckpoint tells whether the run in dir was saved.
func HoldsCheckpoint(dir string) bool { return len(CheckpointsIn(dir)) > 0 }

// PruneCheckpoints removes the checkpoints in dir but for the newest keep.
func PruneCheckpoints(dir string, keep int) error {
	for _, n := range CheckpointsIn(dir) {
		if n < keep {
			continue
		}
		if err := os.Remove(filepath.Join(dir, CheckpointNames[n])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("nas: checkpoint: %w", err)
		}
	}
	return nil
}

// RotateCheckpoints makes room for a new checkpoint in dir, of which keep are to be there then: the one
// that is about to be replaced gets a second name, those before it move on. A kill in between
// leaves a free name, up to which the next call moves them, or the second name, which the next
// call leaves. Where a file system has no second names there is no earlier checkpoint.
func RotateCheckpoints(dir string, keep int) error {
	if err := PruneCheckpoints(dir, keep); err != nil {
		return err
	}
	path := func(n int) string { return filepath.Join(dir, CheckpointNames[n]) }
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
	for free < keep-1 && Has(dir, CheckpointNames[free]) {
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

// NewestCheckpoint opens the newest checkpoint in dir that is not damaged: name is empty if there is none.
// damaged are those that are newer, the newest first.
func NewestCheckpoint(dir string) (name string, st *safetensors.File, damaged []*DamagedError, err error) {
	for _, n := range CheckpointsIn(dir) {
		name := CheckpointNames[n]
		st, err := ReadCheckpoint(filepath.Join(dir, name))
		var bad *DamagedError
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

// NewestMetadata is the metadata of the newest checkpoint in dir that is not damaged, and the file. If all
// are damaged, that is an error; if there is none, file is empty.
func NewestMetadata(dir string) (file string, meta map[string]string, err error) {
	name, st, damaged, err := NewestCheckpoint(dir)
	switch {
	case err != nil:
		return "", nil, err
	case name != "":
		return filepath.Join(dir, name), st.Metadata(), nil
	}
	return "", nil, AllDamaged(damaged)
}

// AllDamaged is an error if there are checkpoints, all of them damaged.
func AllDamaged(damaged []*DamagedError) error {
	switch len(damaged) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w; restore the file, or delete it: the run then begins anew", damaged[0])
	}
	return fmt.Errorf("%w, and so is every one before it; restore one of them, or delete all: the run then begins anew", damaged[0])
}

// DamagedError says that a checkpoint does not read.
type DamagedError struct{ File, why string }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("nas: checkpoint %s is damaged: %s", e.File, e.why)
}

// ReadCheckpoint opens a file that saveAs wrote, and verifies it. The error wraps fs.ErrNotExist if
// it is not there, and is a *damagedError if it does not read.
func ReadCheckpoint(file string) (*safetensors.File, error) {
	content, err := wholefile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("nas: checkpoint: %w", err)
	}
	return OpenCheckpoint(file, content)
}

// OpenCheckpoint verifies the checksum and the format of a checkpoint.
func OpenCheckpoint(file string, content []byte) (*safetensors.File, error) {
	st, err := safetensors.Read(content)
	if err != nil {
		return nil, &DamagedError{file, err.Error()}
	}
	format := st.Metadata()[MetaFormat]
	found, fits := st.CheckSum(MetaSum)
	switch {
	case !fits && (found || format == CheckpointFormat):
		return nil, &DamagedError{file, "its checksum does not fit"}
	case format != CheckpointFormat:
		return nil, fmt.Errorf("nas: checkpoint %s has format %q, this program reads %q", file, format, CheckpointFormat)
	}
	return st, nil
}

// Keys of a checkpoint's metadata, and the names of its tensors that are not of
// the experiment's state.
const (
	MetaFormat   = "format"
	MetaConfig   = "config"
	MetaPosition = "position"
	MetaSum      = "sha256"
	RNGCPU       = "rng.cpu"
	RNGCUDA      = "rng.cuda"

	CheckpointFormat = "godarts checkpoint 1"
)
