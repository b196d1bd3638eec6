package nas_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
	"godarts/nas/search"
	"godarts/nas/train"
)

// goOn goes on in dir with what set changes, until that many epochs are done (0 does not stop), and gives what the
// run said at its start.
func goOn(t *testing.T, dir string, epochs int, set ...string) (said string, err error) {
	t.Helper()
	c, err := nas.Changed(dir, set)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := nas.Settings{Changed: len(set) > 0, Hooks: []nas.Hooks{{
		OnStart: func(r *nas.Run) error { said = strings.Join(r.Notes(), "\n"); return nil },
		OnEpoch: func(_ *nas.Run, e *nas.Epoch) error {
			if e.Index+1 == epochs {
				cancel()
			}
			return nil
		},
	}}}
	if c.Experiment == "train" {
		_, err = train.Run(ctx, dir, c, s)
	} else {
		_, err = search.Run(ctx, dir, c, s)
	}
	return said, err
}

func TestMoreEpochs(t *testing.T) {
	// A run that gets more epochs says so, keeps them for the next resume, and ends with the bytes of one that had as many from the start when nothing follows a schedule over all of them.
	if testing.Short() {
		t.Skip("-short: pairs of whole runs")
	}
	for _, test := range []struct {
		file  string
		set   []string
		same  bool
		notes string // quantities that follow the schedule
	}{
		{"tiny-text-train.yaml", nil, true, ""},
		{"tiny-train.yaml", []string{"w.schedule=step", "network.drop_path=0"}, true, ""},
		{"tiny-train.yaml", nil, false, "; the learning rate and drop path follow the schedule of as many from here on"},
		{"tiny.yaml", []string{"evaluate=null", "network.nodes=1", "strategy.name=gdas"}, false, "; the learning rate and the temperature follow the schedule of as many from here on"},
		{"tiny.yaml", []string{"evaluate=null", "network.nodes=1", "w.schedule=step"}, true, ""},
	} {
		t.Run(strings.Join(append([]string{test.file}, test.set...), " "), func(t *testing.T) {
			dir, want := nastest.StopAfter(t, fixture.LoadTiny(t, test.file, append(test.set, "epochs=3")...)), filepath.Join(t.TempDir(), "run")
			if _, err := goOn(t, dir, 2); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			said, err := goOn(t, dir, 3, "epochs=4")
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if note := "changed: epochs: 3 until now, 4 from now on" + test.notes; !strings.Contains(said, note) {
				t.Errorf("said %q, want %q", said, note)
			}
			if said, err := goOn(t, dir, 0); err != nil || strings.Contains(said, "changed") {
				t.Fatalf("the next resume: %q, %v", said, err)
			}
			if lines := strings.Count(string(fixture.Content(t, dir, runfolder.MetricsFile)), "\n"); lines < 4 {
				t.Errorf("%d lines of metrics, want 4 epochs", lines)
			}
			if err := nastest.Perform(t.Context(), want, fixture.LoadTiny(t, test.file, append(test.set, "epochs=4")...), nas.Hooks{}); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{runfolder.ConfigFile, runfolder.CheckpointFile, runfolder.ResultFile} {
				same := string(fixture.Content(t, dir, name)) == string(fixture.Content(t, want, name))
				if same != test.same && (test.same || name == runfolder.CheckpointFile) {
					t.Errorf("%s is the same as with 4 epochs from the start: %v, want %v", name, same, test.same)
				}
			}
		})
	}
}

func TestChangedRefuses(t *testing.T) {
	// Changed names the key and what can change, and the run's folder stays as it is, when a run cannot go on with what is set.
	if testing.Short() {
		t.Skip("-short: pairs of whole runs")
	}
	begin := func(file string, set ...string) func(*testing.T) string {
		return func(t *testing.T) string {
			return nastest.StopAfter(t, fixture.LoadTiny(t, file, append([]string{"evaluate=null", "epochs=3"}, set...)...))
		}
	}
	const more = "epochs=6"
	for _, test := range []struct {
		name string
		dir  func(*testing.T) string
		set  string
		want string
	}{
		{"another key", begin("tiny.yaml"), "w.lr=0.5",
			"nas: --set w.lr=0.5: a run goes on with the w.lr that it began with; what can change is epochs, data.root, data.on_bad_file, data.check"},
		{"a section", begin("tiny.yaml"), "data={root: /x}", "nas: --set data={root: /x}: a run goes on with the data that it began with; "},
		{"fewer epochs", begin("tiny.yaml"), "epochs=2", "nas: epochs: 3 cannot become 2: a run can get more epochs, not fewer"},
		{"fewer than are done", begin("tiny.yaml"), "epochs=0", "not fewer"},
		{"no number", begin("tiny.yaml"), "epochs=many", "config: --set epochs=many: epochs: "},
		{"no such value", begin("tiny.yaml"), "data.on_bad_file=ignore", "data.on_bad_file"},
		{"trials", begin("tiny.yaml", "strategy.name=random", "strategy.trials=3", "epochs=1"), more, "nas: epochs: 1 cannot become 6: they are those of each cell's training"},
		{"stages", begin("tiny-p-darts.yaml"), more, "nas: epochs: 3 cannot become 6: the stages of p-darts share them"},
		{"early stop", begin("tiny.yaml", "strategy.early_stop.every=1"), more, "strategy.early_stop has begun to measure"},
		{"the phase after them", begin("tiny.yaml", "strategy.selection=perturbation", "epochs=1"), more, "the selection by perturbation, which comes after them, has begun"},
		{"complete", func(t *testing.T) string {
			dir := filepath.Join(t.TempDir(), "run")
			if err := nastest.Perform(t.Context(), dir, fixture.LoadTiny(t, "tiny-train.yaml", "epochs=1"), nas.Hooks{}); err != nil {
				t.Fatal(err)
			}
			return dir
		}, more, "is complete after 1 epoch: start a new run for 6"},
		{"evaluations", func(t *testing.T) string {
			dir := filepath.Join(t.TempDir(), "run")
			c := fixture.LoadTiny(t, "tiny.yaml", "epochs=1", "evaluate={random: 0, epochs: 1, batch: 32, network: {channels: 2, layers: 3, stem_multiplier: 1}}")
			watch := nas.Hooks{OnStart: func(r *nas.Run) error {
				if filepath.Base(r.Dir) == runfolder.FoundFolder {
					return errStart
				}
				return nil
			}}
			if err := nastest.Perform(t.Context(), dir, c, watch); !errors.Is(err, errStart) {
				t.Fatal(err)
			}
			return dir
		}, more, "the cell of the search in "},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := test.dir(t)
			before := filesOf(t, dir)
			_, err := goOn(t, dir, 0, test.set)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, test.want)
			}
			for name, text := range filesOf(t, dir) {
				if text != before[name] {
					t.Errorf("%s has changed", name)
				}
			}
		})
	}
}

func TestMovedData(t *testing.T) {
	// A run, a complete one too, keeps a new data.root that it is given; its folder does not change when the data is not there.
	first, second := textFiles(t), textFiles(t)
	dir := nastest.StopAfter(t, fixture.LoadTiny(t, "tiny-text-train.yaml", "data.name=text", "data.root="+first, "epochs=2"))
	if err := os.RemoveAll(first); err != nil {
		t.Fatal(err)
	}
	before := string(fixture.Content(t, dir, runfolder.ConfigFile))
	if _, err := goOn(t, dir, 0, "data.root="+first+"x"); err == nil || string(fixture.Content(t, dir, runfolder.ConfigFile)) != before {
		t.Errorf("data that is nowhere: %v; the config was\n%sand is\n%s", err, before, fixture.Content(t, dir, runfolder.ConfigFile))
	}
	said, err := goOn(t, dir, 0, "data.root="+second)
	if want := fmt.Sprintf("changed: data.root: %q until now, %q from now on", first, second); err != nil || !strings.Contains(said, want) {
		t.Fatalf("said %q, %v, want %q", said, err, want)
	}
	third := textFiles(t)
	c, err := nas.Changed(dir, []string{"data.root=" + third})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := nas.AdoptFinished(dir, c)
	if err != nil || changes != fmt.Sprintf("data.root: %q until now, %q from now on", second, third) {
		t.Errorf("complete: %q, %v", changes, err)
	}
	if own, err := runfolder.ReadConfig(dir); err != nil || own.Data.Root != third {
		t.Errorf("its config has %s, %v", own.Data.Root, err)
	}
}

// textFiles makes a folder of a small text.
func textFiles(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for i, name := range []string{"train.txt", "valid.txt", "test.txt"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(strings.Repeat("a small text of few words\n", 60-20*i)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
