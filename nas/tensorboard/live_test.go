package tensorboard

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

// goOn searches in dir until stop steps are done, or to the end if stop is 0.
func goOn(t *testing.T, dir string, c *config.Config, stop int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	steps := 0
	count := nas.Hooks{OnStep: func(*nas.Run, *nas.Step) error {
		if steps++; steps == stop {
			cancel()
		}
		return nil
	}}
	live := NewLive()
	_, err := search.Run(ctx, dir, c, nas.Settings{Hooks: []nas.Hooks{live.Hooks(), count}})
	if stop == 0 && err != nil || stop != 0 && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
}

// lasting returns what does not depend on the time at which a run goes.
func lasting(r read) map[string][]point {
	maps.DeleteFunc(r.points, func(tag string, _ []point) bool {
		return tag == sessionTag || tag == endTag || strings.Contains(tag, "speed/") || strings.Contains(tag, "memory/")
	})
	return r.points
}

func TestLiveResumed(t *testing.T) {
	// A search that is interrupted again and again has the events of an undisturbed one, and both those that Export writes afterwards.
	c := fixture.Tiny(t, "epochs=2", "evaluate=null")
	once, often := filepath.Join(t.TempDir(), "once"), filepath.Join(t.TempDir(), "often")
	goOn(t, once, c, 0)
	for range 3 {
		goOn(t, often, c, 2)
	}
	goOn(t, often, c, 0)
	want := readFile(t, filepath.Join(once, Folder))
	if want.points[endTag] == nil || len(want.points["loss/train"]) != 2 {
		t.Fatalf("points %v", want.points)
	}
	if diff := cmp.Diff(lasting(want), lasting(readFile(t, filepath.Join(often, Folder))), cmp.AllowUnexported(point{})); diff != "" {
		t.Errorf("resumed (-want +got):\n%s", diff)
	}
	r, err := record.Read(once)
	if err != nil {
		t.Fatal(err)
	}
	after := t.TempDir()
	if err := Export(r, after); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.points, lasting(readFile(t, after)), cmp.AllowUnexported(point{})); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
}

func TestLiveWithoutFolder(t *testing.T) {
	// A search ends as usual, and Close says what is missing, when no event file can be written.
	dir := filepath.Join(t.TempDir(), "run")
	c := fixture.Tiny(t, "epochs=1", "evaluate=null")
	live := NewLive()
	block := nas.Hooks{OnStart: func(r *nas.Run) error {
		return os.WriteFile(filepath.Join(r.Dir, Folder), nil, 0o600)
	}}
	if _, err := search.Run(t.Context(), dir, c, nas.Settings{Hooks: []nas.Hooks{block, live.Hooks()}}); err != nil {
		t.Fatal(err)
	}
	if err := live.Close(); err == nil || !strings.HasPrefix(err.Error(), "tensorboard: ") || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("error %v", err)
	}
	if !runfolder.Finished(dir) {
		t.Error("the run is not complete")
	}
}

func TestTail(t *testing.T) {
	// next returns each complete line once, and says when the file has become shorter.
	file := filepath.Join(t.TempDir(), "lines")
	tail := tail{file: file}
	for _, test := range []struct {
		content, want string
		shorter       bool
	}{{"", "", false}, {"a\nb", "a\n", false}, {"a\nbc\nd\n", "bc\nd\n", false}, {"a\nbc\nd\n", "", false}, {"a\n", "", true}} {
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, shorter, err := tail.next()
		got := ""
		for _, l := range lines {
			got += string(l)
		}
		if err != nil || got != test.want || shorter != test.shorter {
			t.Errorf("%q: %q, %v, %v", test.content, got, shorter, err)
		}
	}
}
