package serve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"godarts/nas/wholefile"
)

// longestLine is the longest line that is read. A longer one is no line of a run.
const longestLine = 4 << 20

// tail reads the lines that a file of a run gains.
type tail struct {
	file   string // below the root
	info   fs.FileInfo
	offset int64 // after the last whole line that was read
	skip   bool  // within a line that is too long
}

// next calls line with each whole line since the call before. It begins again, and calls reset first, if
// the file was replaced or is shorter than before: a resumed run cuts off the steps that it repeats. A
// missing file has no lines.
func (t *tail) next(root *os.Root, reset func(), line func([]byte)) error {
	info, err := root.Stat(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		if t.info != nil {
			*t = tail{file: t.file}
			reset()
		}
		return nil
	}
	if err != nil {
		return err
	}
	if t.info != nil && (!os.SameFile(info, t.info) || info.Size() < t.offset) {
		*t = tail{file: t.file}
		reset()
	}
	if t.info != nil && info.Size() == t.info.Size() {
		return nil
	}
	f, info, err := open(root, t.file)
	if err != nil {
		return err
	}
	defer f.Close()
	t.info = info
	if _, err := f.Seek(t.offset, io.SeekStart); err != nil {
		return err
	}
	return t.read(bufio.NewReaderSize(f, 64<<10), line)
}

// read reads up to the last whole line. It holds one line at most.
func (t *tail) read(r *bufio.Reader, line func([]byte)) error {
	var held []byte // the start of a line that is longer than the reader's buffer
	read := int64(0)
	for {
		chunk, err := r.ReadSlice('\n')
		read += int64(len(chunk))
		if len(held)+len(chunk) > longestLine {
			t.skip, held = true, nil
		}
		if t.skip { // or each call would read it from its start
			t.offset += read
			read = 0
		}
		switch {
		case err == nil && t.skip:
			t.skip = false
		case err == nil && held == nil:
			line(chunk)
			t.offset, read = t.offset+read, 0
		case err == nil:
			line(append(held, chunk...))
			t.offset, read, held = t.offset+read, 0, nil
		case errors.Is(err, bufio.ErrBufferFull) && t.skip:
		case errors.Is(err, bufio.ErrBufferFull):
			held = append(held, chunk...)
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// open opens a regular file below the root.
func open(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // without it opening a pipe waits for a writer
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &wholefile.KindError{File: name, Kind: wholefile.Kind(info.Mode())}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// read reads a small file below the root.
func read(root *os.Root, name string) ([]byte, error) {
	f, info, err := open(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > longestLine {
		return nil, fmt.Errorf("%s has %d bytes, want at most %d", name, info.Size(), longestLine)
	}
	return io.ReadAll(io.LimitReader(f, longestLine))
}
