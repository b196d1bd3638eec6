package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// Summary is what the list says of a run.
type Summary struct {
	Name       string       `json:"name"` // its path below the folder that is served, "." for that folder
	State      record.State `json:"state"`
	Experiment string       `json:"experiment,omitempty"`
	Strategy   string       `json:"strategy,omitempty"`
	Data       string       `json:"data,omitempty"`
	Seed       int64        `json:"seed"`
	Epoch      int          `json:"epoch"`           // epochs done; of a search from scratch, cells tried
	Epochs     int          `json:"epochs"`          // of the whole run
	Step       int          `json:"step,omitempty"`  // steps done in the epoch, as far as the metrics say
	Steps      int          `json:"steps,omitempty"` // of that epoch
	Figure     Figure       `json:"figure"`
	TrainLoss  *float64     `json:"train_loss,omitempty"`
	Rate       float64      `json:"items_per_second,omitempty"`
	Left       float64      `json:"seconds_left,omitempty"`
	Changed    time.Time    `json:"changed"`           // when the run last wrote
	Problem    string       `json:"problem,omitempty"` // why the rest is missing
}

// Figure is the figure by which a run is judged.
type Figure struct {
	What  string  `json:"what"` // empty without one
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"` // % or empty
	Best  bool    `json:"best,omitempty"` // it is that of the best epoch
}

// Text returns "2.76 %".
func (f Figure) Text() string {
	switch {
	case f.What == "":
		return ""
	case f.Unit == "":
		return runfolder.Decimal(f.Value)
	}
	return fmt.Sprintf("%.2f %s", f.Value, f.Unit)
}

// Label names the figure, and says if it is that of the best epoch.
func (f Figure) Label() string {
	if f.Best {
		return f.What + ", best"
	}
	return f.What
}

// run is a run folder as far as it has been read.
type run struct {
	Summary
	curve   []float64 // of the figure, or of the training loss without one, by epoch
	version uint64    // index.version when the summary last changed

	config   *config.Config // nil if it cannot be read
	modified time.Time      // of the folder, when its files were last looked at
	lock     fs.FileInfo    // nil without one
	finished bool
	diverged bool
	final    Figure // of a complete training
	metrics  tail
	timings  tail
	last     runfolder.Timing
}

func newRun(name string) *run {
	return &run{
		Summary: Summary{Name: name},
		metrics: tail{file: path.Join(name, runfolder.MetricsFile)},
		timings: tail{file: path.Join(name, runfolder.TimingsFile)},
	}
}

// refresh reads what the run has written since the last call. It reports whether the summary changed.
func (r *run) refresh(root *os.Root, locks record.Locks) bool {
	before, points := r.Summary, len(r.curve)
	if info, err := root.Stat(r.Name); err == nil {
		// Files that are replaced change the time of the folder. It counts in ticks of the kernel, hence the second.
		if !info.ModTime().Equal(r.modified) || time.Since(info.ModTime()) < time.Second {
			r.modified = info.ModTime()
			r.look(root)
		}
	}
	r.readLines(root)
	switch {
	case r.finished:
		r.State = record.Done
	case r.lock != nil && locks.Hold(r.lock):
		r.State = record.Running
	case r.diverged:
		r.State = record.Diverged
	default:
		r.State = record.Interrupted
	}
	if r.final.What != "" {
		r.Figure = r.final
	}
	r.estimate()
	return r.Summary != before || len(r.curve) != points
}

// look looks at the files that are written at once.
func (r *run) look(root *os.Root) {
	if r.config == nil {
		r.readConfig(root)
	}
	stat := func(name string) fs.FileInfo {
		info, err := root.Stat(path.Join(r.Name, name))
		if err != nil {
			return nil
		}
		return info
	}
	r.lock = stat(runfolder.LockFile)
	r.finished = stat(runfolder.ResultFile) != nil
	r.diverged = stat(runfolder.DivergedFile) != nil
	if r.final = (Figure{}); r.finished {
		r.readResult(root)
	}
}

func (r *run) readConfig(root *os.Root) {
	file := path.Join(r.Name, runfolder.ConfigFile)
	text, err := read(root, file)
	if errors.Is(err, fs.ErrNotExist) {
		r.Problem = "it has no " + runfolder.ConfigFile
		return
	}
	var c *config.Config
	if err == nil {
		c, err = config.Parse(file, text)
	}
	if err != nil {
		r.Problem = err.Error()
		return
	}
	r.config, r.Problem = c, ""
	r.Experiment, r.Strategy, r.Data, r.Seed = c.Experiment, c.Strategy.Name, c.Data.Name, c.Seed
	r.Epochs = c.RunEpochs()
	if c.Experiment == config.Search && c.FromScratch() {
		r.Epochs = c.Trials()
	}
}

// readResult reads the figure of a complete training. That of a search is in its metrics.
func (r *run) readResult(root *os.Root) {
	text, err := read(root, path.Join(r.Name, runfolder.ResultFile))
	if err != nil || r.config == nil || r.config.Experiment != config.Train {
		return
	}
	var t runfolder.TrainResult
	if json.Unmarshal(text, &t) != nil {
		return // the page of the run says so
	}
	switch {
	case t.Tested != nil:
		r.final = Figure{"test error", t.TestError, "%", false}
	case t.Validated != nil:
		r.final = Figure{"validation error", t.ValidError, "%", false}
	case t.LanguageModelResult != nil && t.Test != nil:
		r.final = Figure{"test perplexity", t.Test.Perplexity, "", false}
	}
}

// readLines reads the new lines of metrics and timings.
func (r *run) readLines(root *os.Root) {
	restart := func() {
		r.Epoch, r.Step, r.Steps, r.Figure, r.TrainLoss, r.curve = 0, 0, 0, Figure{}, nil, nil
	}
	err := r.metrics.next(root, restart, func(line []byte) {
		var m runfolder.Metric
		if json.Unmarshal(withoutCells(line), &m) == nil {
			r.add(&m)
		}
	})
	if err != nil {
		r.Problem = fmt.Sprintf("%s: %v", runfolder.MetricsFile, wholefile.Cause(err))
	}
	if r.metrics.info != nil && r.metrics.info.ModTime().After(r.Changed) {
		r.Changed = r.metrics.info.ModTime()
	}
	if r.Changed.IsZero() {
		r.Changed = r.modified
	}
	_ = r.timings.next(root, func() {}, func(line []byte) { // times are a comfort
		var t runfolder.Timing
		if json.Unmarshal(line, &t) == nil {
			r.last = t
		}
	})
}

// withoutCells cuts a line of metrics before the distributions of operations, which are most of it. No
// text in JSON holds the quotes that it looks for.
func withoutCells(line []byte) []byte {
	at := bytes.Index(line, []byte(`,"cells":`))
	if at < 0 {
		return line
	}
	return append(line[:at:at], '}')
}

// add takes a line of the metrics into the summary.
func (r *run) add(m *runfolder.Metric) {
	if m.TrainLoss != nil {
		r.TrainLoss = m.TrainLoss
	}
	if m.Step > 0 {
		r.Epoch, r.Step, r.Steps = m.Epoch, m.Step, m.Of
		return
	}
	r.Epoch, r.Step, r.Steps = m.Epoch+1, 0, 0
	figure := figureOf(m)
	switch {
	case figure.What != "":
		r.curve = append(r.curve, figure.Value)
	case m.TrainLoss != nil && r.Figure.What == "":
		r.curve = append(r.curve, *m.TrainLoss)
	}
	if figure.What != "" && (r.Figure.What != figure.What || figure.better(r.Figure)) {
		r.Figure = figure
	}
}

// figureOf returns the figure of an epoch. To choose the best epoch by test images would flatter, so that
// of theirs the last counts.
func figureOf(m *runfolder.Metric) Figure {
	switch {
	case m.TestAccuracy != nil:
		return Figure{"test error", 100 * (1 - *m.TestAccuracy), "%", false}
	case m.ValidAccuracy != nil:
		return Figure{"validation error", 100 * (1 - *m.ValidAccuracy), "%", true}
	case m.ValidPerplexity != nil:
		return Figure{"validation perplexity", *m.ValidPerplexity, "", true}
	}
	return Figure{}
}

// better reports whether f takes the place of the figure of an earlier epoch.
func (f Figure) better(earlier Figure) bool { return !f.Best || f.Value < earlier.Value }

// estimate fills in the rate and the time that is left of a run in progress.
func (r *run) estimate() {
	r.Rate, r.Left = 0, 0
	if r.State != record.Running || r.Epochs == 0 {
		return
	}
	r.Rate = r.last.ItemsPerSecond
	if r.Epoch > 0 && r.last.Seconds > 0 {
		done := float64(r.last.Epoch)
		if r.last.Step == 0 {
			done++
		}
		if done > 0 && done < float64(r.Epochs) {
			r.Left = r.last.Seconds / done * (float64(r.Epochs) - done)
		}
	}
}
