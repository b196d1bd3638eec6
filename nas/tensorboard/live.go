package tensorboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"godarts/nas"
	"godarts/nas/record"
	"godarts/nas/runfolder"
)

// Live writes event files of runs while they go, into the folder [Folder] of each run folder. A run that
// is resumed gets a new file with all its lines, so that no step occurs twice. What Live cannot write does
// not stop a run; Close returns the first error.
type Live struct {
	mu   sync.Mutex
	runs map[string]*follower // by run folder
	err  error
}

// NewLive returns a Live that follows no run yet.
func NewLive() *Live { return &Live{runs: map[string]*follower{}} }

// Hooks returns hooks that follow a run. They come after those that write the metrics file.
func (l *Live) Hooks() nas.Hooks {
	return nas.Hooks{
		OnStart: func(r *nas.Run) error { l.follow(r, true); return nil },
		Needs:   func(*nas.Run, *nas.Step) bool { return false },
		OnStep:  func(r *nas.Run, _ *nas.Step) error { l.follow(r, false); return nil },
		OnEpoch: func(r *nas.Run, _ *nas.Epoch) error { l.follow(r, false); return nil },
	}
}

// follow writes the new lines of the run.
func (l *Live) follow(r *nas.Run, start bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.runs[r.Dir]
	if f == nil || start || f.restarts != r.At.Restarts {
		f = &follower{dir: r.Dir, restarts: r.At.Restarts, begin: true}
		l.runs[r.Dir] = f
	}
	if f.failed {
		return
	}
	if err := f.catchUp(); err != nil {
		f.failed = true
		l.err = errors.Join(l.err, err)
	}
}

// Close adds the results of the runs that have ended. It returns an error if a file lacks events.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.runs {
		if f.failed {
			continue
		}
		r, err := record.Read(f.dir)
		var end []byte
		if err == nil {
			end, err = ending(r)
		}
		if err == nil {
			err = extend(f.path, end)
		}
		l.err = errors.Join(l.err, err)
	}
	clear(l.runs)
	return l.err
}

// follower writes the event file of a run.
type follower struct {
	dir      string
	path     string // the event file
	restarts int    // of the run
	begin    bool   // the file is still to be begun
	failed   bool

	series  series
	metrics tail
	timings tail
	times   map[[2]int]runfolder.Timing // of lines that are still to come
}

// catchUp writes the lines that the run has written since the last call. If the run has gone back, it
// begins another file.
func (f *follower) catchUp() error {
	for {
		if f.begin {
			if err := f.restart(); err != nil {
				return err
			}
		}
		timings, _, err := f.timings.next()
		if err != nil {
			return err
		}
		lines, back, err := f.metrics.next()
		if err != nil {
			return err
		}
		if f.begin = back; back {
			continue
		}
		return f.write(lines, timings)
	}
}

// restart writes all lines to a new file.
func (f *follower) restart() error {
	f.series, f.times = series{}, map[[2]int]runfolder.Timing{}
	f.metrics = tail{file: filepath.Join(f.dir, runfolder.MetricsFile)}
	f.timings = tail{file: filepath.Join(f.dir, runfolder.TimingsFile)}
	for _, t := range []*tail{&f.metrics, &f.timings} {
		if _, _, err := t.next(); err != nil {
			return err
		}
	}
	r, err := record.Read(f.dir)
	if err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	records, err := f.series.all(r)
	if err != nil {
		return err
	}
	f.path, err = create(filepath.Join(f.dir, Folder), records)
	return err
}

// write appends the events of lines of the metrics and timings files.
func (f *follower) write(lines, timings [][]byte) error {
	for _, line := range timings {
		var t runfolder.Timing
		if json.Unmarshal(line, &t) == nil {
			f.times[[2]int{t.Epoch, t.Step}] = t
		}
	}
	var records []byte
	for _, line := range lines {
		var m runfolder.Metric
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("tensorboard: %s: %w", f.metrics.file, err)
		}
		t := f.times[[2]int{m.Epoch, m.Step}]
		delete(f.times, [2]int{m.Epoch, m.Step})
		wall := t.Time
		if wall == 0 {
			wall = wrote(f.dir, runfolder.MetricsFile)
		}
		e, err := f.series.line(m, t, wall)
		if err != nil {
			return err
		}
		if e != nil {
			records = appendFrame(records, e)
		}
	}
	return extend(f.path, records)
}

// tail reads the lines of a file that grows.
type tail struct {
	file   string
	offset int64
}

// next returns the complete lines since the last call. shorter reports that the file has become shorter;
// there are no lines then. A file that is not there is empty.
func (t *tail) next() (lines [][]byte, shorter bool, err error) {
	about, err := os.Stat(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, t.offset > 0, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("tensorboard: %w", err)
	}
	if about.Size() <= t.offset {
		return nil, about.Size() < t.offset, nil
	}
	f, err := os.Open(t.file)
	if err != nil {
		return nil, false, fmt.Errorf("tensorboard: %w", err)
	}
	defer f.Close()
	added := make([]byte, about.Size()-t.offset)
	if _, err := f.ReadAt(added, t.offset); err != nil && err != io.EOF {
		return nil, false, fmt.Errorf("tensorboard: %w", err)
	}
	added = added[:bytes.LastIndexByte(added, '\n')+1]
	t.offset += int64(len(added))
	return slices.Collect(bytes.Lines(added)), false, nil
}
