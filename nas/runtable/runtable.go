// Package runtable makes tables of runs: a row for each run, or for each group of runs that differ in nothing but
// their seed, with the config keys in which they differ, results, sizes and costs.
package runtable

import (
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
)

// Options say how a table is made.
type Options struct {
	Fold   bool // one row for all runs that differ in their seed only
	Epochs bool // a column of the epochs that are done
}

// Of returns the table of runs. It names them by their paths below the folder that holds them all.
func Of(runs []*record.Run, o Options) report.Table {
	groups := make([][]int, len(runs))
	for i := range runs {
		groups[i] = []int{i}
	}
	if o.Fold {
		groups = folded(runs)
	}
	t := &table{runs: runs, groups: groups}
	names := Names(runs)
	t.text("run", func(i int) string { return names[i] }, common)
	t.settings()
	t.seeds(o.Fold)
	if o.Epochs {
		t.figure(figure{report.Column{Title: "epochs done"}, false, []unit{{"", 0, 0}}, func(r *record.Run) []float64 { return []float64{float64(len(r.Epochs))} }})
	}
	for _, f := range figures {
		t.figure(f)
	}
	t.published()
	for _, f := range costs {
		t.figure(f)
	}
	t.text("state", func(i int) string { return string(runs[i].State) }, counted)
	return t.Table
}

// table is a report.Table in the making.
type table struct {
	report.Table
	runs   []*record.Run
	groups [][]int // of each row: its runs
}

// add appends a column of the cells that of returns for each group.
func (t *table) add(c report.Column, of func(group []int) report.Cell) {
	t.Columns = append(t.Columns, c)
	if t.Rows == nil {
		t.Rows = make([][]report.Cell, len(t.groups))
	}
	for row, group := range t.groups {
		t.Rows[row] = append(t.Rows[row], of(group))
	}
}

// text appends a column of texts. together makes one text of those of a group.
func (t *table) text(title string, of func(i int) string, together func(texts []string) string) {
	t.add(report.Column{Title: title}, func(group []int) report.Cell {
		var texts []string
		for _, i := range group {
			texts = append(texts, of(i))
		}
		return report.Cell{Text: together(texts)}
	})
}

// settings appends the strategies, and a column for each other key in which the configs differ.
func (t *table) settings() {
	var configs []*config.Config
	for _, r := range t.runs {
		configs = append(configs, r.Config)
	}
	first := func(texts []string) string { return texts[0] }
	varying := config.Varying(configs)
	if slices.ContainsFunc(varying, func(v config.Variation) bool { return v.Path == "experiment" }) {
		t.text("experiment", func(i int) string { return configs[i].Experiment }, first)
	}
	t.text("strategy", func(i int) string { return configs[i].Strategy.Name }, first)
	t.cells()
	for _, v := range varying {
		switch v.Path {
		case "experiment", "strategy.name", "genotype", "seed": // in columns of their own
		default:
			t.add(report.Column{Title: v.Path, Decimals: -1}, func(group []int) report.Cell { return setting(v.Values[group[0]]) })
		}
	}
}

// cells appends the cells that runs train or have found: the name of a published one, "cell 1" for the first other,
// and so on, the same for the same cell. Readers see it if a run trains one or two have the same; in CSV they are whole.
func (t *table) cells() {
	short, others := map[string]string{"": ""}, 0
	for _, published := range slices.Concat(genotype.Published, genotype.PublishedRecurrent) {
		short[published.Genotype.String()] = published.Name
	}
	whole := make([]string, len(t.runs))
	shared := false
	count := map[string]int{}
	for i, r := range t.runs {
		whole[i] = genotypeOf(r)
		if _, ok := short[whole[i]]; !ok {
			others++
			short[whole[i]] = "cell " + strconv.Itoa(others)
		}
		count[whole[i]]++
		shared = shared || r.Config.Experiment == config.Train || whole[i] != "" && count[whole[i]] > 1
	}
	t.add(report.Column{Title: "cell", Raw: "genotype", RawOnly: !shared}, func(group []int) report.Cell {
		for _, i := range group[1:] {
			if whole[i] != whole[group[0]] {
				return report.Cell{} // seeds have found different ones
			}
		}
		return report.Cell{Text: short[whole[group[0]]], Raw: whole[group[0]]}
	})
}

// genotypeOf returns the cell that a run trains, or that it has found so far; empty if there is none.
func genotypeOf(r *record.Run) string {
	switch {
	case r.Search != nil:
		return r.Search.Genotype.String()
	case r.Train != nil:
		return r.Train.Genotype.String()
	case r.Config.Experiment == config.Train:
		if g, err := runfolder.GenotypeOf(r.Config); err == nil {
			return g.String()
		}
		return r.Config.Genotype
	}
	for _, m := range slices.Backward(r.Epochs) {
		if m.Genotype != "" {
			return m.Genotype
		}
	}
	return ""
}

// setting returns the cell of a key's value.
func setting(value string) report.Cell {
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || strings.ContainsAny(value, "xXnN_") { // no config writes hexadecimal numbers or infinity
		return report.Cell{Text: value}
	}
	return report.NumberCell(x)
}

// seeds appends the seeds, or of groups how many there are.
func (t *table) seeds(fold bool) {
	if !fold {
		t.add(report.Column{Title: "seed"}, func(group []int) report.Cell {
			seed := t.runs[group[0]].Config.Seed
			if int64(float64(seed)) != seed { // a float64 has not as many digits
				return report.Cell{Text: strconv.FormatInt(seed, 10)}
			}
			return report.NumberCell(float64(seed))
		})
		return
	}
	t.add(report.Column{Title: "runs"}, func(group []int) report.Cell { return report.NumberCell(float64(len(group))) })
}

// figure is a column of what a run reached or took.
type figure struct {
	report.Column
	least bool // the least is the best
	units []unit
	of    func(r *record.Run) []float64 // none if the run has no such figure
}

// unit is a unit for numbers from scale on.
type unit struct {
	name     string
	scale    float64
	decimals int
}

// mostDecimals bounds the digits of numbers in large units.
const mostDecimals = 4

// figure appends a column, in the largest unit that the greatest number reaches.
func (t *table) figure(f figure) {
	values := make([][]float64, len(t.runs))
	least, most := math.Inf(1), 0.0
	for i, r := range t.runs {
		values[i] = f.of(r)
		for _, x := range values[i] {
			most = max(most, x)
			if x > 0 {
				least = min(least, x)
			}
		}
	}
	for _, u := range f.units {
		f.Unit, f.Scale, f.Decimals = u.name, u.scale, u.decimals
		if most >= u.scale {
			break
		}
	}
	if f.Scale > 1 { // the least shows two digits
		for f.Decimals < mostDecimals && least/f.Scale*math.Pow10(f.Decimals) < 10 {
			f.Decimals++
		}
	}
	t.add(f.Column, func(group []int) report.Cell {
		var all []float64
		for _, i := range group {
			all = append(all, values[i]...)
		}
		if f.least {
			return report.LeastCell(all)
		}
		return report.SpreadCell(all)
	})
}

// published appends the published figures that the configs name, where the settings are those of the figure.
func (t *table) published() {
	for _, texts := range []bool{false, true} {
		c := report.Column{Title: "published", Unit: "%", Decimals: 2, Raw: "published test error percent"}
		if texts {
			c = report.Column{Title: "published perplexity", Decimals: 2, Raw: "published test perplexity"}
		}
		t.add(c, func(group []int) report.Cell {
			r := t.runs[group[0]]
			e := r.Config.Expect
			switch {
			case e == nil || len(e.Changed) > 0 || r.Config.Data.IsText() != texts:
				return report.Cell{}
			case texts:
				return report.NumberCell(e.TestPerplexity)
			}
			cell := report.NumberCell(e.TestError)
			if e.Std > 0 {
				cell.Number.Std, cell.Number.N = &e.Std, 0 // of how many runs is not known
			}
			return cell
		})
	}
}

// folded returns the runs in groups that differ in their seed only, in the order of their first runs.
func folded(runs []*record.Run) (groups [][]int) {
	at := map[string]int{}
	for i, r := range runs {
		c := *r.Config
		c.Seed, c.Expect, c.Data.Root = 0, nil, ""
		key, err := c.YAML()
		if err != nil || len(key) == 0 {
			groups = append(groups, []int{i})
			continue
		}
		g, ok := at[string(key)]
		if !ok {
			g = len(groups)
			at[string(key)] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// Names returns the paths of runs below the folder that holds them all, or the name of the folder of a single one.
func Names(runs []*record.Run) []string {
	if len(runs) == 0 {
		return nil
	}
	var paths []string
	for _, r := range runs {
		path, err := filepath.Abs(r.Dir)
		if err != nil { // there is no current folder
			path = r.Dir
		}
		paths = append(paths, path)
	}
	above := filepath.Dir(paths[0])
	inside := func(path string) (string, bool) {
		rel, err := filepath.Rel(above, path)
		return rel, err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
	}
	for _, path := range paths {
		for {
			if _, ok := inside(path); ok || above == filepath.Dir(above) {
				break
			}
			above = filepath.Dir(above)
		}
	}
	for i, path := range paths {
		if rel, ok := inside(path); ok {
			paths[i] = rel
			if rel == "." {
				paths[i] = filepath.Base(path)
			}
		}
	}
	return paths
}

// common returns one name for all: what is at the start of each, then a star.
func common(names []string) string {
	start := names[0]
	for _, name := range names[1:] {
		for !strings.HasPrefix(name, start) {
			_, size := utf8.DecodeLastRuneInString(start)
			start = start[:len(start)-size]
		}
	}
	if len(names) == 1 {
		return start
	}
	return start + "*"
}

// counted returns the text that all are, or how many there are of each.
func counted(texts []string) string {
	var each []string
	count := map[string]int{}
	for _, text := range texts {
		if count[text] == 0 {
			each = append(each, text)
		}
		count[text]++
	}
	if len(each) == 1 {
		return each[0]
	}
	for i, text := range each {
		each[i] = strconv.Itoa(count[text]) + " " + text
	}
	return strings.Join(each, ", ")
}
