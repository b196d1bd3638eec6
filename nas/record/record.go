// Package record reads what runs have written of themselves, for reports: configs, metrics, timings,
// results and the state that each is in. It reads runs in progress too, and changes nothing.
package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// Run is the record of a run.
type Run struct {
	Dir     string
	Config  *config.Config
	Info    *runfolder.RunInfo // nil without the file
	Steps   []runfolder.Metric // lines within epochs, in the order of the file
	Epochs  []runfolder.Metric // one line for each epoch
	Timings []runfolder.Timing // of steps and epochs; empty in older runs

	Search   *runfolder.SearchResult  // of a complete search
	Train    *runfolder.TrainResult   // of a complete training
	Diverged *runfolder.DivergedError // of a run that diverged
	State    State
	Notes    []string // what could not be read
}

// Read reads the run in dir. It returns an error if dir holds no run or its config cannot be read. What
// else cannot be read it leaves out, with a note.
func Read(dir string) (*Run, error) {
	c, err := runfolder.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	r := &Run{Dir: dir, Config: c}
	if info, err := runfolder.ReadRunInfo(dir); err == nil {
		r.Info = &info
	} else if !errors.Is(err, fs.ErrNotExist) {
		r.note(err)
	}
	for m := range lines[runfolder.Metric](r, runfolder.MetricsFile) {
		if m.Step == 0 {
			r.Epochs = append(r.Epochs, m)
		} else {
			r.Steps = append(r.Steps, m)
		}
	}
	for t := range lines[runfolder.Timing](r, runfolder.TimingsFile) {
		r.Timings = append(r.Timings, t)
	}
	r.readResult()
	r.State, r.Diverged = StateOf(dir)
	return r, nil
}

func (r *Run) note(err error) { r.Notes = append(r.Notes, err.Error()) }

// readResult reads the result of a complete run.
func (r *Run) readResult() {
	if !runfolder.Finished(r.Dir) {
		return
	}
	if r.Config.Experiment == config.Search {
		var s runfolder.SearchResult
		if err := runfolder.ReadResult(r.Dir, r.Config, &s); err != nil {
			r.note(err)
			return
		}
		r.Search = &s
		return
	}
	var t runfolder.TrainResult
	if err := runfolder.ReadResult(r.Dir, r.Config, &t); err != nil {
		r.note(err)
		return
	}
	r.Train = &t
}

// lines yields the readable lines of a file of JSON lines, which may be missing. It notes how many it
// left out. An incomplete last line is left out without a note while the run may still write it.
func lines[T any](r *Run, name string) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		file := filepath.Join(r.Dir, name)
		text, err := wholefile.Read(file)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				r.note(err)
			}
			return
		}
		bad := 0
		for line := range bytes.Lines(text) {
			var v T
			switch {
			case json.Unmarshal(line, &v) == nil:
				if !yield(v) {
					return
				}
			case bytes.HasSuffix(line, []byte("\n")):
				bad++
			default:
				r.Notes = append(r.Notes, fmt.Sprintf("%s: its last line is incomplete, and left out", file))
			}
		}
		if bad > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("%s: %s unreadable, and left out", file, names.Count(bad, "line")))
		}
	}
}
