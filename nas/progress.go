package nas

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// reportEvery is the time between two reports within an epoch where they are
// lines, redrawEvery where they are a bar.
const (
	reportEvery = 10 * time.Second
	redrawEvery = 100 * time.Millisecond
)

// Progress reports runs to w while they go: on a terminal, whose width in columns
// is asked at each drawing, by a bar; elsewhere, where width is nil, by a plain line
// every ten seconds; and by lines at the end of each epoch on both. The time left is
// that of the whole run. Failures to write stop no run.
func Progress(w io.Writer, width func() int) Hooks {
	return (&progress{w: w, width: width, now: time.Now}).watch()
}

type progress struct {
	w     io.Writer
	width func() int // of the terminal; nil where there is none
	now   func() time.Time

	bar    *bar      // nil where reports are lines
	start  time.Time // of this process's part of the run
	before float64   // epochs that were done then
	steps  int       // of an epoch, about: a text is cut anew in each
	epoch  time.Time // start of the epoch, or of this process's part of it
	report time.Time // the last one
	count  int       // images or tokens since then

	genotype string // after the last epoch

	said    int // notes of the run
	skipped int // images that could not be used, of which it was said
}

// done is the number of epochs that are, the part of the present one included.
func (p *progress) done(r *Run) float64 {
	return float64(r.At.Epoch) + float64(r.At.Step)/float64(r.Feed.Steps(r.At))
}

func (p *progress) watch() Hooks {
	return Hooks{OnCheck: p.onCheck, OnStart: p.onStart, OnStep: p.onStep, OnEpoch: p.onEpoch, OnEnd: p.onEnd}
}

// onCheck says now and then how far the look at image files is.
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
	case p.before > 0:
		line += fmt.Sprintf(", going on in epoch %d after step %d", r.At.Epoch+1, r.At.Step)
	}
	p.bar, p.skipped, p.said = nil, 0, 0
	p.genotype, _, _ = runfolder.LatestGenotype(r.Dir) // without it one epoch says less
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

// sayNotes prints what the run has noted since the last time.
func (p *progress) sayNotes(r *Run) {
	for ; p.said < len(r.notes); p.said++ {
		p.println("note: " + r.notes[p.said])
	}
}

func (p *progress) onStep(r *Run, s *Step) error {
	p.sayNotes(r)
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
	brief := strings.NewReplacer(",", "", "accuracy", "acc", "perplexity", "ppl")
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
	eigenvalue := ""
	if e.Eigenvalue != nil {
		eigenvalue = fmt.Sprintf("; dominant eigenvalue %.4g", *e.Eigenvalue)
	}
	p.println(fmt.Sprintf("epoch %d/%d: train %s; %s %s%s; learning rate %.4g%s; %s", e.Index+1, r.Config.RunEpochs(),
		r.Feed.Quality(e.Train), r.Feed.Measured(), r.Feed.Quality(e.Valid), eigenvalue, e.LR, changedEdges(p.genotype, e.Genotype), seconds(now.Sub(p.epoch))))
	p.genotype = e.Genotype
	p.skippedFiles(r)
	p.sayNotes(r)
	p.epoch, p.report, p.count = now, now, 0
	return nil
}

// trial says how a cell that was tried from scratch did, and which is the best if that has changed.
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

// changedEdges says how many edges of a search's cells an epoch has changed, nothing if
// none has, or if the cells before are not known.
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
	if changed == 0 { // another order, or another concat
		return ""
	}
	return fmt.Sprintf("; %d of %s changed", changed, names.Count(of, "edge"))
}

// skippedFiles says, at the end of an epoch, if it found images that could not be used.
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

// println writes a line above the bar, which the next step draws again.
func (p *progress) println(line string) {
	p.bar.clear()
	_, _ = io.WriteString(p.w, names.Escape(line)+"\n") // a report that is lost stops no run
}

// short gives the two largest units of a duration: 1h02m, 12m05s, 45s.
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

// seconds is "61 s", with a tenth below ten.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
