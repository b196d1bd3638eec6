package page

import (
	"cmp"
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
	{"head", ""}, {"results", "Results"}, {"costs", "Error and cost"}, {"correlation", "Does validation predict the test?"},
	{"curves", "Curves"}, {"cells", "Cells found"}, {"table", "All runs"}, {"notes", "Notes"},
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
	outcomes := o.Outcomes
	if len(outcomes) == 0 {
		outcomes = figure.Outcomes(labelled)
	}
	return &runsView{Runs: runs, Options: o, labelled: labelled, groups: figure.Groups(labelled), outcomes: outcomes}
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

// What says in a line what the runs have in common.
func (v *runsView) What() string {
	var data []string
	for _, r := range v.Runs {
		if name := names.Print(r.Config.Data.Name); !slices.Contains(data, name) {
			data = append(data, name)
		}
	}
	if len(data) == 0 {
		return "No runs"
	}
	return fmt.Sprintf("%s on %s", names.Count(len(v.Runs), "run"), names.Few(data))
}

// Facts say how many runs there are of each experiment and state.
func (v *runsView) Facts() []Fact {
	var f facts
	for _, it := range []struct{ name, experiment string }{{"searches", config.Search}, {"trainings", config.Train}} {
		if n := len(v.of(it.experiment)); n > 0 {
			f.add(it.name, fmt.Sprint(n))
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

// Long reports whether the table may cut the text.
func (c TableCell) Long() bool { return len(c.Text) > 30 }

// Table is the table of all runs. The config keys in which they differ come last.
func (v *runsView) Table() Table {
	t := v.htmlTable(runtable.Of(v.Runs, runtable.Options{}))
	if v.Options.Link != nil {
		for i := range t.Rows {
			t.Rows[i].Link = v.Options.Link(v.Runs[i])
		}
	}
	return t
}

// Results is the table of the cells that were tested, best first. Where there is none it is that of the
// runs, with one row for those that differ in their seed only; nil if none do.
func (v *runsView) Results() *Table {
	if v.Options.Table != nil {
		t := v.htmlTable(*v.Options.Table)
		return &t
	}
	if len(v.outcomes) > 0 {
		t := v.outcomeTable()
		return &t
	}
	if len(v.groups) == len(v.Runs) {
		return nil
	}
	t := v.htmlTable(runtable.Of(v.Runs, runtable.Options{Fold: true}))
	if len(v.of(config.Search)) == len(v.Runs) {
		t.Columns[0].Title = "searches"
	}
	return &t
}

func (v *runsView) outcomeTable() Table {
	outcomes := slices.SortedStableFunc(slices.Values(v.outcomes), func(a, b figure.Outcome) int { return cmp.Compare(a.Test().Mean, b.Test().Mean) })
	var t report.Table
	test, unit := "test error", "%"
	if outcomes[0].Text {
		test, unit = "test perplexity", ""
	}
	t.Columns = []report.Column{
		{Title: "cell"}, {Title: test, Unit: unit, Decimals: 2}, {Title: "best", Unit: unit, Decimals: 2}, {Title: "trainings"},
		{Title: strings.Replace(test, "test", "validation", 1), Unit: unit, Decimals: 2}, {Title: "parameters"}, {Title: "search time"},
	}
	for _, o := range outcomes {
		row := []report.Cell{{Text: o.Label}, report.SpreadCell(o.Tests), {}, report.NumberCell(float64(len(o.Tests))), {}, {Text: count(int64(o.Parameters))}, {}}
		if len(o.Tests) > 1 {
			row[2] = report.NumberCell(slices.Min(o.Tests))
		}
		if o.Valid != nil {
			row[4] = report.NumberCell(*o.Valid)
		}
		if o.SearchSeconds > 0 {
			row[6] = report.Cell{Text: duration(o.SearchSeconds)}
		}
		t.Rows = append(t.Rows, row)
	}
	h := v.htmlTable(t)
	for i := range h.Columns {
		if title := h.Columns[i].Title; title == "parameters" || title == "search time" {
			h.align(i)
		}
	}
	return h
}

// align writes a column as numbers, which it has with units.
func (t *Table) align(column int) {
	t.Columns[column].Numeric = true
	for i := range t.Rows {
		t.Rows[i].Cells[column].Numeric = true
	}
}

// htmlTable returns t with the columns of config keys behind all others.
func (v *runsView) htmlTable(t report.Table) Table {
	var configs []*config.Config
	for _, r := range v.Runs {
		configs = append(configs, r.Config)
	}
	keys := map[string]bool{}
	for _, k := range config.Varying(configs) {
		keys[k.Path] = k.Path != "seed" && k.Path != "experiment"
	}
	columns := t.Shown()
	slices.SortStableFunc(columns, func(a, b report.Shown) int {
		return cmp.Compare(map[bool]int{true: 1}[keys[a.Title]], map[bool]int{true: 1}[keys[b.Title]])
	})
	h := Table{Columns: columns, Rows: make([]TableRow, len(t.Rows))}
	for _, c := range columns {
		for row, text := range c.Cells {
			h.Rows[row].Cells = append(h.Rows[row].Cells, TableCell{names.Escape(text), c.Numeric})
		}
	}
	return h
}

// Curves are figures under a heading.
type Curves struct {
	Heading string
	Figures []template.HTML
}

// Curves are the means over seeds and the curves over each other: of searches, of trainings, and of those that
// hold images out, which have other curves.
func (v *runsView) Curves() (all []Curves) {
	var brief, full []figure.Labelled
	for _, r := range v.of(config.Train) {
		if r.Config.Data.TrainPortion < 1 && !r.Config.Data.IsText() {
			brief = append(brief, r)
		} else {
			full = append(full, r)
		}
	}
	for _, of := range []struct {
		heading string
		runs    []figure.Labelled
	}{{"Searches", bySettings(v.of(config.Search))}, {"Trainings", full}, {"Trainings that hold images out", brief}} {
		if len(of.runs) == 0 {
			continue
		}
		figures := inline(figure.MeanBand(figure.Groups(of.runs)), figure.Accuracies(of.runs), figure.Perplexities(of.runs), figure.Losses(of.runs),
			figure.Entropy(of.runs), figure.SkipConnections(of.runs), figure.Eigenvalue(of.runs))
		if len(figures) > 0 {
			all = append(all, Curves{of.heading, figures})
		}
	}
	return all
}

// bySettings names the runs by the few keys in which they differ, if these tell them apart.
func bySettings(runs []figure.Labelled) []figure.Labelled {
	var records []*record.Run
	for _, r := range runs {
		records = append(records, r.Run)
	}
	if len(runs) < 2 || slices.Equal(runtable.Names(records), runtable.Labels(records)) { // names are shorter among all runs
		return runs
	}
	named := make([]figure.Labelled, len(runs))
	for i, label := range runtable.Labels(records) {
		named[i] = figure.Labelled{Run: runs[i].Run, Label: label}
	}
	return named
}

// of returns the runs of an experiment.
func (v *runsView) of(experiment string) (runs []figure.Labelled) {
	for _, r := range v.labelled {
		if r.Config.Experiment == experiment {
			runs = append(runs, r)
		}
	}
	return runs
}

// Costs are test errors against what they cost.
func (v *runsView) Costs() []template.HTML {
	var all []*figure.Figure
	for _, by := range []figure.Cost{figure.ByTime, figure.ByONNXTime, figure.ByBytes, figure.ByParameters, figure.BySearch} {
		all = append(all, figure.Pareto(v.outcomes, by))
	}
	return inline(all...)
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
			found[i].Label += ", " + strings.TrimSuffix(r.Label, "/search")
			continue
		}
		cell := FoundCell{Label: strings.TrimSuffix(r.Label, "/search")}
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
