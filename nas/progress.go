package nas

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"godarts/nas/config"
)

// reportEvery is the time between two reports within an epoch where they are
// lines, redrawEvery where they are a bar.
const (
	reportEvery = 10 * time.Second
	redrawEvery = 100 * time.Millisecond
)

// Progress reports runs to w while they go: on a terminal by a bar, elsewhere by
// a plain line every ten seconds, and by lines at the end of each epoch on both.
// The time left is that of the whole run. Failures to write stop no run.
func Progress(w io.Writer, terminal bool) Hooks {
	return (&progress{w: w, terminal: terminal, now: time.Now}).watch()
}

type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	bar    *progressbar.ProgressBar // nil where reports are lines
	start  time.Time                // of this process's part of the run
	before int                      // steps that were done then
	epoch  time.Time                // start of the epoch, or of this process's part of it
	report time.Time                // the last one
	images int                      // since the last report

	skipped int // images that could not be used, of which it was said
}

func (p *progress) watch() Hooks {
	return Hooks{OnStart: p.onStart, OnStep: p.onStep, OnEpoch: p.onEpoch, OnEnd: p.onEnd}
}

func (p *progress) onStart(r *Run) error {
	now := p.now()
	steps := r.feed.steps()
	p.start, p.epoch, p.report, p.images = now, now, now, 0
	p.before = r.at.Epoch*steps + r.at.Step
	what := "search"
	if r.Config.Experiment == config.Train {
		what = "training"
	}
	line := fmt.Sprintf("%s %s: %s of %s, %s",
		what, filepath.Base(r.Dir), count(r.Config.Epochs, "epoch"), count(steps, "step"), count(r.feed.train.Images.N, "image"))
	switch {
	case r.at.Epoch >= r.Config.Epochs:
		line += ", all done before"
	case p.before > 0:
		line += fmt.Sprintf(", going on in epoch %d after step %d", r.at.Epoch+1, r.at.Step)
	}
	p.bar, p.skipped = nil, 0
	p.println(line)
	for _, note := range r.notes {
		p.println("note: " + note)
	}
	if total := r.Config.Epochs * steps; p.terminal && total > p.before {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetWidth(20),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false),
			progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
	}
	return nil
}

func (p *progress) onStep(r *Run, s *Step) error {
	p.images += s.Images
	now, every := p.now(), reportEvery
	if p.bar != nil {
		every = redrawEvery
	}
	since := now.Sub(p.report)
	if since < every {
		return nil
	}
	rate := float64(p.images) / since.Seconds()
	p.report, p.images = now, 0

	done, total := s.Epoch*s.Of+r.at.Step, r.Config.Epochs*s.Of
	left := time.Duration(float64(now.Sub(p.start)) * float64(total-done) / float64(done-p.before))
	loss, accuracy := r.at.Meter.MeanLoss(), 100*r.at.Meter.Accuracy()
	if p.bar == nil {
		p.println(fmt.Sprintf("epoch %d/%d, step %d/%d: loss %.4f, accuracy %.1f %%, %.0f images/s, %s left",
			s.Epoch+1, r.Config.Epochs, r.at.Step, s.Of, loss, accuracy, rate, short(left)))
		return nil
	}
	// Shorter than the line, to leave room for a bar on a terminal of 80 columns.
	p.bar.Describe(fmt.Sprintf("epoch %d/%d step %d/%d loss %.4f acc %.1f %% %.0f images/s %s left",
		s.Epoch+1, r.Config.Epochs, r.at.Step, s.Of, loss, accuracy, rate, short(left)))
	_ = p.bar.Set(done) // draws; a terminal that is gone stops no run
	return nil
}

func (p *progress) onEpoch(r *Run, e *Epoch) error {
	measured := "validation"
	if r.Config.Experiment == config.Train && !r.holdsOut() {
		measured = "test"
	}
	now := p.now()
	at := fmt.Sprintf("epoch %d/%d: ", e.Index+1, r.Config.Epochs)
	p.println(at + fmt.Sprintf("train loss %.4f, accuracy %.1f %%; %s loss %.4f, accuracy %.1f %%; learning rate %.4g; %s",
		e.Train.MeanLoss(), 100*e.Train.Accuracy(), measured, e.Valid.MeanLoss(), 100*e.Valid.Accuracy(), e.LR, seconds(now.Sub(p.epoch))))
	if e.Genotype != "" {
		p.println(at + e.Genotype)
	}
	p.skippedFiles(r)
	p.epoch, p.report, p.images = now, now, 0
	return nil
}

// skippedFiles says, at the end of an epoch, if it found images that could not be used.
func (p *progress) skippedFiles(r *Run) {
	if r.feed.skipped == nil {
		return
	}
	n, first := r.feed.skipped.Count()
	if n == p.skipped {
		return
	}
	p.skipped = n
	p.println(fmt.Sprintf("warning: %s left out, such as %s", count(n, "image"), first))
}

func (p *progress) onEnd(*Run, error) error {
	p.clear()
	return nil
}

// println writes a line above the bar, which the next step draws again.
func (p *progress) println(line string) {
	p.clear()
	_, _ = io.WriteString(p.w, line+"\n") // a report that is lost stops no run
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// count is "1 step", "23 steps".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
