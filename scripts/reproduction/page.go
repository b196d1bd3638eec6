package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
)

// Sections of the page, which have pictures.
const (
	searchSection   = "searches"
	cellSection     = "cell"
	trainingSection = "trainings"
)

// page returns the page, with the pictures that lie beside it.
func (p *protocol) page(files []picture) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Reproduction of DARTS on CIFAR-10\n\n`go run ./scripts/reproduction` wrote this page from what\n`scripts/reproduce` ran.\n\n")
	b.WriteString(p.outcome())
	b.WriteString(p.differences())
	b.WriteString("## What ran\n")
	b.WriteString(p.machines())
	b.WriteString(p.parts())
	show := func(section, title, text string) {
		var shown []string
		for _, f := range files {
			if f.section == section {
				shown = append(shown, fmt.Sprintf("![%s](%s/%s)", f.alt, pictures, f.file))
			}
		}
		if len(shown) > 0 {
			fmt.Fprintf(&b, "\n## %s\n%s%s\n", title, text, strings.Join(shown, "\n"))
		}
	}
	show(searchSection, "Searches", "")
	show(cellSection, "The cell", p.cellText())
	show(trainingSection, "Trainings", "")
	return b.String()
}

// outcome returns the test error beside the published one, or how far the protocol is from having one.
func (p *protocol) outcome() string {
	if p.result != nil {
		s := p.result.TestError
		here := fmt.Sprintf("%.2f %%", s.Mean)
		if s.Std != nil {
			here = fmt.Sprintf("%.2f ± %.2f %%", s.Mean, *s.Std)
		}
		return table([]string{"", "test error"},
			[]string{fmt.Sprintf("here, %s", names.Count(s.N, "training")), here}, []string{p.title(), p.published()}) + "\n"
	}
	var text strings.Builder
	text.WriteString("**The protocol is not complete, so it has no result to compare.** The published test error is\n" +
		p.published() + ".\n")
	for _, r := range p.trainings {
		done, of := epochs(r)
		figure := figureOf(r)
		if figure == "" {
			figure = "nothing is measured yet"
		}
		fmt.Fprintf(&text, "%s has run %d of its %s: %s.\n", filepath.Base(r.Dir), done, names.Count(of, "epoch"), figure)
	}
	if len(p.trainings) == 0 {
		text.WriteString("No training of a found cell has begun.\n")
	}
	return text.String() + "\n"
}

// expect returns the published figure.
func (p *protocol) expect() *config.Expect {
	if own := p.whole.Repeat.Expect; own != nil {
		return own
	}
	paper, err := config.LoadWhole(p.paper) // which compare has loaded
	if err != nil {
		return &config.Expect{}
	}
	return paper.Repeat.Expect
}

// published returns the published test error and its source.
func (p *protocol) published() string {
	e := p.expect()
	return (&report.Published{TestError: e.TestError, Std: e.Std, Source: e.Source}).String()
}

func (p *protocol) title() string {
	if len(p.other) > 0 {
		return "published, for other settings"
	}
	return "published"
}

// differences lists the keys in which this protocol is not the paper's.
func (p *protocol) differences() string {
	config := "configs/" + p.paper + ".yaml"
	if len(p.other) == 0 {
		return fmt.Sprintf("The settings are those of `%s`.\n\n", config)
	}
	text := fmt.Sprintf("The settings are those of `%s` (\"there\"), but for:\n\n", config)
	for _, line := range p.other {
		text += "- " + names.Limit(line, 110) + "\n"
	}
	return text + "\n"
}

// machines returns a line for each machine and version that a part began on.
func (p *protocol) machines() string {
	var all []string
	for _, r := range p.all() {
		if i := r.Info; i != nil {
			line := fmt.Sprintf("Device %s, processor %s, libtorch %s, %s.\n", i.Device, i.Processor, i.Libtorch, names.Count(i.Threads, "thread"))
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	if p.machine != "" {
		all = append([]string{names.Limit(p.machine, 110) + ".\n"}, all...)
	}
	return strings.Join(all, "") + "\n"
}

func (p *protocol) all() []*record.Run { return slices.Concat(p.searches, p.briefs, p.trainings) }

// parts returns a table of the parts: how far each has come, what it measured last, and what it took.
func (p *protocol) parts() string {
	var rows [][]string
	for _, r := range p.all() {
		done, of := epochs(r)
		row := []string{filepath.Base(r.Dir), fmt.Sprint(r.Config.Seed), fmt.Sprintf("%d of %d", done, of), figureOf(r), "", "", ""}
		if n := len(r.Timings); n > 0 {
			last := r.Timings[n-1]
			row[4] = (time.Duration(last.Seconds*10) * time.Second / 10).String()
			row[5] = speed(r.Timings)
			peak := last.PeakRSSBytes
			if last.PeakDeviceBytes > 0 {
				peak = last.PeakDeviceBytes
			}
			row[6] = fmt.Sprintf("%.2f GB", float64(peak)/1e9)
		}
		rows = append(rows, row)
	}
	return table([]string{"part", "seed", "epochs", "measured last", "time", "images/s", "memory"}, rows...)
}

// speed returns the images a second of the newest steps whose time is known.
func speed(timings []runfolder.Timing) string {
	for _, t := range slices.Backward(timings) {
		if t.ItemsPerSecond > 0 {
			return fmt.Sprintf("%.0f", t.ItemsPerSecond)
		}
	}
	return ""
}

// epochs returns how many epochs of a run are done, and of how many.
func epochs(r *record.Run) (done, of int) {
	if n := len(r.Epochs); n > 0 {
		done = r.Epochs[n-1].Epoch + 1
	}
	return done, r.Config.RunEpochs()
}

// figureOf returns what a run measured after its last epoch.
func figureOf(r *record.Run) string {
	switch {
	case r.Diverged != nil:
		return "diverged"
	case r.Train != nil && r.Train.Tested != nil:
		return fmt.Sprintf("test error %.2f %%", r.Train.TestError)
	case r.Train != nil && r.Train.Validated != nil:
		return fmt.Sprintf("validation error %.2f %%", r.Train.ValidError)
	case len(r.Epochs) == 0:
		return ""
	}
	last := r.Epochs[len(r.Epochs)-1]
	switch {
	case last.TestAccuracy != nil:
		return fmt.Sprintf("test error %.2f %%", 100*(1-*last.TestAccuracy))
	case last.ValidAccuracy != nil:
		return fmt.Sprintf("validation error %.2f %%", 100*(1-*last.ValidAccuracy))
	}
	return ""
}

// cellText says which cell is drawn, and writes it out.
func (p *protocol) cellText() string {
	if p.cell == nil {
		return ""
	}
	name := filepath.Base(p.cellOf.Dir)
	done, of := epochs(p.cellOf)
	text := fmt.Sprintf("Of %s after %d of %s.\n\n", name, done, names.Count(of, "epoch"))
	line := "   "
	for _, word := range strings.Fields(p.cell.String()) {
		if len(line)+len(word) > 115 {
			text += line + "\n"
			line = "   "
		}
		line += " " + word
	}
	return text + line + "\n\n"
}

// table returns rows as a table in Markdown.
func table(header []string, rows ...[]string) string {
	var b strings.Builder
	for i, row := range append([][]string{header}, rows...) {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return b.String()
}
