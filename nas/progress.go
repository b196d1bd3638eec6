package nas

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// Time between two reports within an epoch: lines every reportEvery, redraws of the bar every
// redrawEvery.
const (
	reportEvery = 10 * time.Second
	redrawEvery = 100 * time.Millisecond
)

// Progress reports the progress of runs to w: on a terminal by a bar, elsewhere by a line every ten
// seconds, and on both by a line at the end of each epoch. width returns the terminal's columns and is
// called before each drawing; it is nil where w is no terminal. The time left is of the whole run.
// Errors of w do not stop the run.
func Progress(w io.Writer, width func() int) Hooks {
	return (&progress{w: w, width: width, now: time.Now}).watch()
}

type progress struct {
	w     io.Writer
	brief bool       // nothing is reported within an epoch but notes
	width func() int // of the terminal; nil without one
	now   func() time.Time

	bar    *bar      // nil where reports are lines
	start  time.Time // start of this process's part of the run
	before float64   // epochs that were done at start
	steps  int       // steps per epoch; approximate for texts, which are cut again in each epoch
	epoch  time.Time // start of the epoch, or of this process's part of it
	report time.Time // time of the last report
	count  int       // images or tokens since the last report

	genotype string // of the last epoch

	said    int // notes of the run that have been printed
	skipped int // unusable images that have been reported
}

// done returns the number of finished epochs, with the finished part of the current one.
func (p *progress) done(r *Run) float64 {
	return float64(r.At.Epoch) + float64(r.At.Step)/float64(r.Feed.Steps(r.At))
}

func (p *progress) watch() Hooks {
	return Hooks{OnCheck: p.onCheck, OnStart: p.onStart, Needs: never, OnStep: p.onStep, OnEpoch: p.onEpoch, OnEnd: p.onEnd}
}

// onCheck reports every ten seconds how many image files have been inspected.
func (p *progress) onCheck(r *Run, done, of int) {
	now := p.now()
	if done == 1 {
		p.start, p.report = now, now
	}
	if now.Sub(p.report) < reportEvery {
		return
	}
	p.report = now
	left := time.Duration(float64(now.Sub(p.start)) / float64(done) * float64(of-done))
	p.println(fmt.Sprintf("checked %d of %d image files (data.check: %s), %s left", done, of, r.Config.Data.Check, short(left)))
}

func (p *progress) onStart(r *Run) error {
	now := p.now()
	p.steps = r.Feed.Steps(r.At)
	p.start, p.epoch, p.report, p.count = now, now, now, 0
	p.before = p.done(r)
	size, unit := r.Feed.Size()
	what := "search"
	if r.Config.Experiment == config.Train {
		what = "training"
	}
	line := fmt.Sprintf("%s %s: %s of %s, %s",
		what, filepath.Base(r.Dir), names.Count(r.Config.RunEpochs(), "epoch"), names.Count(p.steps, "step"), names.Count(size, unit))
	switch {
	case r.At.Epoch >= r.Config.RunEpochs():
		line += ", all done before"
	case p.before == float64(r.Config.FirstEpoch()) && p.before > 0:
		line += fmt.Sprintf(", beginning with epoch %d", r.At.Epoch+1)
	case p.before > 0:
		line += fmt.Sprintf(", going on in epoch %d after step %d", r.At.Epoch+1, r.At.Step)
	}
	p.bar, p.skipped, p.said = nil, 0, 0
	p.genotype, _, _ = runfolder.LatestGenotype(r.Dir) // if it fails, one line does not say which edges changed
	if r.Config.FromScratch() {
		p.println(fmt.Sprintf("search %s: %s, each trained from scratch; %d done before", filepath.Base(r.Dir), names.Count(r.Config.Trials(), "cell"), r.At.Epoch))
		p.sayNotes(r)
		return nil
	}
	p.println(line)
	p.sayNotes(r)
	if p.width != nil && float64(r.Config.RunEpochs()) > p.before {
		p.bar = &bar{w: p.w, width: p.width}
	}
	return nil
}

// sayNotes prints the run's notes since the last call.
func (p *progress) sayNotes(r *Run) {
	for ; p.said < len(r.notes); p.said++ {
		p.println("note: " + r.notes[p.said])
	}
}

func (p *progress) onStep(r *Run, s *Step) error {
	p.sayNotes(r)
	if p.brief {
		return nil
	}
	p.count += s.Count
	now, every := p.now(), reportEvery
	if p.bar != nil {
		every = redrawEvery
	}
	since := now.Sub(p.report)
	if since < every {
		return nil
	}
	_, unit := r.Feed.Size()
	rate := fmt.Sprintf("%.0f %ss/s", float64(p.count)/since.Seconds(), unit)
	p.report, p.count = now, 0

	done := p.done(r)
	left := time.Duration(float64(now.Sub(p.start)) * (float64(r.Config.RunEpochs()) - done) / (done - p.before))
	if p.bar == nil {
		p.println(fmt.Sprintf("epoch %d/%d, step %d/%d: %s, %s, %s left",
			s.Epoch+1, r.Config.RunEpochs(), r.At.Step, s.Of, r.Feed.Quality(r.At.Meter), rate, short(left)))
		return nil
	}
	p.bar.draw(status{
		place:   fmt.Sprintf("epoch %d/%d step %d/%d", s.Epoch+1, r.Config.RunEpochs(), r.At.Step, s.Of),
		quality: brief.Replace(r.Feed.Quality(r.At.Meter)), rate: rate, left: short(left) + " left",
		done: done / float64(r.Config.RunEpochs()),
	})
	return nil
}

func (p *progress) onEpoch(r *Run, e *Epoch) error {
	if r.Config.FromScratch() {
		p.trial(r, e)
		return nil
	}
	now := p.now()
	parts := []string{
		fmt.Sprintf("epoch %d/%d: train %s", e.Index+1, r.Config.RunEpochs(), r.Feed.Quality(e.Train)),
		r.Feed.Measured() + " " + r.Feed.Quality(e.Valid),
	}
	if e.Eigenvalue != nil {
		parts = append(parts, fmt.Sprintf("dominant eigenvalue %.4g", *e.Eigenvalue))
	}
	parts = append(parts, fmt.Sprintf("learning rate %.4g", e.LR))
	if changed := changedEdges(p.genotype, e.Genotype); changed != "" {
		parts = append(parts, changed)
	}
	p.printParts(append(parts, seconds(now.Sub(p.epoch))))
	p.genotype = e.Genotype
	p.skippedFiles(r)
	p.sayNotes(r)
	p.epoch, p.report, p.count = now, now, 0
	return nil
}

// trial reports the result of a cell that was trained from scratch, and the best cell if that has
// changed.
func (p *progress) trial(r *Run, e *Epoch) {
	cell := fmt.Sprintf("cell %d/%d", e.Index+1, r.Config.Trials())
	if d := e.Diverged; d != nil {
		p.println(fmt.Sprintf("note: %s diverged at %s: it counts as the worst", cell, d.Where()))
		return
	}
	best := ""
	if e.Genotype != p.genotype {
		best = "; the best so far: " + e.Genotype
	}
	p.genotype = e.Genotype
	p.println(fmt.Sprintf("%s: validation %s%s", cell, r.Feed.Quality(e.Valid), best))
}

// changedEdges says how many edges of a search's cells an epoch has changed. It is empty if none has
// changed or the cells before are not known.
func changedEdges(before, after string) string {
	old, err := genotype.Parse(before)
	if err != nil || before == after {
		return ""
	}
	g, err := genotype.Parse(after)
	if err != nil {
		return ""
	}
	changed, of := g.Changed(old)
	if changed == 0 { // only the order of edges or the concat has changed
		return ""
	}
	return fmt.Sprintf("%d of %s changed", changed, names.Count(of, "edge"))
}

// skippedFiles reports unusable images that the epoch found.
func (p *progress) skippedFiles(r *Run) {
	files, ok := r.Feed.(Files)
	if !ok {
		return
	}
	n, first := files.Missing()
	if n == p.skipped {
		return
	}
	p.skipped = n
	p.println(fmt.Sprintf("warning: %s left out, such as %v", names.Count(n, "image"), first))
}

func (p *progress) onEnd(*Run, error) error {
	p.bar.clear()
	return nil
}

// brief shortens the quality of a measurement for a terminal.
var brief = strings.NewReplacer(",", "", "accuracy", "acc", "perplexity", "ppl")

// printParts writes a line of parts. On a terminal it shortens them, and begins another line, indented, where a part
// does not fit: otherwise the terminal would break words.
func (p *progress) printParts(parts []string) {
	if p.width == nil {
		p.println(strings.Join(parts, "; "))
		return
	}
	columns := terminalColumns(p.width)
	line := ""
	for i, part := range parts {
		part = brief.Replace(part)
		if i < len(parts)-1 {
			part += ";"
		}
		switch {
		case line == "":
			line = part
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(part) < columns:
			line += " " + part
		default:
			p.println(line)
			line = "    " + part
		}
	}
	p.println(line)
}

// println writes a line in place of the bar, which the next step draws again.
func (p *progress) println(line string) {
	p.bar.clear()
	_, _ = io.WriteString(p.w, names.Escape(line)+"\n") // an error of w stops no run
}

// short returns the two largest units of a duration: 1h02m, 12m05s, 45s.
func short(d time.Duration) string {
	d = d.Round(time.Second)
	text := d.String()
	if d >= time.Hour {
		text = fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	} else if minutes, rest, found := strings.Cut(text, "m"); found && len(rest) == 2 {
		text = minutes + "m0" + rest
	}
	return text
}

// seconds returns "61 s", or "6.1 s" below ten seconds.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
