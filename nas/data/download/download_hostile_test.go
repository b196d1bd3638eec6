package download

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestHostileServers(t *testing.T) {
	// A download ends with an error when the server falls silent, never ends or announces too many bytes.
	for _, test := range []struct {
		name  string
		serve http.HandlerFunc
		stall time.Duration // longer than a busy machine takes for what the server does before it falls silent
		want  string
	}{
		{"silent before the first byte", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 50 * time.Millisecond, "the server sent nothing for 50ms"},
		{"silent in the middle", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "first")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 3 * time.Second, "stopped after 5 bytes, the next call goes on from there: the server sent nothing for 3s"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for block := make([]byte, 1<<20); ; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, time.Minute, "the server sends more than 200000000 bytes: removed "},
		{"announces more than any set has", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "200000001") },
			time.Minute, "the server announces 200000001 bytes, the archive has at most 200000000"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, _ := published(t, nil, nil)
			h := httptest.NewServer(test.serve)
			defer h.Close()
			a.URL, a.stall = h.URL+"/x.tar.gz", test.stall
			root := t.TempDir()
			err := a.Get(t.Context(), root, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if info, err := os.Stat(filepath.Join(root, "x.tar.gz.part")); err == nil && info.Size() > 5 {
				t.Errorf("a part of %d bytes stays", info.Size())
			}
		})
	}
}

func TestSlowServer(t *testing.T) {
	// A download completes when its server often pauses for less than the longest silence.
	t.Parallel()
	a, whole := published(t, nil, nil)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 8 {
			_, _ = w.Write(whole[i*len(whole)/8 : (i+1)*len(whole)/8])
			w.(http.Flusher).Flush()
			time.Sleep(400 * time.Millisecond)
		}
	}))
	defer h.Close()
	a.URL, a.stall = h.URL+"/x.tar.gz", 3*time.Second
	root := t.TempDir()
	if err := a.Get(t.Context(), root, nil); err != nil {
		t.Fatal(err)
	}
	tree(t, root)
}

func TestPlantedPart(t *testing.T) {
	// A link, a pipe or a folder in the place of the part is an error, and nothing else is written, when a download begins.
	for _, test := range []struct {
		name  string
		plant func(part, other string) error
	}{
		{"link", func(part, other string) error { return os.Symlink(other, part) }},
		{"pipe", func(part, _ string) error { return syscall.Mkfifo(part, 0o644) }},
		{"folder", func(part, _ string) error { return os.Mkdir(part, 0o755) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, whole := published(t, nil, nil)
			s := &server{whole: whole}
			a = serve(t, s, a)
			root := t.TempDir()
			other := filepath.Join(t.TempDir(), "other")
			if err := os.WriteFile(other, []byte("precious"), 0o644); err != nil {
				t.Fatal(err)
			}
			part := filepath.Join(root, "x.tar.gz.part")
			if err := test.plant(part, other); err != nil {
				t.Fatal(err)
			}
			if err := a.Get(t.Context(), root, nil); err == nil || !strings.Contains(err.Error(), part) || len(s.requests) > 0 {
				t.Errorf("got %v after %d requests", err, len(s.requests))
			}
			if text, err := os.ReadFile(other); err != nil || string(text) != "precious" {
				t.Errorf("the file elsewhere holds %q, %v", text, err)
			}
		})
	}
}
