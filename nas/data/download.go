package data

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// archive is a data set as it is published: a .tar.gz whose files lie in one folder.
type archive struct {
	url, md5 string
	folder   string
	files    map[string]int64 // the files wanted of that folder, and their sizes in bytes, or anySize
	stall    time.Duration    // the longest silence of a server; 0 is longestSilence
}

const (
	// longestSilence is how long a server may send nothing before a download ends.
	longestSilence = time.Minute
	// mostBytes bounds an archive: the largest of those above has 170 MB. A server that
	// never stops would fill the disk before the MD5 is taken.
	mostBytes = 200e6
)

var archives = map[string]archive{
	cifar10.name: {
		url:    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
		md5:    "c32a1d4ab5d03f1284b67883e8d87530",
		folder: cifar10.folder,
		files:  cifar10.sizes(map[string]int64{cifar10.names: 61}),
	},
	cifar100.name: {
		url:    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
		md5:    "03b5dce01913d631647c71ecec9e9cb8",
		folder: cifar100.folder,
		files:  cifar100.sizes(map[string]int64{cifar100.names: anySize, cifar100.coarse().names: anySize}),
	},
}

// anySize stands where the size of a file is not known beforehand.
const anySize = 0

// sizes adds the sizes of the files of images to those of names.
func (c cifar) sizes(names map[string]int64) map[string]int64 {
	for _, name := range c.train {
		names[name] = int64(c.trainRecords * c.record())
	}
	names[c.test] = int64(c.testRecords * c.record())
	return names
}

// Get downloads the data set of that name to the folder Root(root), unless all
// its files are there in their sizes. progress, if not nil, is told how many
// bytes of the archive have come, those of earlier calls included, and how many
// there are, -1 if the server does not say.
//
// A server that is silent for a minute, or sends more than it announces or than any set
// has, is an error. An interrupted or cancelled download leaves a file .part beside the data set's
// folder, and the next call goes on from there. An archive that has not the
// published MD5 is an error and removed. Each file of the set appears whole or
// not at all. Digits and synthetic images are part of the program: there is
// nothing to get. An image folder is the caller's own, which is an error here.
func Get(ctx context.Context, name, root string, progress func(done, total int64)) error {
	if _, ok := openers[name]; !ok {
		return unknown(name)
	}
	if name == imageFolder {
		return fmt.Errorf("data: get %s: there is none to get: it is a folder of your own, with train/CLASS/IMAGE", name)
	}
	a, ok := archives[name]
	if !ok {
		return nil
	}
	if err := a.get(ctx, Root(root), progress); err != nil {
		return fmt.Errorf("data: get %s: %w", name, err)
	}
	return nil
}

// get brings the files of a below root.
func (a archive) get(ctx context.Context, root string, progress func(done, total int64)) error {
	if len(a.missing(root)) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(root, a.folder), 0o755); err != nil {
		return err
	}
	part := filepath.Join(root, path.Base(a.url)+".part")
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
		return fmt.Errorf("%s does not hold %s/%s", a.url, a.folder, missing[0])
	}
	return os.Remove(part)
}

// missing lists the wanted files that are not below root in their size, sorted.
func (a archive) missing(root string) []string {
	var missing []string
	for name, size := range a.files {
		info, err := os.Stat(filepath.Join(root, a.folder, name))
		if err != nil || !info.Mode().IsRegular() || size != anySize && info.Size() != size {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}

// openPart opens the file part. A link or a pipe in its place is an error: another user
// of a shared folder may have put it there, and what it points to would be overwritten.
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

// download completes the file part.
func (a archive) download(ctx context.Context, part string, progress func(done, total int64)) error {
	out, err := openPart(part, os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return err
	}
	defer out.Close()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	ctx, alive, stop := watched(ctx, cmp.Or(a.stall, longestSilence))
	defer stop()
	body, have, total, err := a.request(ctx, have)
	if err != nil || body == nil {
		return cmp.Or(silence(ctx), err)
	}
	defer body.Close()
	if total > mostBytes {
		return fmt.Errorf("%s: the server announces %d bytes, the archive has at most %d", a.url, total, int64(mostBytes))
	}
	// A server without ranges sends all again.
	if err := out.Truncate(have); err != nil {
		return err
	}
	if _, err := out.Seek(have, io.SeekStart); err != nil {
		return err
	}
	counted := &counter{w: out, done: have, total: total, progress: progress, alive: alive}
	most := int64(mostBytes)
	if total >= 0 {
		most = total
	}
	if _, err := io.Copy(counted, io.LimitReader(body, most-have+1)); err != nil {
		return fmt.Errorf("%s: stopped after %d bytes, the next call goes on from there: %w", a.url, counted.done, cmp.Or(silence(ctx), err))
	}
	if counted.done > most {
		return errors.Join(fmt.Errorf("%s: the server sends more than %d bytes: removed %s", a.url, most, part), os.Remove(part))
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// errSilent ends a download whose server sends nothing.
type errSilent time.Duration

func (e errSilent) Error() string {
	return fmt.Sprintf("the server sent nothing for %v", time.Duration(e))
}

// silence is why watched ended ctx, nil if it did not.
func silence(ctx context.Context) error {
	var silent errSilent
	if errors.As(context.Cause(ctx), &silent) {
		return silent
	}
	return nil
}

// watched is a context that ends when alive is not called for a time.
func watched(ctx context.Context, longest time.Duration) (watch context.Context, alive, stop func()) {
	watch, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(longest, func() { cancel(errSilent(longest)) })
	return watch, func() { timer.Reset(longest) }, func() { timer.Stop(); cancel(nil) }
}

// request asks for the archive from byte have on. It returns the body, the byte
// it starts from and the length of the whole archive or -1. A nil body without
// an error means that nothing is left to come.
func (a archive) request(ctx context.Context, have int64) (body io.ReadCloser, from, total int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return nil, 0, 0, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, 0, 0, err
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return resp.Body, 0, resp.ContentLength, nil
	case resp.StatusCode == http.StatusPartialContent && have > 0:
		var last int64
		// The total is "*" where the server does not know it.
		n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &last, &total)
		if n < 3 {
			total = -1
		}
		if n >= 2 && from == have {
			return resp.Body, from, total, nil
		}
		err = fmt.Errorf("%s: asked for bytes from %d on, got %q", a.url, have, resp.Header.Get("Content-Range"))
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		// Nothing follows: the part is whole, or too long, which its MD5 will tell.
	default:
		err = fmt.Errorf("%s: server says %s", a.url, resp.Status)
	}
	resp.Body.Close()
	return nil, 0, 0, err
}

// verify compares the MD5 of the file part with the published one, and removes
// the file if they differ.
func (a archive) verify(ctx context.Context, part string) error {
	f, err := openPart(part, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := md5.New()
	if _, err := io.Copy(sum, reader{ctx, f}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != a.md5 {
		if err := os.Remove(part); err != nil {
			return fmt.Errorf("%s: MD5 is %s, want %s: remove it by hand: %w", a.url, got, a.md5, err)
		}
		return fmt.Errorf("%s: MD5 is %s, want %s: removed %s", a.url, got, a.md5, part)
	}
	return nil
}

// extract writes the wanted files of the archive part below root.
func (a archive) extract(ctx context.Context, part, root string) error {
	f, err := openPart(part, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	unzip, err := gzip.NewReader(reader{ctx, f})
	if err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	wanted := maps.Clone(a.files)
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
		if !ok || dir != a.folder+"/" {
			continue
		}
		if entry.Typeflag != tar.TypeReg || size != anySize && entry.Size != size {
			return fmt.Errorf("%s: entry %q is no file of %d bytes", part, entry.Name, size)
		}
		delete(wanted, name)
		if err := write(filepath.Join(root, a.folder, name), entries); err != nil {
			return fmt.Errorf("%s: entry %q: %w", part, entry.Name, err)
		}
	}
}

// write writes all of r to file, atomically.
func write(file string, r io.Reader) error {
	// The temporary file lies beside the final one: $TMPDIR may be smaller.
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

// counter reports how many bytes have been written through it.
type counter struct {
	w           io.Writer
	done, total int64
	progress    func(done, total int64)
	alive       func()
}

func (c *counter) Write(p []byte) (int, error) {
	c.alive()
	n, err := c.w.Write(p)
	c.done += int64(n)
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
	return n, err
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
