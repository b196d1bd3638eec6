package download

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGetWhole(t *testing.T) {
	// The files arrive in one request, with progress, and a second call makes no request.
	a, whole := published(t, nil, nil)
	s := &server{whole: whole, ranges: true}
	a = serve(t, s, a)
	root := filepath.Join(t.TempDir(), "new", "root")
	var done, total int64
	progress := func(d, n int64) {
		if d <= done {
			t.Errorf("progress from %d to %d", done, d)
		}
		done, total = d, n
	}
	for range 2 {
		if err := a.Get(t.Context(), root, progress); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wholeTree, tree(t, root)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{""}, s.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if done != int64(len(whole)) || total != done {
		t.Errorf("last progress %d of %d, want %d", done, total, len(whole))
	}
	info, err := os.Stat(filepath.Join(root, "set/a.bin"))
	if err != nil || info.Mode().Perm()&0o600 != 0o600 || info.Mode().Perm()&0o111 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestGetRepairs(t *testing.T) {
	// The set is fetched again when a file has another size or is no file.
	for _, c := range []struct {
		name   string
		damage func(file string) error
	}{
		{"truncated", func(file string) error { return os.Truncate(file, 10) }},
		{"removed", os.Remove},
		{"dangling link", func(file string) error { return errors.Join(os.Remove(file), os.Symlink("nowhere", file)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, whole := published(t, nil, nil)
			a = serve(t, &server{whole: whole}, a)
			root := t.TempDir()
			for range 2 {
				if err := a.Get(t.Context(), root, nil); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(wholeTree, tree(t, root)); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
				if err := c.damage(filepath.Join(root, "set/b.bin")); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestGetResumes(t *testing.T) {
	// An interrupted download goes on from its last byte if the server supports that, else from the start.
	for _, ranges := range []bool{true, false} {
		t.Run(fmt.Sprint("ranges ", ranges), func(t *testing.T) {
			a, whole := published(t, nil, nil)
			cut := len(whole) / 2
			s := &server{whole: whole, ranges: ranges, cut: cut}
			a = serve(t, s, a)
			root := t.TempDir()
			err := a.Get(t.Context(), root, nil)
			if want := fmt.Sprintf("%s: stopped after %d bytes, the next call goes on from there: unexpected EOF", a.URL, cut); err == nil || err.Error() != want {
				t.Fatalf("got  %v\nwant %s", err, want)
			}
			if diff := cmp.Diff([]string{"x.tar.gz.part"}, tree(t, root)); diff != "" {
				t.Errorf("files after the cut (-want +got):\n%s", diff)
			}
			s.cut = 0
			first, last, total := int64(-1), int64(0), int64(0)
			progress := func(d, n int64) {
				if first < 0 {
					first = d
				}
				last, total = d, n
			}
			if err := a.Get(t.Context(), root, progress); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wholeTree, tree(t, root)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"", fmt.Sprintf("bytes=%d-", cut)}, s.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if resumed := first > int64(cut); resumed != ranges || last != int64(len(whole)) || total != last {
				t.Errorf("progress from %d to %d of %d", first, last, total)
			}
		})
	}
}

func TestGetAfterCompletePart(t *testing.T) {
	// Nothing is downloaded again when the archive is complete but was not unpacked.
	a, whole := published(t, nil, nil)
	a = serve(t, &server{whole: whole, ranges: true}, a)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "x.tar.gz.part"), whole, 0o644); err != nil {
		t.Fatal(err)
	}
	progress := func(done, total int64) { t.Errorf("progress %d of %d", done, total) }
	if err := a.Get(t.Context(), root, progress); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wholeTree, tree(t, root)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestGetOverLongPart(t *testing.T) {
	// A part longer than the archive is overwritten when the server knows no ranges.
	a, whole := published(t, nil, nil)
	a = serve(t, &server{whole: whole}, a)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "x.tar.gz.part"), append(whole, "more"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := a.Get(t.Context(), root, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wholeTree, tree(t, root)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestGetWrongMD5(t *testing.T) {
	// A wrong archive is refused and removed, and the next call succeeds, when the MD5 differs.
	for _, c := range []struct {
		name string
		part []byte // from an earlier call
	}{
		{"wrong bytes on the server", nil},
		{"wrong bytes in the part", []byte("wrong")},
		{"part too long", bytes.Repeat([]byte("wrong"), 500_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, whole := published(t, nil, nil)
			s := &server{whole: whole, ranges: true}
			a = serve(t, s, a)
			root := t.TempDir()
			part := filepath.Join(root, "x.tar.gz.part")
			if c.part == nil {
				s.whole = append([]byte("x"), whole[1:]...)
			} else if err := os.WriteFile(part, c.part, 0o644); err != nil {
				t.Fatal(err)
			}
			err := a.Get(t.Context(), root, nil)
			if err == nil || !strings.HasSuffix(err.Error(), ", want "+a.MD5+": removed "+part) || !strings.HasPrefix(err.Error(), a.URL+": MD5 is ") {
				t.Errorf("got %v", err)
			}
			if got := tree(t, root); len(got) != 0 {
				t.Errorf("files left: %v", got)
			}
			s.whole = whole
			if err := a.Get(t.Context(), root, nil); err != nil {
				t.Errorf("next call: %v", err)
			}
		})
	}
}

func TestGetServerErrors(t *testing.T) {
	// The error names the server's answer, and the part stays, when the answer is no archive.
	for _, c := range []struct {
		status int
		want   string
	}{
		{http.StatusNotFound, "the server answers 404 Not Found"},
		{http.StatusInternalServerError, "the server answers 500 Internal Server Error"},
		{http.StatusPartialContent, `asked for bytes from 3 on, got ""`},
	} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			a, _ := published(t, nil, nil)
			a = serve(t, &server{status: c.status}, a)
			root := t.TempDir()
			if err := os.WriteFile(filepath.Join(root, "x.tar.gz.part"), []byte("abc"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := a.Get(t.Context(), root, nil)
			if want := a.URL + ": " + c.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if diff := cmp.Diff([]string{"x.tar.gz.part"}, tree(t, root)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGetCancelled(t *testing.T) {
	// A download stops with the context's error and can be resumed when it is cancelled.
	a, whole := published(t, nil, nil)
	s := &server{whole: whole, ranges: true}
	a = serve(t, s, a)
	root := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	err := a.Get(ctx, root, func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := a.Get(t.Context(), root, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wholeTree, tree(t, root)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	// Unpacking stops too.
	if err := os.WriteFile(filepath.Join(root, "x.tar.gz.part"), whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := a.extract(ctx, filepath.Join(root, "x.tar.gz.part"), root); !errors.Is(err, context.Canceled) {
		t.Errorf("unpacking: got %v", err)
	}
}

func TestGetHostileArchive(t *testing.T) {
	// Only the wanted files are written when an archive holds other files too.
	long := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeSymlink}
	}
	for _, c := range []struct {
		name          string
		before, after []tar.Header
		want          string // error, after the part's name; none if empty
		files         []string
	}{
		{"parent", []tar.Header{long("../evil")}, nil, `entry "../evil" leads out of the folder`, nil},
		{"hidden parent", []tar.Header{long("set/../../evil")}, nil, `entry "set/../../evil" leads out of the folder`, nil},
		{"absolute", []tar.Header{long("/tmp/evil")}, nil, `entry "/tmp/evil" leads out of the folder`, nil},
		{"after the files", nil, []tar.Header{long("../evil")}, `entry "../evil" leads out of the folder`, wholeTree},
		{"link in place of a file", []tar.Header{link("set/a.bin", "../../evil")}, nil, fmt.Sprintf(`entry "set/a.bin" is not a file of %d bytes`, len(content)), nil},
		{"link in place of the folder", []tar.Header{link("set", "..")}, nil, "", wholeTree},
		{"unknown names", []tar.Header{long("evil"), long("set/evil.bin"), long("other/a.bin"), long("set/sub/a.bin"), long("a.bin")}, nil, "", wholeTree},
		{"file twice", nil, []tar.Header{link("set/a.bin", "../../evil")}, "", wholeTree},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, whole := published(t, c.before, c.after)
			a = serve(t, &server{whole: whole}, a)
			outside := t.TempDir()
			root := filepath.Join(outside, "root")
			err := a.Get(t.Context(), root, nil)
			files := slices.Clone(c.files)
			for i := range files {
				files[i] = "root/" + files[i]
			}
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else {
				files = append(files, "root/x.tar.gz.part")
				if want := filepath.Join(root, "x.tar.gz.part") + ": " + c.want; err == nil || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
			if diff := cmp.Diff(files, tree(t, outside)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGetWrongContent(t *testing.T) {
	// The archive is refused when a wanted file has another size, or is absent, or the file is not an archive.
	for _, c := range []struct {
		name   string
		change func(a *Archive)
		whole  []byte
		want   string
	}{
		{"size", func(a *Archive) { a.Files["b.bin"]++ }, nil, fmt.Sprintf(`entry "./set/b.bin" is not a file of %d bytes`, len(content)+1)},
		{"absent", func(a *Archive) { a.Files["c.bin"] = 3 }, nil, "/x.tar.gz does not hold set/c.bin"},
		{"no gzip", func(*Archive) {}, []byte("<html>"), "x.tar.gz.part: unexpected EOF"},
		{"no tar", func(*Archive) {}, zip(t, bytes.Repeat([]byte("x"), 2000)), "x.tar.gz.part: archive/tar: invalid tar header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, whole := published(t, nil, nil)
			c.change(&a)
			if c.whole != nil {
				whole = c.whole
				sum := md5.Sum(whole)
				a.MD5 = hex.EncodeToString(sum[:])
			}
			a = serve(t, &server{whole: whole}, a)
			if err := a.Get(t.Context(), t.TempDir(), nil); err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant ...%s", err, c.want)
			}
		})
	}
}
