package nas

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"godarts/nas/finite"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// mostStepLines is the number of lines of steps that the metrics of a run have at most. A line has up to
// 300 bytes, and the line of an epoch with α in the paper's space 6000: the file stays below 10 MB up to
// 1000 such epochs.
const mostStepLines = 10_000

// stepsPerLine returns the number of steps between two lines of metrics within an epoch of the run.
func (r *Run) stepsPerLine() int {
	steps := r.Config.RunEpochs() * r.Feed.Steps(Position{})
	return max(1, (steps+mostStepLines-1)/mostStepLines)
}

// recorder appends lines to the files of metrics and timings.
type recorder struct {
	every int       // steps between two lines
	items int       // images or tokens that have been trained on since the last line
	began time.Time // of this process's part of the run
	last  time.Time // time of the last line
}

// metrics appends a line to the metrics file, and one to the timings file, at intervals of steps and after
// each epoch.
func metrics() Hooks {
	c := newRecorder()
	return Hooks{OnStart: c.onStart, Needs: never, OnStep: c.onStep, OnEpoch: c.onEpoch}
}

func newRecorder() *recorder {
	now := time.Now()
	return &recorder{began: now, last: now}
}

func (c *recorder) onStart(*Run) error {
	c.began = time.Now()
	c.last = c.began
	return nil
}

func (c *recorder) onStep(r *Run, s *Step) error {
	if c.every == 0 {
		c.every = r.stepsPerLine()
	}
	c.items += s.Count
	if r.At.Step%c.every != 0 {
		return nil
	}
	m := runfolder.Metric{Epoch: s.Epoch, Step: r.At.Step, Of: s.Of, LR: &s.LR}
	r.Feed.Record(&m, &r.At.Meter, nil)
	recordNorms(&m, r.At.Meter)
	return c.append(r, m)
}

func (c *recorder) onEpoch(r *Run, e *Epoch) error {
	m := runfolder.Metric{Epoch: e.Index, Genotype: e.Genotype, Eigenvalue: e.Eigenvalue, Observation: e.Observation}
	if !r.Config.FromScratch() {
		m.LR = &e.LR
		r.Feed.Record(&m, &e.Train, nil)
		recordNorms(&m, e.Train)
	}
	if e.Diverged == nil {
		r.Feed.Record(&m, nil, &e.Valid)
	} else {
		m.Diverged = e.Diverged.Short()
	}
	return c.append(r, m)
}

// recordNorms writes the norms of gradients over the steps so far in the epoch.
func recordNorms(line *runfolder.Metric, seen Meter) {
	line.GradNormW, line.GradNormAlpha = seen.GradW.Mean(), seen.GradAlpha.Mean()
}

// append writes the line m and the timing beside it.
func (c *recorder) append(r *Run, m runfolder.Metric) error {
	if err := r.Owns(); err != nil {
		return err
	}
	if err := appendLine(filepath.Join(r.Dir, runfolder.MetricsFile), m); err != nil {
		return err
	}
	return appendLine(filepath.Join(r.Dir, runfolder.TimingsFile), c.timing(r, m.Epoch, m.Step))
}

// timing returns the timing of a line, and begins to count for the next.
func (c *recorder) timing(r *Run, epoch, step int) runfolder.Timing {
	now := time.Now()
	t := runfolder.Timing{
		Epoch: epoch, Step: step, Time: float64(now.UnixMilli()) / 1000, Seconds: r.worked + now.Sub(c.began).Seconds(), PeakRSSBytes: peakRSS(),
	}
	if since := now.Sub(c.last).Seconds(); since > 0 {
		t.ItemsPerSecond = float64(c.items) / since
	}
	if r.Device.IsCUDA() {
		t.PeakDeviceBytes = torch.PeakReserved(r.Device)
	}
	c.last, c.items = now, 0
	return t
}

// appendLine appends v as a line of JSON to a file.
func appendLine(file string, v any) error {
	line, err := finite.Marshal(v)
	if err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	if err := appendText(file, append(line, '\n')); err != nil {
		return fmt.Errorf("nas: metrics: %w", err)
	}
	return nil
}

// appendText appends to a file by one write.
func appendText(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(text)
	return err
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

// peakRSS returns the peak resident memory of this process in bytes.
func peakRSS() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss * 1024 // Linux counts kilobytes
}
