package nas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// TrimMetrics removes from metrics and timings the lines of steps that the run will repeat after it
// returned to a checkpoint, and an incomplete last line that a kill left. It notes other faults of the
// files.
func (r *Run) TrimMetrics() error {
	missing, err := r.trimFile(runfolder.MetricsFile)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		r.Note("%s: the lines of %s are missing; the run goes on without them", filepath.Join(r.Dir, runfolder.MetricsFile), epochNumbers(missing))
	}
	_, err = r.trimFile(runfolder.TimingsFile) // older runs have none
	return err
}

// trimFile trims a file of lines, and returns the finished epochs that it has no line of.
func (r *Run) trimFile(name string) (missing []int, err error) {
	file := filepath.Join(r.Dir, name)
	text, err := wholefile.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nas: metrics: %w", err)
	}
	kept, bad, missing := trimmed(text, r.Config.FirstEpoch(), r.At)
	if bad > 0 {
		r.Note("%s: %s unreadable or not in order, and left out", file, names.Count(bad, "line"))
	}
	if torn(text) {
		r.noteTorn(file)
	}
	if bytes.Equal(kept, text) {
		return missing, nil
	}
	return missing, r.Write(name, kept)
}

// torn reports whether the last line of a text is incomplete.
func torn(text []byte) bool { return len(text) > 0 && text[len(text)-1] != '\n' }

// noteTorn notes that the last line of a file is incomplete.
func (r *Run) noteTorn(file string) { r.Note("%s: its last line is incomplete, and left out", file) }

// recallWork reads from the last readable line of the timings for how long the processes before this one
// have worked on the run.
func (r *Run) recallWork() {
	text, err := wholefile.Read(filepath.Join(r.Dir, runfolder.TimingsFile))
	if err != nil {
		return // there is none yet, or TrimMetrics returns the error
	}
	for line := range bytes.Lines(text) {
		var t runfolder.Timing
		if json.Unmarshal(line, &t) == nil && t.Seconds >= 0 {
			r.worked = t.Seconds
		}
	}
}

// trimmed returns the lines that a run at a position, which began with the epoch first, keeps of its metrics or
// timings, in the order of their steps. bad counts unreadable and unordered lines, without those of steps to be repeated and an
// incomplete last one. missing lists the finished epochs that have no line.
func trimmed(text []byte, first int, at Position) (kept []byte, bad int, missing []int) {
	last, next := Position{}, first // of the last line kept; the epoch that the next line of an epoch should have
	for line := range bytes.Lines(text) {
		var m runfolder.Metric
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		if json.Unmarshal(line, &m) != nil || m.Epoch < 0 || m.Step < 0 {
			bad++
			continue
		}
		if m.Epoch > at.Epoch || m.Epoch == at.Epoch && (m.Step == 0 || m.Step > at.Step) {
			continue
		}
		here := Position{Epoch: m.Epoch, Step: m.Step}
		if m.Step == 0 { // a line of a whole epoch
			here = Position{Epoch: m.Epoch + 1}
		}
		if here.Epoch < last.Epoch || here.Epoch == last.Epoch && here.Step <= last.Step {
			bad++
			continue
		}
		if m.Step == 0 {
			for ; next < m.Epoch; next++ {
				missing = append(missing, next)
			}
			next++
		}
		last = here
		kept = append(kept, line...)
	}
	for ; next < at.Epoch; next++ {
		missing = append(missing, next)
	}
	return kept, bad, missing
}

// epochNumbers returns "epochs 3, 4 and 5" for the indices 2, 3 and 4. Of more than four it names the
// first and the last.
func epochNumbers(epochs []int) string {
	switch n := len(epochs); {
	case n == 1:
		return fmt.Sprintf("epoch %d", epochs[0]+1)
	case n > 4:
		return fmt.Sprintf("%d epochs from %d to %d", n, epochs[0]+1, epochs[n-1]+1)
	default:
		var numbers []string
		for _, e := range epochs[:n-1] {
			numbers = append(numbers, fmt.Sprint(e+1))
		}
		return fmt.Sprintf("epochs %s and %d", strings.Join(numbers, ", "), epochs[n-1]+1)
	}
}
