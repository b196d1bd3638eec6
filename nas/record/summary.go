package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"godarts/nas/config"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// Summary is what a list of runs says of one of them.
type Summary struct {
	Dir      string
	Config   *config.Config
	State    State
	Diverged *runfolder.DivergedError // if it has

	Epochs int     // of the whole run, or the cells that it tries
	Done   float64 // epochs, with the part of the current one as far as the metrics say

	Best    *Figure       // the result; before the end, the best of the last epochs
	Last    *time.Time    // when the run wrote last; nil if that is not known
	Started *time.Time    // nil if that is not known
	Seconds float64       // of work, over all processes; 0 if that is not known
	Left    time.Duration // of a run that is not complete, at the speed of its last lines; 0 if that is not known
}

// Figure is a number that a run reached.
type Figure struct {
	Name    string // "test error", "validation error", "test perplexity", "validation perplexity"
	Value   float64
	Percent bool
}

func (f Figure) String() string {
	if f.Percent {
		return fmt.Sprintf("%s %.2f %%", f.Name, f.Value)
	}
	return fmt.Sprintf("%s %s", f.Name, runfolder.Decimal(f.Value))
}

// tailBytes is how much of the end of a file of lines Summarize reads.
const tailBytes = 64 << 10

// Summarize summarizes the run in dir. It reads the small files, and only the ends of the long ones. It
// returns an error if dir holds no run or its config cannot be read; what else cannot be read it leaves
// out.
func Summarize(dir string) (*Summary, error) {
	c, err := runfolder.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	if !isRun(c) {
		return nil, fmt.Errorf("nas: %s is the folder of a %s, not of a run", dir, c.Experiment)
	}
	s := &Summary{Dir: dir, Config: c, Epochs: c.RunEpochs()}
	if c.FromScratch() {
		s.Epochs = c.Trials()
	}
	s.State, s.Diverged = StateOf(dir)
	if info, err := runfolder.ReadRunInfo(dir); err == nil && !info.Started.IsZero() {
		s.Started = &info.Started
	}
	of := s.measured()
	s.time(of)
	if s.State == Done {
		s.Done, s.Left = float64(s.Epochs), 0
		s.result()
	}
	return s, nil
}

// isRun reports whether c is of a run, not of a set of runs.
func isRun(c *config.Config) bool {
	return c.Experiment == config.Search || c.Experiment == config.Train
}

// done returns the epochs that a line says are done: part of an epoch, or a whole one.
func done(epoch, step, of int) float64 {
	if step == 0 {
		return float64(epoch + 1)
	}
	return float64(epoch) + min(float64(step)/float64(max(of, step+1)), 1)
}

// line is what a summary takes from a line of the metrics.
type line struct {
	Epoch           int      `json:"epoch"`
	Step            int      `json:"step"`
	Of              int      `json:"of"`
	TestAccuracy    *float64 `json:"test_accuracy"`
	ValidAccuracy   *float64 `json:"valid_accuracy"`
	ValidPerplexity *float64 `json:"valid_perplexity"`
}

// measured sets what the end of the metrics says, and returns the number of steps of an epoch, 0 if that
// is not known. Of the lines of steps it reads only the last one.
func (s *Summary) measured() (of int) {
	lines := tail(filepath.Join(s.Dir, runfolder.MetricsFile))
	for i, text := range lines {
		var m line
		if i < len(lines)-1 && bytes.Contains(text[:min(len(text), 30)], []byte(`"step":`)) || json.Unmarshal(text, &m) != nil {
			continue
		}
		of = max(of, m.Of)
		s.Done = done(m.Epoch, m.Step, m.Of)
		s.better(m.figure())
	}
	return of
}

// time sets what the timings say, of a run whose epochs have this many steps. Without timings, the time
// of the last line is that of the metrics file.
func (s *Summary) time(of int) {
	if info, err := os.Stat(filepath.Join(s.Dir, runfolder.MetricsFile)); err == nil {
		s.Last = new(info.ModTime())
	}
	lines := tail(filepath.Join(s.Dir, runfolder.TimingsFile))
	if len(lines) == 0 {
		return
	}
	var first, last runfolder.Timing
	if json.Unmarshal(lines[0], &first) != nil || json.Unmarshal(lines[len(lines)-1], &last) != nil {
		return
	}
	s.Seconds = last.Seconds
	s.Last = new(time.Unix(0, int64(last.Time*1e9)))
	now := done(last.Epoch, last.Step, of)
	work, epochs := last.Seconds-first.Seconds, now-done(first.Epoch, first.Step, of)
	if len(lines) == 1 || epochs <= 0 {
		work, epochs = last.Seconds, now
	}
	if left := work / epochs * (float64(s.Epochs) - now); left > 0 && left < mostSeconds {
		s.Left = time.Duration(left * float64(time.Second))
	}
}

// mostSeconds is the longest time left that a Duration can hold, less some.
const mostSeconds = 9e9

// better takes a figure that is better than the best so far, or of another kind.
func (s *Summary) better(f *Figure) {
	if f != nil && (s.Best == nil || s.Best.Name != f.Name || f.Value < s.Best.Value) {
		s.Best = f
	}
}

// figure returns what the line of an epoch measured.
func (m line) figure() *Figure {
	switch {
	case m.Step > 0:
	case m.TestAccuracy != nil:
		return &Figure{"test error", 100 * (1 - *m.TestAccuracy), true}
	case m.ValidAccuracy != nil:
		return &Figure{"validation error", 100 * (1 - *m.ValidAccuracy), true}
	case m.ValidPerplexity != nil:
		return &Figure{"validation perplexity", *m.ValidPerplexity, false}
	}
	return nil
}

// result sets the figure of a complete run's result, if there is one.
func (s *Summary) result() {
	if s.Config.Experiment == config.Train {
		var t runfolder.TrainResult
		if runfolder.ReadResult(s.Dir, s.Config, &t) == nil {
			s.resultOf(t)
		}
		return
	}
	var r runfolder.SearchResult
	if runfolder.ReadResult(s.Dir, s.Config, &r) != nil {
		return
	}
	if r.Valid != nil {
		s.Best = &Figure{"validation perplexity", r.Valid.Perplexity, false}
	}
	for _, t := range r.Evaluations {
		if t.Name == runfolder.FoundFolder {
			s.resultOf(t)
		}
	}
}

func (s *Summary) resultOf(t runfolder.TrainResult) {
	switch {
	case t.Tested != nil:
		s.Best = &Figure{"test error", t.TestError, true}
	case t.Validated != nil:
		s.Best = &Figure{"validation error", t.ValidError, true}
	case t.LanguageModelResult != nil && t.Test != nil:
		s.Best = &Figure{"test perplexity", t.Test.Perplexity, false}
	}
}

// tail returns the whole lines at the end of a file, in order; none if it cannot be read.
func tail(file string) (lines [][]byte) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // without it opening a pipe waits for a writer
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || wholefile.Kind(info.Mode()) != "" {
		return nil
	}
	from := max(0, info.Size()-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(f, from, tailBytes))
	if err != nil {
		return nil
	}
	if from > 0 { // within a line
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	for line := range bytes.Lines(text) {
		if bytes.HasSuffix(line, []byte("\n")) {
			lines = append(lines, line)
		}
	}
	return lines
}
