package nas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"godarts/nas/finite"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// metricsEvery is the number of steps between two lines of metrics within an epoch.
const metricsEvery = 50

// metrics appends lines to the metrics file.
func metrics() Hooks {
	return Hooks{
		OnStep: func(r *Run, s *Step) error {
			if r.At.Step%metricsEvery != 0 {
				return nil
			}
			m := runfolder.Metric{Epoch: s.Epoch, Step: r.At.Step, Of: s.Of, LR: &s.LR}
			r.Feed.Record(&m, &r.At.Meter, nil)
			recordNorms(&m, r.At.Meter)
			return r.append(m)
		},
		OnEpoch: func(r *Run, e *Epoch) error {
			m := runfolder.Metric{Epoch: e.Index, Genotype: e.Genotype, Eigenvalue: e.Eigenvalue, PeakRSSBytes: peakRSS()}
			if !r.Config.FromScratch() {
				m.LR = &e.LR
				r.Feed.Record(&m, &e.Train, nil)
				recordNorms(&m, e.Train)
			}
			m.Observation = e.Observation
			if e.Diverged == nil {
				r.Feed.Record(&m, nil, &e.Valid)
			} else {
				m.Diverged = e.Diverged.Short()
			}
			return r.append(m)
		},
	}
}

// recordNorms writes the norms of gradients over the steps so far in the epoch.
func recordNorms(line *runfolder.Metric, seen Meter) {
	line.GradNormW, line.GradNormAlpha = seen.GradW.Mean(), seen.GradAlpha.Mean()
}

func (r *Run) append(m runfolder.Metric) error {
	line, err := finite.Marshal(m)
	if err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	if err := r.Owns(); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(r.Dir, runfolder.MetricsFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	return nil
}

// syncMetrics returns when the metrics are on the disk: a checkpoint relies on their lines.
func (r *Run) syncMetrics() error {
	f, err := os.OpenFile(filepath.Join(r.Dir, runfolder.MetricsFile), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no step has written a line
	}
	if err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	return nil
}

// TrimMetrics removes the lines of steps that the run will repeat after it returned to a checkpoint,
// and an incomplete last line that a kill left. It notes other faults of the file.
func (r *Run) TrimMetrics() error {
	file := filepath.Join(r.Dir, runfolder.MetricsFile)
	text, err := wholefile.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	kept, bad, missing := trimmed(text, r.At)
	if bad > 0 {
		r.Note("%s: %s unreadable or not in order, and left out", file, names.Count(bad, "line"))
	}
	if len(missing) > 0 {
		r.Note("%s: the lines of %s are missing; the run goes on without them", file, epochNumbers(missing))
	}
	if bytes.Equal(kept, text) {
		return nil
	}
	return r.Write(runfolder.MetricsFile, kept)
}

// peakRSS returns the peak resident memory of this process in bytes.
func peakRSS() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss * 1024 // Linux counts kilobytes
}

// trimmed returns the lines that a run at a position keeps of its metrics, in the order of their steps.
// bad counts unreadable and unordered lines, without those of steps to be repeated and an incomplete
// last one. missing lists the finished epochs that have no line.
func trimmed(text []byte, at Position) (kept []byte, bad int, missing []int) {
	last, next := Position{}, 0 // of the last line kept; the epoch that the next line of an epoch should have
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
