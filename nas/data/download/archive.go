// Package download fetches archives of files over HTTP. A download that ends early goes on
// where it stopped, and files appear whole or not at all.
package download

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// Archive is a published .tar.gz whose files lie in one folder.
type Archive struct {
	URL, MD5 string
	Folder   string
	Files    map[string]int64 // wanted files of that folder, and their sizes in bytes, or AnySize

	stall time.Duration // how long a server may send nothing; 0 is longestSilence
}

const (
	// longestSilence is how long a server may send nothing before a download ends.
	longestSilence = time.Minute
	// mostBytes bounds an archive; the largest in use, of CIFAR-10, has 170 MB. Without the
	// bound a server that never stops would fill the disk before the MD5 is computed.
	mostBytes = 200e6
)

// AnySize stands in Archive.Files for a size that is not known beforehand.
const AnySize = 0

// Get downloads the archive and writes the wanted files to root/Folder, unless all of them
// are there in their sizes. It calls progress, if not nil, with the number of bytes of the
// archive that have arrived, those of earlier calls included, and with the total, -1 if the
// server does not tell it.
//
// A server that is silent for a minute, or sends more than it announces or than mostBytes,
// is an error. A download that ends early leaves a file .part in root, and the next call
// goes on from there. An archive with another MD5 is an error, and Get removes it. Each
// wanted file appears whole or not at all.
func (a Archive) Get(ctx context.Context, root string, progress func(done, total int64)) error {
	if len(a.missing(root)) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(root, a.Folder), 0o755); err != nil {
		return err
	}
	part := filepath.Join(root, path.Base(a.URL)+".part")
	if err := a.download(ctx, part, progress); err != nil {
		return err
	}
	if err := a.verify(ctx, part); err != nil {
		return err
	}
	if err := a.extract(ctx, part, root); err != nil {
		return err
	}
	if missing := a.missing(root); len(missing) > 0 {
		return fmt.Errorf("%s does not hold %s/%s", a.URL, a.Folder, missing[0])
	}
	return os.Remove(part)
}

// missing lists the wanted files that are not below root in their sizes, sorted.
func (a Archive) missing(root string) []string {
	var missing []string
	for name, size := range a.Files {
		info, err := os.Stat(filepath.Join(root, a.Folder, name))
		if err != nil || !info.Mode().IsRegular() || size != AnySize && info.Size() != size {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

// openPart opens the file part. A link or a pipe in its place is an error: another user of
// a shared folder may have put it there, and the download would overwrite its target.
func openPart(part string, flag int) (*os.File, error) {
	f, err := os.OpenFile(part, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o644)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("%s is a link or a pipe, want a file: remove it", part)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is a link or a pipe, want a file: remove it", part)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// verify compares the MD5 of the file part with the published one. If they differ it
// removes the file.
func (a Archive) verify(ctx context.Context, part string) error {
	f, err := openPart(part, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := md5.New()
	if _, err := io.Copy(sum, reader{ctx, f}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != a.MD5 {
		if err := os.Remove(part); err != nil {
			return fmt.Errorf("%s: MD5 is %s, want %s: remove it by hand: %w", a.URL, got, a.MD5, err)
		}
		return fmt.Errorf("%s: MD5 is %s, want %s: removed %s", a.URL, got, a.MD5, part)
	}
	return nil
}

// extract writes the wanted files of the archive part below root.
func (a Archive) extract(ctx context.Context, part, root string) error {
	f, err := openPart(part, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	unzip, err := gzip.NewReader(reader{ctx, f})
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	wanted := maps.Clone(a.Files)
	for entries := tar.NewReader(unzip); ; {
		entry, err := entries.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		if !filepath.IsLocal(entry.Name) {
			return fmt.Errorf("%s: entry %q leads out of the folder", part, entry.Name)
		}
		dir, name := path.Split(path.Clean(entry.Name))
		size, ok := wanted[name]
		if !ok || dir != a.Folder+"/" {
			continue
		}
		if entry.Typeflag != tar.TypeReg || size != AnySize && entry.Size != size {
			return fmt.Errorf("%s: entry %q is not a file of %d bytes", part, entry.Name, size)
		}
		delete(wanted, name)
		if err := write(filepath.Join(root, a.Folder, name), entries); err != nil {
			return fmt.Errorf("%s: entry %q: %w", part, entry.Name, err)
		}
	}
}

// write writes all of r to file, atomically.
func write(file string, r io.Reader) error {
	// The temporary file lies next to the final one: $TMPDIR may have less room.
	out, err := renameio.NewPendingFile(file, renameio.WithTempDir(filepath.Dir(file)), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer out.Cleanup()
	if _, err := io.Copy(out, r); err != nil {
		return err
	}
	return out.CloseAtomicallyReplace()
}

// reader reads from r until ctx is done.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
