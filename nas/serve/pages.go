package serve

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/page"
	"godarts/nas/record"
)

type listPage struct {
	shell
	Rows   []row
	States []stateCount
}

type stateCount struct {
	State record.State
	N     int
}

// row is a run in the list.
type row struct {
	listed
	ID, Ref, Link, Shown string
	Spark                template.HTML
	Percent              int
}

func (s *site) row(l *listed) row {
	r := row{listed: *l, ID: rowID(l.Name), Ref: reference(l.Name), Link: address("run", l.Name), Shown: s.title(l.Name), Spark: spark(l.Curve, 120, 28)}
	r.Percent = l.percent()
	return r
}

// percent returns how much of a run is done.
func (l listed) percent() int {
	if l.Epochs == 0 {
		return 0
	}
	done := float64(l.Epoch)
	if l.Steps > 0 {
		done += float64(l.Step) / float64(l.Steps)
	}
	return int(100 * min(1, done/float64(l.Epochs)))
}

// Kind says what a run does: "search, darts".
func (l listed) Kind() string {
	switch l.Experiment {
	case config.Search:
		return "search, " + names.Print(l.Strategy)
	case config.Train:
		return "training"
	}
	return ""
}

// Done says how far a run is: "epoch 3 of 50".
func (l listed) Done() string {
	what := "epoch"
	if l.config != nil && l.Experiment == config.Search && l.config.FromScratch() {
		what = "cell"
	}
	switch {
	case l.Epochs == 0:
		return ""
	case l.Step > 0 && l.Steps > 0:
		return fmt.Sprintf("%s %d of %d, step %d of %d", what, l.Epoch+1, l.Epochs, l.Step, l.Steps)
	case l.Step > 0:
		return fmt.Sprintf("%s %d of %d, step %d", what, l.Epoch+1, l.Epochs, l.Step)
	}
	return fmt.Sprintf("%s %d of %d", what, l.Epoch, l.Epochs)
}

// TimeLeft returns "1h02m".
func (l listed) TimeLeft() string {
	d := time.Duration(l.Left * float64(time.Second)).Round(time.Second)
	switch {
	case l.Left == 0:
		return ""
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}

// When returns the time of the last change.
func (l listed) When() string { return l.Changed.Format("2006-01-02 15:04") }

// Machine returns that time as pages want it for programs.
func (l listed) Machine() string { return l.Changed.Format(time.RFC3339) }

func (s *site) listPage(w http.ResponseWriter, _ *http.Request) {
	s.index.scan(s.watch.every)
	runs, version, _ := s.index.list(0)
	p := listPage{shell: shell{Title: "Runs in " + names.Print(s.base), Heading: "Runs in " + names.Print(s.base), Version: version}}
	for _, state := range []record.State{record.Running, record.Interrupted, record.Diverged, record.Done} {
		c := stateCount{State: state}
		for i := range runs {
			if runs[i].State == state {
				c.N++
			}
		}
		p.States = append(p.States, c)
	}
	for i := range runs {
		p.Rows = append(p.Rows, s.row(&runs[i]))
	}
	s.show(w, http.StatusOK, "list.html", p)
}

// live is the part of a run's page that follows its steps.
type live struct {
	listed
	Spark   template.HTML
	Percent int
	First   string // training loss
	Loss    string // the last one
}

func (s *site) live(l *listed) live {
	v := live{listed: *l, Percent: l.percent()}
	if l.State == record.Done {
		return v // its curves say more
	}
	if loss, err := s.losses.of(s.root, l.Name); err == nil && len(loss) > 0 {
		v.Spark = spark(loss, 640, 90)
		v.First, v.Loss = fmt.Sprintf("%.4f", loss[0]), fmt.Sprintf("%.4f", loss[len(loss)-1])
	}
	return v
}

// runPage is the page of a run, or one of two beside each other.
type runPage struct {
	shell
	listed
	Live             live
	Events, JSON, At string          // addresses
	Key              string          // changes with what events do not send
	Above, Below     []template.HTML // sections, above and below the live one
	Parts            []row           // runs below this one
	Problem          string
}

func (s *site) runPage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.named(w, r)
	if !ok {
		return
	}
	s.index.scan(time.Second) // the runs below it
	p := s.about(&l)
	all, err := s.record(l.Name)
	if err == nil {
		p.Above, err = s.sections(all, "head")
	}
	if err == nil {
		p.Below, err = s.sections(all, page.RunSections[1:]...)
	}
	if err != nil && p.Problem == "" {
		p.Problem = names.Print(err.Error())
	}
	for _, below := range s.index.below(l.Name) {
		p.Parts = append(p.Parts, s.row(&below))
	}
	s.show(w, http.StatusOK, "run.html", p)
}

// about returns what the page of a run has beside its sections.
func (s *site) about(l *listed) runPage {
	title := s.title(l.Name)
	return runPage{
		shell: shell{Title: title, Heading: title, Version: l.Version}, listed: *l, Live: s.live(l),
		Events: address("events", l.Name), JSON: address("json", l.Name), At: address("run", l.Name), Key: s.index.key(l.Name),
		Problem: names.Print(l.Problem),
	}
}

// options are those of all sections of runs that are, or are not, in progress.
func (s *site) options(live bool) page.Options {
	return page.Options{Live: live, Link: func(r *record.Run) string {
		name, err := filepath.Rel(s.root.Name(), r.Dir)
		if err != nil {
			return ""
		}
		return address("run", filepath.ToSlash(name))
	}}
}

// sections returns sections of the page of a run.
func (s *site) sections(r *record.Run, ids ...string) (all []template.HTML, err error) {
	for _, id := range ids {
		html, err := page.RunSection(id, r, s.options(r.State == record.Running))
		if err != nil {
			return nil, err
		}
		all = append(all, html)
	}
	return all, nil
}

// within reports whether a run lies below another.
func within(name, above string) bool {
	return name != above && (above == "." || strings.HasPrefix(name, above+"/"))
}

// below returns the runs below another, by name.
func (x *index) below(name string) (runs []listed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.runs {
		if within(r.Name, name) && r.isRun() {
			runs = append(runs, r.listed())
		}
	}
	slices.SortFunc(runs, func(a, b listed) int { return strings.Compare(a.Name, b.Name) })
	return runs
}

// key returns a text that changes when a run, or one below it, ends an epoch or changes its state.
func (x *index) key(name string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var sum uint64 // of hashes, since maps have no order
	for _, r := range x.runs {
		if r.Name == name || within(r.Name, name) {
			h := fnv.New64a()
			fmt.Fprintf(h, "%q %s %d %t", r.Name, r.State, r.Epoch, r.finished)
			sum += h.Sum64()
		}
	}
	return fmt.Sprintf("%x", sum)
}

// mostCompared bounds the runs that a page reads whole.
const mostCompared = 60

// comparePage shows several runs: two side by side, and tables and figures of all.
func (s *site) comparePage(w http.ResponseWriter, r *http.Request) {
	chosen := r.URL.Query()["run"]
	if len(chosen) < 2 || len(chosen) > mostCompared {
		s.fail(w, http.StatusBadRequest, fmt.Sprintf("Choose 2 to %d runs in the list.", mostCompared))
		return
	}
	p := comparison{shell: shell{Title: "Comparison", Heading: names.Count(len(chosen), "run")}}
	var runs []*record.Run
	for _, name := range chosen {
		var l listed
		name, err := url.PathUnescape(name)
		if err == nil {
			l, err = s.find(name)
		}
		if err != nil {
			s.fail(w, http.StatusNotFound, "There is no such run here.")
			return
		}
		about := s.about(&l)
		run, err := s.record(l.Name)
		if err == nil {
			about.Below, err = s.sections(run, "cells")
			runs = append(runs, run)
		}
		if err != nil && about.Problem == "" {
			about.Problem = names.Print(err.Error())
		}
		p.Runs = append(p.Runs, about)
	}
	if err := s.addSections(&p, runs); err != nil {
		s.fail(w, http.StatusInternalServerError, "The page cannot be made.")
		return
	}
	s.show(w, http.StatusOK, "compare.html", p)
}

type comparison struct {
	shell
	Runs     []runPage
	Sections []template.HTML // of all
}

// addSections adds the sections of all runs. Of two, each has its cells beside it.
func (s *site) addSections(p *comparison, runs []*record.Run) error {
	for _, id := range page.RunsSections {
		if id == "head" || id == "cells" && len(p.Runs) == 2 {
			continue
		}
		html, err := page.RunsSection(id, runs, s.options(true))
		if err != nil {
			return err
		}
		p.Sections = append(p.Sections, html)
	}
	return nil
}
