package plan_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/fixture"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

// tinyConfigs writes the configs of a search and of a training, and a file that names them, whose path it returns.
func tinyConfigs(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"x.yaml": text,
		"s.yaml": "experiment: search\ndata: {name: digits, subset: 24, batch: 12}\nnetwork: {channels: 2, layers: 3, nodes: 1}\nepochs: 0\n",
		"t.yaml": "experiment: train\ndata: {name: digits, subset: 24, batch: 12}\nnetwork: {channels: 2, layers: 3}\nepochs: 1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "x.yaml")
}

func TestRandomCells(t *testing.T) {
	// A protocol and a comparison train as many random cells as evaluate.random says, others than they find, and report them.
	const evaluate = "evaluate: {train: t.yaml, random: 2}\n"
	whole, err := config.LoadWhole(tinyConfigs(t, "experiment: repeat\nrepeat: {search: s.yaml, searches: 1, brief: {epochs: 0}, trains: 1}\n"+evaluate))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "protocol")
	r, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{})
	if err != nil || len(r.Random) != 2 || r.Random[0].TestError == 0 || r.TestError.N != 1 || strings.Count(r.Text(), "random-") != 2 {
		t.Errorf("protocol: %v, %+v", err, r)
	}
	cells := map[string]bool{}
	for _, name := range []string{"train-0", "random-1", "random-2"} {
		cells[string(fixture.Content(t, dir, filepath.Join(name, runfolder.GenotypeFile)))] = true
	}
	if len(cells) != 3 {
		t.Errorf("%d different cells of three", len(cells))
	}
	c, err := config.LoadNetworkComparison(tinyConfigs(t, "experiment: compare\ncompare: {search: s.yaml, strategies: [[strategy.name=darts]], seeds: 2}\n"+evaluate))
	if err != nil {
		t.Fatal(err)
	}
	compared, err := plan.Compare(t.Context(), filepath.Join(t.TempDir(), "comparison"), c, plan.ComparisonSettings{Search: func(ctx context.Context, dir string, c *config.Config) (plan.Cost, error) {
		_, err := search.Run(ctx, dir, c, nas.Settings{})
		return plan.Cost{Seconds: 1}, err
	}})
	if err != nil || len(compared.Entries) != 3 || compared.Entries[2].Name != "random-cell-2" || len(compared.Entries[2].TestErrors) != 2 || compared.Entries[2].Genotype == "" {
		t.Errorf("comparison: %v, %+v", err, compared)
	}
}

func TestOlderProtocol(t *testing.T) {
	// A protocol whose folder has the configs of an earlier version goes on in it, and begins no complete part again.
	whole, err := config.LoadWhole(tinyConfigs(t, "experiment: repeat\nrepeat: {search: s.yaml, searches: 1, brief: {epochs: 1}, trains: 1}\nevaluate: {train: t.yaml}\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "protocol")
	if _, err := plan.Repeat(t.Context(), dir, whole, plan.Settings{}); err != nil {
		t.Fatal(err)
	}
	report := fixture.Content(t, dir, runfolder.ResultFile)
	fixture.Replace(t, plan.WholeConfig(dir), fixture.Text(string(fixture.Content(t, "testdata/older", "repeat.yaml"))))
	older, err := plan.ReadProtocol(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := plan.Settings{}
	s.Hooks = []nas.Hooks{{OnStart: func(*nas.Run) error { return errors.New("a part has begun") }}}
	for _, w := range []*config.Whole{whole, older} {
		if _, err := plan.Repeat(t.Context(), dir, w, s); err != nil {
			t.Error(err)
		}
	}
	if !bytes.Equal(report, fixture.Content(t, dir, runfolder.ResultFile)) {
		t.Error("the report has changed")
	}
}
