package plan

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

func TestCostOfKilled(t *testing.T) {
	// The cost of a search is on the disk while it runs, and is added to its earlier cost, since a comparison may be killed at any moment.
	dir := t.TempDir()
	file := filepath.Join(dir, costFile)
	if err := runfolder.WriteJSON(file, Cost{Seconds: 100, PeakBytes: 7}); err != nil {
		t.Fatal(err)
	}
	var seen Cost
	p := &comparison{plan: newPlan("comparison", filepath.Dir(dir), nil, Settings{}), search: func(context.Context, string, *config.Config) (Cost, error) {
		for start := time.Now(); seen.Seconds <= 100 && time.Since(start) < time.Minute; time.Sleep(10 * time.Millisecond) {
			if err := runfolder.ReadJSON(file, &seen); err != nil {
				return Cost{}, err
			}
		}
		return Cost{Seconds: 2, PeakBytes: 5}, context.Canceled
	}}
	err := p.runMeasured(t.Context(), filepath.Base(dir)+"/search", fixture.LoadTiny(t, "tiny.yaml"), nas.Settings{Guard: func() error { return nil }})
	if !errors.Is(err, context.Canceled) || seen.Seconds < 100.5 || seen.Seconds > 160 || seen.PeakBytes != 7 {
		t.Errorf("during the search %+v, %v", seen, err)
	}
	var after Cost
	if err := runfolder.ReadJSON(file, &after); err != nil || (after != Cost{Seconds: 102, PeakBytes: 7}) {
		t.Errorf("after the search %+v, %v", after, err)
	}
}

func TestComparisonFolderRemoved(t *testing.T) {
	// A comparison removes what kills left in its folder. When its folder is removed while it searches, it ends and makes no new one.
	dir := filepath.Join(t.TempDir(), "comparison")
	searching, training := fixture.LoadTiny(t, "tiny.yaml"), fixture.LoadTiny(t, "tiny-train.yaml")
	comparison := &config.NetworkComparison{Compare: config.Defaults(config.Comparison), Train: training, Searches: []*config.Config{searching, searching}, Names: []string{"a", "b"}}
	comparison.Compare.Compare.Seeds = 2
	left := []string{"a/.effort.json5", "a/.search.yaml6"}
	if err := os.MkdirAll(filepath.Join(dir, claimsFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range left { // by a kill
		if err := os.MkdirAll(filepath.Join(dir, "a"), 0o755); err != nil {
			t.Fatal(err)
		}
		fixture.Replace(t, filepath.Join(dir, name), fixture.Text("half"))
	}
	_, err := Compare(t.Context(), dir, comparison, ComparisonSettings{Search: func(ctx context.Context, folder string, c *config.Config) (Cost, error) {
		if _, err := search.Run(ctx, folder, c, nas.Settings{}); err != nil {
			return Cost{}, err
		}
		return Cost{Seconds: 1, PeakBytes: 1}, os.RemoveAll(filepath.Join(dir, runfolder.ProtocolConfigFolder))
	}})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, runfolder.ProtocolConfigFolder)) {
		t.Errorf("got %v", err)
	}
	for _, name := range left {
		if runfolder.Has(dir, name) {
			t.Errorf("%s is still there", name)
		}
	}
	if runfolder.Has(filepath.Join(dir, "a"), "train-2") || runfolder.Has(dir, "b") {
		t.Error("the comparison went on")
	}
}

func TestOlderComparison(t *testing.T) {
	// A comparison reads the parts in a folder that an earlier version wrote, repeats none, and refuses another config.
	dir := filepath.Join(t.TempDir(), "comparison")
	if err := os.CopyFS(dir, os.DirFS("testdata/older/folder")); err != nil {
		t.Fatal(err)
	}
	s := ComparisonSettings{Search: func(context.Context, string, *config.Config) (Cost, error) {
		return Cost{}, errors.New("a search has begun")
	}}
	s.Hooks = []nas.Hooks{{OnStart: func(*nas.Run) error { return errors.New("a part has begun") }}}
	compare := func(set ...string) (string, error) {
		of, err := config.LoadNetworkComparison("testdata/older/compare.yaml", set...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Compare(t.Context(), dir, of, s)
		return r.CSV(), err
	}
	want := fixture.Content(t, "testdata/older/folder", comparisonCSV)
	for range 2 {
		if got, err := compare(); err != nil || got != string(want) {
			t.Fatalf("%v, got\n%s\nwant\n%s", err, got, want)
		}
	}
	if got := fixture.Content(t, dir, comparisonCSV); string(got) != string(want) {
		t.Errorf("its folder has\n%s", got)
	}
	if _, err := compare("search.w.lr=0.5"); err == nil || !strings.Contains(err.Error(), "has another config: search-darts-first.w.lr: 0.025 in its config, 0.5 given") {
		t.Errorf("another config: %v", err)
	}
}
