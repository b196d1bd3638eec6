package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	_ "godarts/nas/search"
)

// folder returns a run folder with a config of a search and these lines of metrics.
func folder(t *testing.T, metrics string) string {
	t.Helper()
	dir := t.TempDir()
	c, err := config.Parse("test.yaml", []byte("experiment: search\nstrategy: {name: darts}\ndata: {name: digits}\n"))
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{runfolder.ConfigFile: resolved, runfolder.MetricsFile: []byte(metrics)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadDamagedMetrics(t *testing.T) {
	// Read keeps the readable lines and notes the others when a file is damaged and its last line torn.
	r, err := record.Read(folder(t, `{"epoch":0,"step":50,"train_loss":2}
garbage
{"epoch":0,"train_loss":1.5,"cells":[{"kind":"normal","operations":["none"],"edges":[{"node":2,"from":0,"p":[1],"entropy":0}]}]}
{"epoch":1,"st`))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Steps) != 1 || len(r.Epochs) != 1 || r.Epochs[0].Cells[0].Edges[0].P[0] != 1 {
		t.Errorf("steps %+v, epochs %+v", r.Steps, r.Epochs)
	}
	notes := strings.Join(r.Notes, "\n")
	if len(r.Notes) != 2 || !strings.Contains(notes, "last line is incomplete") || !strings.Contains(notes, "1 line unreadable") {
		t.Errorf("notes: %s", notes)
	}
}

func TestStateOf(t *testing.T) {
	// A run is interrupted, running while its folder is locked, diverged or done, as its files say.
	dir := folder(t, "")
	want := func(want record.State) {
		t.Helper()
		if got, _ := record.StateOf(dir); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	want(record.Interrupted)
	lock, err := runfolder.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	want(record.Running)
	lock.Close()
	want(record.Interrupted)
	if err := runfolder.RecordDivergence(dir, &runfolder.DivergedError{Epoch: 2, Step: 1, What: "the loss is NaN"}); err == nil {
		t.Fatal("no error")
	}
	want(record.Diverged)
	if err := os.WriteFile(filepath.Join(dir, runfolder.ResultFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(record.Done)
}
