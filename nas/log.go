package nas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// logged appends to the log file what Progress prints outside of epochs, a line at each start and one at
// each end. What it cannot write it leaves out: no run stops for it.
func logged() Hooks {
	p := &progress{now: time.Now, brief: true}
	hooks := p.watch()
	start := hooks.OnStart
	hooks.OnStart = func(r *Run) error {
		p.w = logFile{r}
		r.cutLog()
		logFile{r}.say("%s, version %s", names.Command(os.Args...), runfolder.Version())
		return start(r)
	}
	hooks.OnEnd = func(r *Run, end error) error {
		p.sayNotes(r)
		switch {
		case end == nil:
			logFile{r}.say("done")
		case errors.Is(end, context.Canceled):
			logFile{r}.say("interrupted")
		default:
			logFile{r}.say("%s", names.Escape(end.Error()))
		}
		return nil
	}
	return hooks
}

// logFile appends to the log file of a run.
type logFile struct{ run *Run }

// Write implements io.Writer.
func (l logFile) Write(text []byte) (int, error) {
	if err := l.run.Owns(); err != nil {
		return 0, err
	}
	return len(text), appendText(filepath.Join(l.run.Dir, runfolder.LogFile), text)
}

// say appends a line with the time.
func (l logFile) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l, time.Now().UTC().Format(time.RFC3339)+" "+format+"\n", args...)
}

// cutLog removes an incomplete last line of the log file, which a kill may leave.
func (r *Run) cutLog() {
	file := filepath.Join(r.Dir, runfolder.LogFile)
	text, err := wholefile.Read(file)
	if errors.Is(err, fs.ErrNotExist) || !torn(text) {
		return
	}
	if err := r.Write(runfolder.LogFile, text[:bytes.LastIndexByte(text, '\n')+1]); err == nil {
		r.noteTorn(file)
	}
}
