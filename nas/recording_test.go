package nas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
)

// linesOf reads a file of JSON lines.
func linesOf[T any](t *testing.T, dir, name string) (all []T) {
	t.Helper()
	for line := range bytes.Lines(fixture.Content(t, dir, name)) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %q: %v", name, line, err)
		}
		all = append(all, v)
	}
	return all
}

// stopped runs c in a folder until after this many steps of one epoch in all.
func stopped(t *testing.T, dir string, c *config.Config, steps int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := nas.Hooks{OnStep: func(r *nas.Run, _ *nas.Step) error {
		if r.At.Step == steps {
			cancel()
		}
		return nil
	}}
	if err := nastest.Perform(ctx, dir, c, stop); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestTimings(t *testing.T) {
	// Each line of metrics has a timing, whose seconds go on where another process stopped, when a run is interrupted.
	c := fixture.Tiny(t)
	dir := filepath.Join(t.TempDir(), "run")
	stopped(t, dir, c, 2)
	file := filepath.Join(dir, runfolder.TimingsFile)
	before := linesOf[runfolder.Timing](t, dir, runfolder.TimingsFile)
	// As if the process before had worked for an hour, gone on after its last checkpoint, and died within a line.
	ahead := `{"epoch":0,"step":3,"time":1,"seconds":3600}` + "\n" + `{"epoch":1,"st`
	fixture.Replace(t, file, fixture.Text(string(fixture.Content(t, dir, runfolder.TimingsFile))+ahead))
	if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{}); err != nil {
		t.Fatal(err)
	}
	timings, metrics := linesOf[runfolder.Timing](t, dir, runfolder.TimingsFile), linesOf[runfolder.Metric](t, dir, runfolder.MetricsFile)
	if len(timings) != len(metrics) || len(metrics) != 8 {
		t.Fatalf("%d timings of %d lines of metrics, want 8", len(timings), len(metrics))
	}
	last := 0.0
	for i, timing := range timings {
		if m := metrics[i]; timing.Epoch != m.Epoch || timing.Step != m.Step || timing.Seconds < last || timing.PeakRSSBytes < 10e6 || timing.Time < 1.7e9 {
			t.Errorf("line %d: %+v beside epoch %d, step %d", i, timing, m.Epoch, m.Step)
		}
		if (timing.ItemsPerSecond > 0) != (timing.Step > 0) {
			t.Errorf("line %d: %v images/s", i, timing.ItemsPerSecond)
		}
		last = timing.Seconds
	}
	if timings[1] != before[1] || timings[2].Seconds < 3600 || last > 3600+600 {
		t.Errorf("the timings are %+v", timings)
	}
	if log := string(fixture.Content(t, dir, runfolder.LogFile)); !strings.Contains(log, "timings.jsonl: its last line is incomplete, and left out") {
		t.Errorf("no note of the line that was cut off:\n%s", log)
	}
}

func TestLog(t *testing.T) {
	// The log has a line for each start and end, epochs, notes and errors, without escape sequences, and no incomplete line.
	c := fixture.Tiny(t)
	dir := filepath.Join(t.TempDir(), "run\x1b[31m")
	stopped(t, dir, c, 2)
	file := filepath.Join(dir, runfolder.LogFile)
	fixture.Replace(t, file, fixture.Text(string(fixture.Content(t, dir, runfolder.LogFile))+"a line that was cut o"))
	failed := errors.New("the disk\x1b is full")
	full := nas.Hooks{OnEpoch: func(*nas.Run, *nas.Epoch) error { return failed }}
	if err := nastest.Perform(t.Context(), dir, c, full); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{}); err != nil {
		t.Fatal(err)
	}
	const when = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ `
	want := `^` + when + `\S+nas\.test .*, version .*
search run.*: 2 epochs of 3 steps, 32 images
` + when + `interrupted
` + when + `.*, version .*
search run.*, going on in epoch 1 after step 2
note: .*log\.txt: its last line is incomplete, and left out
epoch 1/2: train loss .* s
` + when + `the disk\\x1b is full
` + when + `.*, version .*
search run.*, going on in epoch 2 after step 0
epoch 2/2: train loss .* s
` + when + `done
$`
	if log := string(fixture.Content(t, dir, runfolder.LogFile)); !regexp.MustCompile(want).MatchString(log) || strings.ContainsAny(log, "\x1b\r") {
		t.Errorf("the log is\n%s, want\n%s", log, want)
	}
}

func TestOlderMetrics(t *testing.T) {
	// A run goes on when an earlier version has written its metrics, with the peak memory in them and no timings.
	c := fixture.Tiny(t)
	dir := nastest.StopAfter(t, c)
	for _, name := range []string{runfolder.TimingsFile, runfolder.LogFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	older := `{"epoch":0,"lr":0.025,"train_loss":2,"peak_rss_bytes":1000}` + "\n"
	fixture.Replace(t, filepath.Join(dir, runfolder.MetricsFile), fixture.Text(older))
	if err := nastest.Perform(t.Context(), dir, c, nas.Hooks{}); err != nil {
		t.Fatal(err)
	}
	if text := string(fixture.Content(t, dir, runfolder.MetricsFile)); !strings.HasPrefix(text, older) || strings.Count(text, "peak_rss_bytes") != 1 {
		t.Errorf("the metrics are\n%s", text)
	}
	if timings := linesOf[runfolder.Timing](t, dir, runfolder.TimingsFile); len(timings) != 4 || timings[0].Epoch != 1 {
		t.Errorf("timings %+v", timings)
	}
}

func TestEpochShowsAlpha(t *testing.T) {
	// A hook sees the α of each epoch, with the size of the cell's network and the norms of gradients.
	seen := 0
	watch := nas.Hooks{OnEpoch: func(r *nas.Run, e *nas.Epoch) error {
		seen++
		if o := e.Observation; o == nil || len(o.Cells) != 2 || o.Parameters == 0 || e.Train.GradW.Mean() == nil || e.Train.GradAlpha.Steps != 3 {
			t.Errorf("epoch %d: %+v, norms %+v and %+v", e.Index, o, e.Train.GradW, e.Train.GradAlpha)
		}
		return nil
	}}
	if err := nastest.Perform(t.Context(), filepath.Join(t.TempDir(), "run"), fixture.Tiny(t), watch); err != nil || seen != 2 {
		t.Errorf("%d epochs, %v", seen, err)
	}
}
