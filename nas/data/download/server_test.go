package download

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// zip returns b gzipped.
func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pack returns a .tar.gz of entries; each file holds content.
func pack(t *testing.T, entries []tar.Header, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range entries {
		h.Mode = 0o644
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return zip(t, out.Bytes())
}

// content is the content of every file of the test archives. It is noise, which does not
// compress, so that the archive is larger than every buffer on its way.
var content = func() []byte {
	noise := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // returns no error
	return noise
}()

// published returns the description of a data set of two files, and whole, its archive
// with other entries before and after these files.
func published(t *testing.T, before, after []tar.Header) (a Archive, whole []byte) {
	t.Helper()
	entries := slices.Concat(before, []tar.Header{
		{Name: "set/", Typeflag: tar.TypeDir},
		{Name: "set/a.bin", Typeflag: tar.TypeReg},
		{Name: "set/readme.html", Typeflag: tar.TypeReg},
		{Name: "./set/b.bin", Typeflag: tar.TypeReg},
	}, after)
	whole = pack(t, entries, content)
	sum := md5.Sum(whole)
	size := int64(len(content))
	return Archive{MD5: hex.EncodeToString(sum[:]), Folder: "set", Files: map[string]int64{"a.bin": size, "b.bin": size}}, whole
}

// server serves archives and counts requests.
type server struct {
	whole    []byte
	ranges   bool // supports Range
	cut      int  // breaks the connection after that many bytes of a body, if not 0
	status   int  // the answer, if not 0
	requests []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests = append(s.requests, r.Header.Get("Range"))
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	if !s.ranges {
		r.Header.Del("Range")
	}
	if s.cut > 0 {
		w = &cutter{w, s.cut}
	}
	http.ServeContent(w, r, "x.tar.gz", time.Time{}, bytes.NewReader(s.whole))
}

// cutter breaks off after left bytes.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	// What was written must reach the client before the connection breaks.
	if _, err := c.ResponseWriter.Write(p[:c.left]); err != nil {
		return 0, err
	}
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// serve starts s and points a to it.
func serve(t *testing.T, s *server, a Archive) Archive {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	a.URL = h.URL + "/x.tar.gz"
	return a
}

// tree returns the paths of all files below root and checks the set's content.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".bin" && !bytes.Equal(got, content) {
			t.Errorf("%s holds other bytes than the archive", path)
		}
		relative, err := filepath.Rel(root, path)
		paths = append(paths, relative)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}

var wholeTree = []string{"set/a.bin", "set/b.bin"}
