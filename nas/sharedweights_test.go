package nas_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas"
	"godarts/nas/config"
)

// rsps is a search with weight sharing that is soon done.
func rsps(t testing.TB, set ...string) *config.Config {
	return tiny(t, append([]string{"strategy.name=rsps", "strategy.candidates=4", "strategy.score_batches=2", "strategy.finalists=2"}, set...)...)
}

// mortal is a context that is done once it has been looked at so many times.
type mortal struct {
	context.Context
	looks int
}

func (m *mortal) Err() error {
	if m.looks--; m.looks < 0 {
		return context.Canceled
	}
	return m.Context.Err()
}

// TestStoppedAnywhere is of what lies between the steps, which nastest interrupts.
func TestStoppedAnywhere(t *testing.T) {
	// A search finds the same and ends with the same bytes when its context is done at any look at it, wherever that is.
	for _, test := range []struct {
		name string
		c    *config.Config
	}{
		{"rsps", rsps(t, "epochs=1")},
	} {
		t.Run(test.name, func(t *testing.T) {
			search := func(ctx context.Context, dir string) (string, error) {
				result, err := nas.Search(ctx, dir, test.c, nas.Settings{})
				return result.Genotype.String(), err
			}
			whole := filepath.Join(t.TempDir(), "run")
			want, err := search(t.Context(), whole)
			if err != nil {
				t.Fatal(err)
			}
			for looks := 0; ; looks++ {
				dir := filepath.Join(t.TempDir(), "run")
				_, err := search(&mortal{t.Context(), looks}, dir)
				if err == nil {
					if looks < 10 {
						t.Errorf("the context was looked at %d times, want more", looks)
					}
					return
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				got, err := search(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("stopped after %d looks: %s", looks, diff)
				}
				if got, want := bytesOf(t, dir), bytesOf(t, whole); got != want {
					t.Fatalf("stopped after %d looks: the final checkpoints differ", looks)
				}
			}
		})
	}
}

func bytesOf(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, nas.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
