package nas

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"godarts/nas/wholefile"
	"godarts/torch"
)

// newest opens the newest checkpoint in dir that is not damaged: name is empty if there is none.
// damaged are those that are newer, the newest first.
func newest(dir string) (name string, st *torch.Safetensors, damaged []*damagedError, err error) {
	for _, name := range []string{CheckpointFile, earlierCheckpoint} {
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
func readCheckpoint(file string) (*torch.Safetensors, error) {
	content, err := wholefile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("nas: checkpoint: %w", err)
	}
	return openChecked(file, content)
}

// openChecked verifies the checksum and the format of a checkpoint.
func openChecked(file string, content []byte) (*torch.Safetensors, error) {
	st, err := torch.ReadSafetensors(content)
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
