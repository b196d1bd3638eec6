package nas_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/wholefile"
)

// checkpoints lists the checkpoints in dir by age, from 0.
func checkpoints(dir string) (all []int) {
	for n, name := range runfolder.CheckpointNames {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// contentsOfCheckpoints returns "0:8 1:7": the checkpoints in dir by age, with their content.
func contentsOfCheckpoints(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	for _, n := range checkpoints(dir) {
		all = append(all, fmt.Sprintf("%d:%s", n, fixture.Content(t, dir, runfolder.CheckpointNames[n])))
	}
	return strings.Join(all, " ")
}

func TestKeepEarlier(t *testing.T) {
	// The last N checkpoints exist, the newest under the plain name, when N are kept, also after N has changed and after kills in between.
	path := func(dir string, n int) string { return filepath.Join(dir, runfolder.CheckpointNames[n]) }
	save := func(dir string, keep, number int) {
		if err := runfolder.RotateCheckpoints(dir, keep); err != nil {
			t.Fatal(err)
		}
		if err := wholefile.Write(path(dir, 0), []byte(fmt.Sprint(number))); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		keep, then int                    // of the saves 1 to 6, and of 7 and 8
		killed     func(dir string) error // what kills left of the seventh
		want       string
	}{
		{1, 1, nil, "0:8"},
		{2, 2, nil, "0:8 1:7"},
		{4, 4, nil, "0:8 1:7 2:6 3:5"},
		{4, 2, nil, "0:8 1:7"},
		{4, 1, nil, "0:8"},
		{2, 5, nil, "0:8 1:7 2:6 3:5"},
		{100, 100, nil, "0:8 1:7 2:6 3:5 4:4 5:3 6:2 7:1"},
		// 6, 5, 4, 3: before the first move, between two, before the second name, before the new one.
		{4, 4, func(dir string) error { return os.Remove(path(dir, 3)) }, "0:8 1:7 2:6 3:5"},
		{4, 4, func(dir string) error { return os.Rename(path(dir, 2), path(dir, 3)) }, "0:8 1:7 2:6 3:5"},
		{4, 4, func(dir string) error { return runfolder.RotateCheckpoints(dir, 4) }, "0:8 1:7 2:6 3:5"},
		{2, 2, func(dir string) error { return runfolder.RotateCheckpoints(dir, 2) }, "0:8 1:7"},
		{2, 2, func(dir string) error { return os.Remove(path(dir, 1)) }, "0:8 1:7"},
		{4, 4, func(dir string) error { return os.Remove(path(dir, 0)) }, "0:8 1:7 2:5 3:4"},
	} {
		dir := t.TempDir()
		for number := 1; number <= 6; number++ {
			save(dir, test.keep, number)
		}
		if test.killed != nil {
			if err := test.killed(dir); err != nil {
				t.Fatal(err)
			}
		}
		save(dir, test.then, 7)
		save(dir, test.then, 8)
		if got := contentsOfCheckpoints(t, dir); got != test.want {
			t.Errorf("keep %d, then %d: got %s, want %s", test.keep, test.then, got, test.want)
		}
	}
	// A kill between two moves loses none but the one that had to go.
	dir := t.TempDir()
	for number := 1; number <= 6; number++ {
		save(dir, 4, number)
	}
	if err := errors.Join(os.Rename(path(dir, 2), path(dir, 3)), runfolder.RotateCheckpoints(dir, 4)); err != nil {
		t.Fatal(err)
	}
	if got, want := contentsOfCheckpoints(t, dir), "0:6 1:6 2:5 3:4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeptCheckpoints(t *testing.T) {
	// A run goes on from the newest checkpoint that is not damaged, says of each what is wrong, keeps as many as before or as it is told, and ends with the same bytes.
	c := fixture.LoadTiny(t, "tiny.yaml", "epochs=5", "network.nodes=1")
	undisturbed, stopped, enough := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run"), errors.New("enough")
	if _, err := search.Run(t.Context(), undisturbed, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	if _, err := search.Run(t.Context(), stopped, c, nas.Settings{Keep: 4, Hooks: []nas.Hooks{{OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
		if e.Index == 3 {
			return enough
		}
		return nil
	}}}}); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	damage := map[int]func(string) error{0: func(file string) error { flipLast(t, file); return nil }, 1: fixture.Text(""), 2: fixture.Text("garbage"), 3: fixture.Text("{}")}
	for _, test := range []struct {
		name           string
		damaged        []int
		keep, recorded int
		from           string // where the run goes on, empty for the last checkpoint
		kept           []int  // at the start
	}{
		{"the last", []int{0}, 0, 4, "checkpoint.previous.safetensors, in epoch 4", []int{0, 2, 3}},
		{"two", []int{0, 1}, 0, 4, "checkpoint.previous.2.safetensors, in epoch 3", []int{0, 3}},
		{"three, and one is kept", []int{0, 1, 2}, 1, 1, "checkpoint.previous.3.safetensors, in epoch 2", []int{0}},
		{"one that is not needed, and three are kept", []int{2}, 3, 3, "", []int{0, 1, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(dir, os.DirFS(stopped)); err != nil {
				t.Fatal(err)
			}
			for _, n := range test.damaged {
				if err := damage[n](filepath.Join(dir, runfolder.CheckpointNames[n])); err != nil {
					t.Fatal(err)
				}
			}
			var notes []string
			var kept []int
			_, err := search.Run(t.Context(), dir, c, nas.Settings{Keep: test.keep, Hooks: []nas.Hooks{{OnStart: func(r *nas.Run) error {
				notes, kept = r.Notes(), checkpoints(dir)
				return nil
			}}}})
			if err != nil || !slices.Equal(kept, test.kept) {
				t.Errorf("%v; kept %v, want %v", err, kept, test.kept)
			}
			want := 0
			if test.from != "" {
				want = len(test.damaged) + 1
			}
			if len(notes) != want {
				t.Fatalf("notes %q", notes)
			}
			for i := range want {
				said := "the run goes on from " + test.from + " after step 0"
				if i < len(test.damaged) {
					said = filepath.Join(dir, runfolder.CheckpointNames[test.damaged[i]]) + " is damaged: "
				}
				if !strings.Contains(notes[i], said) {
					t.Errorf("note %q, want %q", notes[i], said)
				}
			}
			if a, err := runfolder.ReadRunInfo(dir); err != nil || a.Keep != test.recorded {
				t.Errorf("%s: keep %d, %v, want %d", runfolder.RunFile, a.Keep, err, test.recorded)
			}
			for _, name := range []string{runfolder.ResultFile, runfolder.GenotypeFile, runfolder.CheckpointFile, runfolder.MetricsFile, runfolder.ConfigFile} {
				if !bytes.Equal(fixture.Content(t, dir, name), fixture.Content(t, undisturbed, name)) {
					t.Errorf("%s differs", name)
				}
			}
			if left := checkpoints(dir); !slices.Equal(left, []int{0}) {
				t.Errorf("a complete run has the checkpoints %v", left)
			}
		})
	}
	for n := range 4 {
		if err := damage[n](filepath.Join(stopped, runfolder.CheckpointNames[n])); err != nil {
			t.Fatal(err)
		}
	}
	before := filesOf(t, stopped)
	_, err := search.Run(t.Context(), stopped, c, nas.Settings{})
	want := "is damaged: its checksum does not fit, and so is every one before it; restore one of them, or delete all: the run then starts over"
	if err == nil || err.Error() != "nas: checkpoint "+filepath.Join(stopped, runfolder.CheckpointFile)+" "+want {
		t.Errorf("got %v, want %s", err, want)
	}
	if after := filesOf(t, stopped); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("a file was touched")
	}
	if _, err := search.Run(t.Context(), undisturbed+"-2", c, nas.Settings{Keep: 101}); err == nil || !strings.Contains(err.Error(), "keep: 101 checkpoints, wanted 1 to 100") {
		t.Errorf("got %v", err)
	}
}
