package runtable_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"godarts/nas/runfolder"
	"godarts/nas/runtable"
)

// put writes a file.
func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hostile is a name that would clear a terminal's line and turn the direction.
const hostile = "=1\x1b[2K\u202e\x9b\u009b31m<b>"

// tree makes runs in every state below a folder.
func tree(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	const search = "experiment: search\nstrategy: {name: darts}\ndata: {name: digits}\nepochs: 4\n"
	run := func(name, config, metrics string) string {
		dir := filepath.Join(root, name)
		put(t, filepath.Join(dir, runfolder.ConfigFile), config)
		put(t, filepath.Join(dir, runfolder.MetricsFile), metrics)
		put(t, filepath.Join(dir, runfolder.RunFile), "{}")
		return dir
	}
	half := `{"epoch":0,"valid_accuracy":0.75}` + "\n" + `{"epoch":1,"valid_accuracy":0.875}` + "\n"
	running := run("running", search, half)
	put(t, filepath.Join(running, runfolder.TimingsFile), `{"epoch":0,"time":1,"seconds":60}`+"\n"+`{"epoch":1,"time":2,"seconds":120}`+"\n")
	lock, err := runfolder.Lock(running)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Close() })
	run("running/random-1", "experiment: train\ngenotype: DARTS_V2\ndata: {name: digits}\nepochs: 10\n", "")
	run("protocol/search-1", search, half)
	diverged := run("diverged", search, "")
	if err := runfolder.RecordDivergence(diverged, &runfolder.DivergedError{Epoch: 1, Step: 7, What: "the loss is NaN"}); err == nil {
		t.Fatal("no error")
	}
	run("broken", "experiment: [\n", "")
	run(hostile, search, half)
	run("a-name-that-is-longer-than-any-terminal-has-columns-for-names-20261129-143000", search, "")
	return root
}

func TestList(t *testing.T) {
	// A list has a row for each run with its state, progress, best figure and time left, parts indented, in 80 columns.
	root := tree(t)
	list, err := runtable.List(root)
	if err != nil {
		t.Fatal(err)
	}
	want := `
run                                    state        epochs  best           left
=1\x1b[2K\u202e\x9b\u009b31m<b>        interrupted  2/4     valid 12.50 %
a-name-that...r-names-20261129-143000  interrupted  0/4
broken                                 unreadable
diverged                               diverged     0/4
protocol/
  search-1                             interrupted  2/4     valid 12.50 %
running                                running      2/4     valid 12.50 %  2m00s
  random-1                             interrupted  0/10
`
	text := runtable.Text(list, 80, false)
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	colored := runtable.Text(list, 80, true)
	for _, state := range []string{"\x1b[32mrunning\x1b[0m", "\x1b[31mdiverged\x1b[0m", "\x1b[33minterrupted\x1b[0m", "\x1b[31munreadable\x1b[0m"} {
		if !strings.Contains(colored, state) {
			t.Errorf("%q is missing in %q", state, colored)
		}
	}
	for line := range strings.Lines(text) {
		if n := uniseg.StringWidth(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	alone, err := runtable.List(filepath.Join(root, "running"))
	if err != nil {
		t.Fatal(err)
	}
	if got := runtable.Text(alone, 80, false); !strings.Contains(got, "\nrunning     running ") || !strings.Contains(got, "\n  random-1  interrupted") {
		t.Errorf("got\n%s", got)
	}
}

func TestListJSON(t *testing.T) {
	// JSON has an object for each run, and gives back every name, though none acts on a terminal.
	root := tree(t)
	list, err := runtable.List(root)
	if err != nil {
		t.Fatal(err)
	}
	text, err := runtable.JSON(list, root)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' || r == '\u202e' {
			t.Fatalf("%U in %q", r, text)
		}
	}
	var got []string
	for line := range strings.Lines(text) {
		var e struct {
			Run, Dir, Experiment, State, Error string
			Done                               float64 `json:"done_epochs"`
			Left                               float64 `json:"left_seconds"`
			Best                               *struct{ Name string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Dir != filepath.Join(root, e.Run) && !strings.Contains(e.Run, "\ufffd") {
			t.Errorf("dir %q of %q", e.Dir, e.Run)
		}
		got = append(got, fmt.Sprintf("%s %s %s %g %g %v %v", e.Run, e.Experiment, e.State, e.Done, e.Left, e.Best != nil, e.Error != ""))
	}
	want := []string{
		"=1\x1b[2K\u202e\ufffd\u009b31m<b> search interrupted 2 0 true false",
		"a-name-that-is-longer-than-any-terminal-has-columns-for-names-20261129-143000 search interrupted 0 0 false false",
		"broken  unreadable 0 0 false true", "diverged search diverged 0 0 false false",
		"protocol/search-1 search interrupted 2 0 true false", "running search running 2 120 true false",
		"running/random-1 train interrupted 0 0 false false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
