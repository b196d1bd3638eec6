package claim

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func FuzzTake(f *testing.F) {
	// A claim with any content is held or taken over, and the error is one line of printable text.
	f.Add([]byte(`{"host":"a","pid":1,"since":"2026-01-02T03:04:05Z"}` + "\n"))
	f.Add([]byte(`{"host":"\u001b[31m","pid":-1,"stale_seconds":1e300}` + "\n" + released))
	f.Add([]byte{})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		folder := Folder{Dir: dir, Stale: time.Hour}
		if err := os.WriteFile(folder.path("a", 1), text, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := folder.Take("a")
		var held *HeldError
		switch {
		case err == nil:
			if err := errors.Join(c.Release(), os.Remove(folder.path("a", c.number))); err != nil {
				t.Error(err)
			}
		case !errors.As(err, &held):
			t.Errorf("neither held nor taken: %v", err)
		case strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }):
			t.Errorf("not fit for a line: %q", err)
		}
	})
}
