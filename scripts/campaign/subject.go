package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// subject is a run of a second or less that is attacked.
type subject struct {
	name    string
	command string // search, train, repeat or compare
	config  string // file
	again   bool   // goes on by the same line, without --resume
	stale   string // of the claims of a protocol that begins
}

// subjectConfig is a file; one with a command before its name is a subject.
type subjectConfig struct{ command, name, text string }

// subjectConfigs are runs of many kinds.
var subjectConfigs = []subjectConfig{
	{"search", "second-order", `experiment: search
strategy: {name: darts, order: 2}
data: {name: digits, subset: 64, batch: 12}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 3
`},
	{"train", "training", `experiment: train
data: {name: digits, subset: 36, batch: 12, cutout: 4}
network: {channels: 2, layers: 3, stem_multiplier: 1, auxiliary: false, drop_path: 0.3}
genotype: DARTS_V2
epochs: 4
`},
	{"search", "random", `experiment: search
strategy: {name: random, trials: 3}
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 1
`},
	{"train", "text", `experiment: train
data: {name: synthetic-text, tokens: 108, batch: 4, eval_batch: 2, bptt: 7, bptt_delta: 4}
network: {hidden: 5}
w: {lr: 5}
nonmono: 1
genotype: DARTS_V1
epochs: 6
`},
	{"repeat", "protocol", `experiment: repeat
repeat: {search: s.yaml, searches: 2, brief: {epochs: 1}, train: t.yaml, trains: 1}
`},
	{"search", "p-darts", `experiment: search
strategy: {name: p-darts, layers: 3, warmup: 0, skip_dropout: [0, 0.4, 0.7]}
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, nodes: 2, stem_multiplier: 1}
epochs: 3
`},
	{"compare", "comparison", `experiment: compare
compare: {search: s.yaml, strategies: [[strategy.name=darts], [strategy.name=random, strategy.trials=2]], train: t.yaml, seeds: 2}
`},
	{"search", "evaluated", `experiment: search
strategy: {name: gdas}
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 2
evaluate: {random: 1, batch: 16, network: {channels: 2, layers: 3}, epochs: 1}
`},
	{"", "s", `experiment: search
data: {name: digits, subset: 64, batch: 12}
network: {channels: 2, layers: 3, nodes: 2, stem_multiplier: 1}
epochs: 2
`},
	{"", "t", `experiment: train
data: {name: digits, subset: 64, batch: 16}
network: {channels: 2, layers: 3, stem_multiplier: 1, auxiliary: false}
epochs: 1
`},
}

func writeSubjects(dir string, configs []subjectConfig) (subjects []subject, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, c := range configs {
		s := subject{name: c.name, command: c.command, config: filepath.Join(dir, c.name+".yaml"), again: c.command == "compare", stale: "1s"}
		if err := os.WriteFile(s.config, []byte(c.text), 0o644); err != nil {
			return nil, err
		}
		if s.command != "" {
			subjects = append(subjects, s)
		}
	}
	return subjects, nil
}

// run is the folder of the run in a trial's.
const runFolder = "run"

// line is the command line that begins the run, or goes on with it.
func (s subject) line(resume bool) []string {
	line, stale := []string{s.command, s.config, "--out", runFolder}, s.stale
	if resume && !s.again {
		line, stale = []string{s.command, "--resume", runFolder}, "1s"
	}
	switch s.command {
	case "compare":
		return line
	case "repeat":
		line = append(line, "--stale", stale)
	}
	return append(line, "--checkpoint-every", "1", "--keep", "3", "--threads", "1")
}

// next is the line to go on with: --resume once there is a run.
func (t *trial) next(s subject) []string {
	for _, file := range []string{"config.yaml", "config/protocol.yaml"} {
		if _, err := os.Stat(filepath.Join(t.dir, runFolder, file)); err == nil {
			return s.line(true)
		}
	}
	return s.line(false)
}

// finish goes on until the run is complete, and tells whether it is. What was killed may
// have left a process that is still about to end, or a claim that is not yet old.
func (t *trial) finish(s subject) bool {
	const held = "another process works on this run"
	for range 20 {
		p, status := t.run(nil, t.next(s)...)
		switch {
		case len(t.wrong) > 0:
			return false
		case status == 0:
			return true
		case !strings.Contains(p.stderr.String(), held):
			t.failf("%s does not go on: status %d, %s", p.line, status, shortened(p.stderr.String()))
			return false
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.failf("the run is held for ever: %q", held)
	return false
}

// reference is what an undisturbed run leaves.
type reference struct {
	subject
	dir   string
	files map[string][]byte
	took  time.Duration

	answers map[string]string // what commands print of it
}

// reference makes the undisturbed run of a subject, once; nil if it fails.
func (t *trial) reference(s subject) *reference {
	if r := t.references[s.name]; r != nil {
		return r
	}
	of := t.newTrial("undisturbed-"+s.name, 0)
	began := time.Now()
	if p, status := of.run(nil, s.line(false)...); status != 0 {
		t.failf("the undisturbed run fails: %s: %s", p.line, p.stderr.String())
		return nil
	}
	r := &reference{subject: s, dir: filepath.Join(of.dir, runFolder), took: time.Since(began), answers: map[string]string{}}
	var err error
	if r.files, err = snapshot(r.dir); err != nil {
		t.failf("%v", err)
	}
	t.references[s.name] = r
	return r
}

// volatile is what differs between two equal runs: memory, seconds.
var volatile = regexp.MustCompile(`"(peak_rss_bytes|peak_bytes|seconds)": ?[\d.e+-]+`)

// unsettled are the files that nothing reads again but the eye, or that say when and where.
var unsettled = []string{"lock", "run.json", "effort.json", "contest.csv", "contest.md"}

// snapshot reads the files of a run, without what differs between two equal runs.
func snapshot(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "claims" || path != dir && d.Name()[0] == '.'):
			return filepath.SkipDir // what another process may be about to put in place, for all that anyone can tell
		case !d.Type().IsRegular(), slices.Contains(unsettled, d.Name()):
			return nil
		}
		content, err := os.ReadFile(path)
		files[name] = volatile.ReplaceAll(content, []byte(`"$1":0`))
		return err
	})
	return files, err
}

// equal demands the files of the undisturbed run, but for those that except names.
func (t *trial) equal(r *reference, except ...string) {
	files, err := snapshot(filepath.Join(t.dir, runFolder))
	if err != nil {
		t.failf("%v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		got, ok := files[name]
		switch {
		case slices.Contains(except, name):
		case !ok:
			t.failf("%s is missing", name)
		case !bytes.Equal(got, r.files[name]):
			t.failf("%s differs from the undisturbed run's %s", name, filepath.Join(r.dir, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, ok := r.files[name]; !ok && !slices.Contains(except, name) {
			t.failf("%s is there, which the undisturbed run did not leave", name)
		}
	}
}

// subject is the one whose turn it is.
func (t *trial) subject() subject { return t.subjects[t.n%len(t.subjects)] }

// copyRun copies a run folder into the trial's.
func (t *trial) copyRun(from string) bool {
	to := filepath.Join(t.dir, runFolder)
	t.note("cp -r %s %s", from, runFolder)
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.failf("%v", err)
		return false
	}
	return true
}

func (s subject) String() string { return fmt.Sprintf("%s (%s)", s.name, s.command) }
