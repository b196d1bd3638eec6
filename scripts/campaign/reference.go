package main

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"godarts/nas/runfolder"
)

// subject is the one whose turn it is.
func (t *trial) subject() subject { return t.subjects[t.n%len(t.subjects)] }

// next returns the line to go on with, by --resume once there is a run.
func (t *trial) next(s subject) []string {
	for _, file := range []string{"config.yaml", "config/protocol.yaml"} {
		if _, err := os.Stat(filepath.Join(t.dir, runFolder, file)); err == nil {
			return s.line(true)
		}
	}
	return s.line(false)
}

// finish goes on until the run is complete, and tells whether it is. A killed process may have
// left another that is about to end, or a claim that is not stale yet.
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

// reference is an undisturbed run and its files.
type reference struct {
	subject
	dir   string
	files map[string][]byte
	took  time.Duration

	answers map[string]string // by command, what it prints about the run
}

// reference returns the undisturbed run of a subject, which it makes once, nil if that fails.
func (t *trial) reference(s subject) *reference {
	if r := t.references[s.name]; r != nil {
		return r
	}
	if s.made {
		t.needTrained()
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

// volatile matches values that differ between equal runs: memory and seconds.
var volatile = regexp.MustCompile(`"(peak_bytes|seconds)": ?[\d.e+-]+`)

// unsettled are files that equal runs need not share: no command reads them, or they say when
// and where the run was made.
var unsettled = append([]string{"effort.json", "contest.csv", "contest.md"}, runfolder.Unequal...)

// snapshot reads the files of a run, without the values that differ between equal runs.
func snapshot(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "claims" || path != dir && d.Name()[0] == '.'):
			return filepath.SkipDir // temporary, and another process may still work on them
		case !d.Type().IsRegular(), slices.Contains(unsettled, d.Name()):
			return nil
		}
		content, err := os.ReadFile(path)
		files[name] = volatile.ReplaceAll(content, []byte(`"$1":0`))
		return err
	})
	return files, err
}

// equal fails the trial if the files are not those of the undisturbed run, except the named ones.
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

// copyRun copies a run folder into the trial.
func (t *trial) copyRun(from string) bool {
	to := filepath.Join(t.dir, runFolder)
	t.note("cp -r %s %s", from, runFolder)
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.failf("%v", err)
		return false
	}
	return true
}
