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

// DefaultKeep is the number of checkpoints that a run keeps until it is complete, MaxKeep the largest
// number that it may keep.
const (
	DefaultKeep = 2
	MaxKeep     = 100
)

// CheckpointNames are the files of checkpoints, from the newest to the oldest.
var CheckpointNames = func() []string {
	names := []string{CheckpointFile, "checkpoint.previous.safetensors"}
	for n := 2; n < MaxKeep; n++ {
		names = append(names, fmt.Sprintf("checkpoint.previous.%d.safetensors", n))
	}
	return names
}()

// checkpointsIn returns the checkpoints in dir as indices of CheckpointNames, the newest first.
func checkpointsIn(dir string) (all []int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // the folder does not exist or cannot be read
	}
	for _, e := range entries {
		if n := slices.Index(CheckpointNames, e.Name()); n >= 0 {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// HoldsCheckpoint reports whether dir has a checkpoint.
func HoldsCheckpoint(dir string) bool { return len(checkpointsIn(dir)) > 0 }

// PruneCheckpoints removes all but the newest keep checkpoints in dir.
func PruneCheckpoints(dir string, keep int) error {
	for _, n := range checkpointsIn(dir) {
		if n < keep {
			continue
		}
		if err := os.Remove(filepath.Join(dir, CheckpointNames[n])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("nas: checkpoint: %w", err)
		}
	}
	return nil
}

// RotateCheckpoints makes room for a new checkpoint in dir, so that there are keep of them after it is
// written. It hard-links the current checkpoint to the second name, after it has moved the earlier ones
// to the next names. After a kill in between, the next call continues: it moves files up to the free
// name, or finds the link made. On a file system without hard links there is no earlier checkpoint.
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

// NewestCheckpoint opens the newest undamaged checkpoint in dir; name is empty if there is none.
// damaged lists the newer, damaged ones, the newest first.
func NewestCheckpoint(dir string) (name string, st *safetensors.File, damaged []*DamagedError, err error) {
	for _, n := range checkpointsIn(dir) {
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

// NewestMetadata returns the metadata of the newest undamaged checkpoint in dir, and its file, which is
// empty if there is no checkpoint. If all are damaged it returns an error.
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

// AllDamaged returns an error that says how to go on when the checkpoints are all damaged, nil if there
// are none.
func AllDamaged(damaged []*DamagedError) error {
	switch len(damaged) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w; restore the file, or delete it: the run then starts over", damaged[0])
	}
	return fmt.Errorf("%w, and so is every one before it; restore one of them, or delete all: the run then starts over", damaged[0])
}

// DamagedError says that a checkpoint cannot be read, and why.
type DamagedError struct{ File, why string }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("nas: checkpoint %s is damaged: %s", e.File, e.why)
}

// ReadCheckpoint opens a file that Run.SaveAs wrote, and verifies it. The error wraps fs.ErrNotExist if
// the file does not exist, and is a *DamagedError if it is damaged.
func ReadCheckpoint(file string) (*safetensors.File, error) {
	content, err := wholefile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("nas: checkpoint: %w", err)
	}
	return OpenCheckpoint(file, content)
}

// OpenCheckpoint verifies the checksum and the format of a checkpoint. file is its name in errors.
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

// Keys of a checkpoint's metadata, and the names of tensors besides the experiment's state.
const (
	MetaFormat   = "format"
	MetaConfig   = "config"
	MetaPosition = "position"
	MetaSum      = "sha256"
	RNGCPU       = "rng.cpu"
	RNGCUDA      = "rng.cuda"

	CheckpointFormat = "godarts checkpoint 1"
)
