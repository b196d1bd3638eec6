package plan

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/nas/runtable"
)

// Files of a sweep's folder, besides a run folder for each choice of keys and seed.
const (
	sweepMarkdown = "sweep.md"
	sweepCSV      = "sweep.csv"
)

// sweep is the plan of a sweep.
//
// With halving, each rung has a part for each run. Runs are those of the last rung from the start: a part
// of an earlier rung leaves its run after that many epochs, and the next rung goes on with the best ones.
// So a run that is left at the end has the same bytes as without halving. Searches that train each cell
// from scratch cannot be left so, since their epochs are those of each cell: they start anew in each rung.
type sweep struct {
	*plan
	of       *config.SweepPlan
	selected []map[int]bool // by rung that is complete: the points that go on
}

// stopped is the state of a run that a rung left out.
const stopped record.State = "stopped"

// SweepResult is the result of a sweep.
type SweepResult struct {
	Table report.Table // a row for each choice of keys
	Best  string       // the choice that is best on validation data; empty if none has a result on them
}

// Sweep works on the sweep s in the folder dir until all its runs are settled, and writes its tables.
func Sweep(ctx context.Context, dir string, s *config.SweepPlan, settings Settings) (r SweepResult, err error) {
	for _, c := range append(runsOf(s), s.Base) {
		if c.Experiment == config.Train {
			g, err := runfolder.GenotypeFor(c, c.Genotype)
			if err != nil {
				return r, err
			}
			c.Genotype = g.String()
		}
	}
	if err := checkSweep(s, settings.Device); err != nil {
		return r, err
	}
	p := &sweep{plan: newPlan("sweep", dir, s.Experiments(), settings), of: s}
	p.inspected = p.shared()
	p.list()
	if err := p.complete(ctx); err != nil {
		return r, err
	}
	return p.report(ctx)
}

func runsOf(s *config.SweepPlan) (all []*config.Config) {
	for _, p := range s.Points {
		all = append(all, p.Runs...)
	}
	return all
}

// shared returns the base if all runs have its data. Otherwise it returns nothing: each run then inspects
// its own.
func (p *sweep) shared() []*config.Config {
	for _, c := range runsOf(p.of) {
		if own, base := c.Data, p.of.Base.Data; own.Name != base.Name || own.Root != base.Root || own.Labels != base.Labels {
			return nil
		}
	}
	return []*config.Config{p.of.Base}
}

// settings names what a point has of its own.
func settings(p config.Point) string {
	if len(p.Settings) == 0 {
		return "the base"
	}
	var all []string
	for _, s := range p.Settings {
		all = append(all, s.Key+"="+s.Value)
	}
	return names.Print(strings.Join(all, " "))
}

// rungs returns the epochs of each rung; of a sweep without halving 0, for one rung to the end.
func (p *sweep) rungs() []int {
	if rungs := p.of.Sweep.Halving.Rungs; len(rungs) > 1 {
		return rungs
	}
	return []int{0}
}

// runName returns the name of the run of a point with the config c, and of its folder.
func runName(point int, c *config.Config) string {
	return fmt.Sprintf("point-%d-seed-%d", point+1, c.Seed)
}

// rungName returns the name of a run's part in a rung.
func (p *sweep) rungName(point, rung int, c *config.Config) string {
	if rung == 0 {
		return runName(point, c)
	}
	return fmt.Sprintf("%s-epochs-%d", runName(point, c), p.rungs()[rung])
}

// folder returns the folder of a run in a rung.
func (p *sweep) folder(point, rung int, c *config.Config) string {
	if !c.FromScratch() {
		rung = 0
	}
	return p.file(p.rungName(point, rung, c))
}

// list lists the parts, rung by rung.
func (p *sweep) list() {
	var before, now []string
	for rung, epochs := range p.rungs() {
		for point := range p.of.Points {
			for _, c := range p.of.Points[point].Runs {
				it := part{name: p.rungName(point, rung, c), after: before}
				if c.FromScratch() && epochs > 0 {
					again := *c
					again.Epochs, c = epochs, &again
				} else {
					if rung < len(p.rungs())-1 {
						it.until = epochs
					}
					if rung > 0 {
						it.goOn = runName(point, c)
					}
				}
				it.config = func() (*config.Config, error) {
					if on, err := p.reaches(point, rung); err != nil || !on {
						return nil, err
					}
					return c, nil
				}
				p.parts = append(p.parts, it)
				now = append(now, it.name)
			}
		}
		before, now = now, nil
	}
}

// reaches reports whether a point has runs in a rung. The rung before has to be complete.
func (p *sweep) reaches(point, rung int) (bool, error) {
	if rung == 0 {
		return true, nil
	}
	if rung > len(p.selected) {
		best, err := p.best(rung - 1)
		if err != nil {
			return false, err
		}
		p.selected = append(p.selected, best)
	}
	return p.selected[rung-1][point], nil
}

// best returns the points that go on after a rung: of those in it the part to keep, by their mean results.
func (p *sweep) best(rung int) (map[int]bool, error) {
	var in []int
	results := map[int]float64{}
	for point := range p.of.Points {
		if on, err := p.reaches(point, rung); err != nil {
			return nil, err
		} else if on {
			in = append(in, point)
			if results[point], err = p.meanResult(point, rung); err != nil {
				return nil, err
			}
		}
	}
	keep := max(1, int(math.Round(p.of.Sweep.Halving.Keep*float64(len(in)))))
	slices.SortStableFunc(in, func(a, b int) int { return compareResults(results[a], results[b]) })
	on := map[int]bool{}
	for _, point := range in[:min(keep, len(in))] {
		if !math.IsNaN(results[point]) {
			on[point] = true
		}
	}
	return on, nil
}

// compareResults orders results, the best first. NaN, the result of a point all of whose runs diverged, is last.
func compareResults(a, b float64) int {
	switch {
	case a < b || !math.IsNaN(a) && math.IsNaN(b):
		return -1
	case b < a || math.IsNaN(a) && !math.IsNaN(b):
		return 1
	}
	return 0
}

// meanResult returns the mean validation result of a point's runs in a rung that did not diverge: an error in
// percent, or a perplexity. It is NaN if there is none.
func (p *sweep) meanResult(point, rung int) (float64, error) {
	sum, n := 0.0, 0
	for _, c := range p.of.Points[point].Runs {
		dir := p.folder(point, rung, c)
		if diverged, err := runfolder.ReadDivergence(dir); err != nil {
			return 0, err
		} else if diverged != nil {
			continue
		}
		r, err := record.Read(dir)
		if err != nil {
			return 0, err
		}
		if x := validated(r, p.rungs()[rung]); !math.IsNaN(x) {
			sum, n = sum+x, n+1
		}
	}
	return sum / float64(n), nil // NaN for n = 0
}

// validated returns the validation result of a run after so many epochs, or at its end if that is 0. Of a
// search that tries cells it is that of the best one. It is NaN if there is none.
func validated(r *record.Run, epochs int) float64 {
	result := math.NaN()
	for _, m := range r.Epochs {
		x := math.NaN()
		switch {
		case m.ValidAccuracy != nil:
			x = 100 * (1 - *m.ValidAccuracy)
		case m.ValidPerplexity != nil:
			x = *m.ValidPerplexity
		}
		if r.Config.FromScratch() {
			if compareResults(x, result) < 0 {
				result = x
			}
		} else if epochs == 0 || m.Epoch < epochs {
			result = x
		}
	}
	return result
}

// report makes the tables of a sweep whose parts are settled, and writes them. The error names the runs that
// diverged.
func (p *sweep) report(ctx context.Context) (r SweepResult, err error) {
	var runs []*record.Run
	best, least := -1, math.NaN()
	for point := range p.of.Points {
		last := 0
		for rung := range p.rungs() {
			on, err := p.reaches(point, rung)
			if err != nil {
				return r, err
			}
			if on {
				last = rung
			}
		}
		for _, c := range p.of.Points[point].Runs {
			run, err := record.Read(p.folder(point, last, c))
			if err != nil {
				return r, err
			}
			if run.State == record.Interrupted { // by halving: all parts are settled
				run.State = stopped
			}
			runs = append(runs, run)
		}
		result, err := p.meanResult(point, last)
		if err != nil {
			return r, err
		}
		if last == len(p.rungs())-1 && compareResults(result, least) < 0 {
			best, least = point, result
		}
	}
	o := runtable.Options{Epochs: len(p.rungs()) > 1}
	each := runtable.Of(runs, o)
	o.Fold = true
	r.Table = runtable.Of(runs, o)
	if best >= 0 {
		r.Best = fmt.Sprintf("point-%d, %s", best+1, settings(p.of.Points[best]))
	}
	err = p.write(ctx, func() error {
		if err := runfolder.Write(p.file(sweepMarkdown), []byte(r.Markdown())); err != nil {
			return err
		}
		return runfolder.Write(p.file(sweepCSV), []byte(each.CSV()))
	}, sweepMarkdown, sweepCSV)
	if err != nil {
		return r, err
	}
	return r, p.failed()
}

// best returns the line that names the best choice of keys; nothing if there is none.
func (r SweepResult) best() string {
	if r.Best == "" {
		return ""
	}
	return "Best on validation data: " + r.Best + "\n"
}

// Text returns the result for a terminal of that many columns.
func (r SweepResult) Text(width int) string { return r.Table.Text(width) + r.best() }

// Markdown returns the result as a document.
func (r SweepResult) Markdown() string {
	text := r.Table.Markdown()
	if r.Best != "" {
		text += "\n" + r.best()
	}
	return text
}
