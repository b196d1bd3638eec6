package record_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// put writes files below dir.
func put(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const searchConfig = "experiment: search\nstrategy: {name: darts}\ndata: {name: digits}\nepochs: 4\n"

// resolved returns the text of a config as runs write it.
func resolved(t testing.TB, text string) string {
	t.Helper()
	c, err := config.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	yaml, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(yaml)
}

func TestFind(t *testing.T) {
	// Find returns the runs below a folder with their parts, and neither hidden folders, nor links, nor what is no run.
	root := t.TempDir()
	text := resolved(t, searchConfig)
	put(t, root, map[string]string{
		"one/config.yaml": text, "one/found/config.yaml": text, "one/random-1/config.yaml": text, "one/result.json": "{}",
		"set/search-1/config.yaml": text, "set/claims/x": "", "set/config/repeat.yaml": "experiment: repeat",
		"table/config.yaml": "experiment: compare\n", ".hidden/config.yaml": text, "no/such/thing": "",
		"<script>/config.yaml": text, "broken/config.yaml": ":", "broken/run.json": "{}",
	})
	if err := os.Symlink(root, filepath.Join(root, "one", "loop")); err != nil {
		t.Fatal(err)
	}
	found, err := record.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, run := range found.All() {
		names = append(names, run.Name)
	}
	want := []string{"<script>", "broken", "one", "one/found", "one/random-1", "set/search-1"}
	if !slices.Equal(names, want) || found.IsRun {
		t.Errorf("got %q, want %q", names, want)
	}
	if set := found.Parts[3]; set.Name != "set" || set.IsRun || len(set.Parts) != 1 {
		t.Errorf("got %+v, want set with one part", set)
	}
	if alone, err := record.Find(filepath.Join(root, "one")); err != nil || !alone.IsRun || alone.Parts[0].Name != "found" {
		t.Errorf("got %+v, %v", alone, err)
	}
	for _, bad := range []string{filepath.Join(root, "gone"), filepath.Join(root, "one", "config.yaml")} {
		if _, err := record.Find(bad); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestSummarize(t *testing.T) {
	// Summarize says how far a run is, its best figure, its times and the time left, from the ends of files that are longer than it reads.
	var metrics, timings strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&metrics, `{"epoch":0,"step":%d,"of":2000,"train_loss":%d}`+"\n", i+1, i)
		fmt.Fprintf(&timings, `{"epoch":0,"step":%d,"time":%d,"seconds":%d}`+"\n", i+1, 1700000000+i, i)
	}
	metrics.WriteString(`{"epoch":0,"valid_accuracy":0.75}` + "\n" + `{"epoch":1,"valid_accuracy":0.5}` + "\n" + `{"epoch":2,"step":1000,"of":2000}` + "\n" + `{"epoch":2,"st`)
	timings.WriteString(`{"epoch":0,"time":1700002000,"seconds":2000}` + "\n" + `{"epoch":1,"time":1700004000,"seconds":4000}` + "\n" + `{"epoch":2,"step":1000,"time":1700005000,"seconds":5000}` + "\n")
	dir := folder(t, metrics.String())
	put(t, dir, map[string]string{
		runfolder.ConfigFile: resolved(t, searchConfig), runfolder.TimingsFile: timings.String(),
		runfolder.RunFile: `{"version":"","libtorch":"","go":"","platform":"","device":"cpu","threads":1,"seed":1,"started":"2026-01-02T03:04:05Z"}`,
	})
	s, err := record.Summarize(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.State != record.Interrupted || s.Epochs != 4 || s.Done != 2.5 || s.Best.String() != "validation error 25.00 %" || s.Seconds != 5000 {
		t.Errorf("%+v, best %v", s, s.Best)
	}
	if left := s.Left.Seconds(); left < 2900 || left > 3100 || s.Last.Unix() != 1700005000 {
		t.Errorf("%v left, last at %v", s.Left, s.Last)
	}
	if want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC); s.Started == nil || !s.Started.Equal(want) {
		t.Errorf("started %v", s.Started)
	}
	put(t, dir, map[string]string{runfolder.ConfigFile: "experiment: compare\ncompare: {table: synthetic}\n"})
	if _, err := record.Summarize(dir); err == nil {
		t.Error("a comparison is summarized as a run")
	}
}

// thousandRuns makes a folder of runs, each with metrics and timings that are longer than what is read.
func thousandRuns(b *testing.B) (root string) {
	b.Helper()
	root = b.TempDir()
	line := strings.Repeat(`{"epoch":0,"step":50,"of":100,"train_loss":1.5,"train_accuracy":0.5}`+"\n", 200)
	text := resolved(b, searchConfig)
	for i := range 1000 {
		put(b, filepath.Join(root, fmt.Sprintf("run-%d", i)), map[string]string{
			runfolder.ConfigFile: text, runfolder.MetricsFile: line, runfolder.TimingsFile: strings.Repeat(`{"epoch":0,"step":50,"time":1,"seconds":2}`+"\n", 200),
			runfolder.RunFile: `{"version":"","libtorch":"","go":"","platform":"","device":"cpu","threads":1,"seed":1}`,
		})
	}
	return root
}

func BenchmarkFind(b *testing.B) {
	root := thousandRuns(b)
	for b.Loop() {
		if _, err := record.Find(root); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSummarize(b *testing.B) {
	root := thousandRuns(b)
	found, err := record.Find(root)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, run := range found.All() {
			if _, err := record.Summarize(run.Dir); err != nil {
				b.Fatal(err)
			}
		}
	}
}
