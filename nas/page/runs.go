package page

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"godarts/nas/config"
	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runtable"
)

// runsSections are the sections of the page of several runs.
var runsSections = []section{
	{"head", ""}, {"table", "Runs"}, {"folded", "By setting, over seeds"}, {"costs", "Error and cost"}, {"correlation", "Does validation predict the test?"},
	{"curves", "Curves"}, {"seeds", "Mean over seeds"}, {"cells", "Cells found"}, {"notes", "Notes"},
}

// RunsSections are the ids of the sections of the page of several runs.
var RunsSections = ids(runsSections)

// WriteRuns writes the page of several runs. They may be in progress.
func WriteRuns(w io.Writer, runs []*record.Run, o Options) error {
	v := newRunsView(runs, o)
	return write(w, o, v.Name(), "runs", runsSections, v)
}

// RunsSection returns a section of the page of several runs, by its id.
func RunsSection(id string, runs []*record.Run, o Options) (template.HTML, error) {
	s, err := named(runsSections, id)
	if err != nil {
		return "", err
	}
	return s.render("runs", newRunsView(runs, o))
}

// runsView is what the templates of several runs ask for.
type runsView struct {
	Runs     []*record.Run
	Options  Options
	labelled []figure.Labelled
	groups   []figure.Group
	outcomes []figure.Outcome
}

func newRunsView(runs []*record.Run, o Options) *runsView {
	labelled := figure.Label(runs)
	return &runsView{Runs: runs, Options: o, labelled: labelled, groups: figure.Groups(labelled), outcomes: figure.Outcomes(labelled)}
}

// Name is the name of the folder that holds all runs.
func (v *runsView) Name() string {
	if len(v.Runs) == 0 {
		return "runs"
	}
	above := filepath.Dir(v.Runs[0].Dir)
	for _, r := range v.Runs[1:] {
		for {
			rel, err := filepath.Rel(above, r.Dir)
			if err != nil || rel != ".." && !strings.HasPrefix(rel, "../") {
				break
			}
			above = filepath.Dir(above)
		}
	}
	if name := base(above); name != "/" {
		return name
	}
	return "runs"
}

// Facts say how many runs there are of each experiment and state.
func (v *runsView) Facts() []Fact {
	var f facts
	for _, experiment := range []string{config.Search, config.Train} {
		n := 0
		for _, r := range v.Runs {
			if r.Config.Experiment == experiment {
				n++
			}
		}
		if n > 0 {
			f.add(map[string]string{config.Search: "searches", config.Train: "trainings"}[experiment], fmt.Sprint(n))
		}
	}
	for _, s := range []record.State{record.Done, record.Running, record.Interrupted, record.Diverged} {
		n := 0
		for _, r := range v.Runs {
			if r.State == s {
				n++
			}
		}
		if n > 0 {
			f.add(string(s), fmt.Sprint(n))
		}
	}
	seconds := 0.0
	for _, r := range v.Runs {
		seconds += figure.Seconds(r)
	}
	if seconds > 0 {
		f.add("time in all", duration(seconds))
	}
	return f
}

// Table is a table of HTML: its columns, and the runs of its rows if each is one.
type Table struct {
	Columns []report.Shown
	Rows    []TableRow
}

// TableRow is a row; Link may be empty.
type TableRow struct {
	Cells []TableCell
	Link  string
}

// TableCell is a cell.
type TableCell struct {
	Text    string
	Numeric bool
}

// Table is the table of all runs.
func (v *runsView) Table() Table {
	t := htmlTable(runtable.Of(v.Runs, runtable.Options{}))
	if v.Options.Link != nil {
		for i := range t.Rows {
			t.Rows[i].Link = v.Options.Link(v.Runs[i])
		}
	}
	return t
}

// Folded is the table with one row for runs that differ in their seed only; nil if none do.
func (v *runsView) Folded() *Table {
	if len(v.groups) == len(v.Runs) {
		return nil
	}
	t := htmlTable(runtable.Of(v.Runs, runtable.Options{Fold: true}))
	return &t
}

func htmlTable(t report.Table) Table {
	h := Table{Columns: t.Shown(), Rows: make([]TableRow, len(t.Rows))}
	for _, c := range h.Columns {
		for row, text := range c.Cells {
			h.Rows[row].Cells = append(h.Rows[row].Cells, TableCell{names.Escape(text), c.Numeric})
		}
	}
	return h
}

// Curves are the curves of the searches over each other, then those of the trainings.
func (v *runsView) Curves() (all []template.HTML) {
	for _, experiment := range []string{config.Search, config.Train} {
		var runs []figure.Labelled
		for _, r := range v.labelled {
			if r.Config.Experiment == experiment {
				runs = append(runs, r)
			}
		}
		if len(runs) == 0 {
			continue
		}
		for _, f := range []*figure.Figure{figure.Accuracies(runs), figure.Perplexities(runs), figure.Losses(runs), figure.Entropy(runs), figure.SkipConnections(runs), figure.Eigenvalue(runs)} {
			if f != nil {
				f.Title = map[string]string{config.Search: "Searches", config.Train: "Trainings"}[experiment] + ": " + f.Title
			}
			all = append(all, inline(f)...)
		}
	}
	return all
}

// Seeds are the means over seeds, of searches and of trainings.
func (v *runsView) Seeds() (all []template.HTML) {
	for _, experiment := range []string{config.Search, config.Train} {
		var groups []figure.Group
		for _, g := range v.groups {
			if g.Runs[0].Config.Experiment == experiment {
				groups = append(groups, g)
			}
		}
		all = append(all, inline(figure.MeanBand(groups))...)
	}
	return all
}

// Costs are test errors against what they cost.
func (v *runsView) Costs() []template.HTML {
	return inline(figure.Pareto(v.outcomes, figure.ByParameters), figure.Pareto(v.outcomes, figure.BySearch))
}

// Correlation compares the orders of cells by validation and by test.
type Correlation struct {
	N                 int
	Kendall, Spearman string
	Picture           []template.HTML
}

// Correlation returns nil for fewer than three cells that have both.
func (v *runsView) Correlation() *Correlation {
	valid, test := figure.ValidAndTest(v.outcomes)
	if len(valid) < 3 {
		return nil
	}
	c := figure.Correlate(valid, test)
	return &Correlation{c.N, coefficient(c.Kendall), coefficient(c.Spearman), inline(figure.ValidTest(v.outcomes))}
}

func coefficient(x float64) string {
	if math.IsNaN(x) {
		return "not defined: all are equal"
	}
	return strings.Replace(fmt.Sprintf("%.2f", x), "-", "−", 1)
}

// FoundCell is a cell that a search found.
type FoundCell struct {
	Label    string
	Pictures []template.HTML
}

// mostCells bounds the searches whose cells are drawn.
const mostCells = 12

// Cells are the cells of the searches, without those that another one found before.
func (v *runsView) Cells() (found []FoundCell) {
	var seen []string
	for _, r := range v.labelled {
		if r.Search == nil || len(found) == mostCells {
			continue
		}
		text := r.Search.Genotype.String()
		if i := slices.Index(seen, text); i >= 0 {
			found[i].Label += ", " + r.Label
			continue
		}
		cell := FoundCell{Label: r.Label}
		for _, kind := range r.Search.Genotype.Kinds() {
			if picture, ok := drawing(*r.Search.Genotype.Cell(kind), kind); ok {
				cell.Pictures = append(cell.Pictures, picture)
			}
		}
		seen, found = append(seen, text), append(found, cell)
	}
	return found
}

// Notes are what could not be read of any run.
func (v *runsView) Notes() (notes []string) {
	for _, r := range v.labelled {
		notes = append(notes, r.Notes...)
		if r.Diverged != nil {
			notes = append(notes, r.Label+" diverged in "+r.Diverged.Short())
		}
	}
	return notes
}
