package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// Cost is the time and the memory of a search.
type Cost struct {
	Seconds   float64 `json:"seconds"`
	PeakBytes int64   `json:"peak_bytes"` // peak resident memory of its process
}

// ComparisonSettings are the settings of a comparison.
type ComparisonSettings struct {
	Settings

	// Search starts or continues the search c in the folder dir, in its own process, so that its memory
	// can be measured. It returns the cost also with an error.
	Search func(ctx context.Context, dir string, c *config.Config) (Cost, error)
}

// Files of a comparison's folder, besides a folder for each strategy with its search and its trainings.
const (
	comparisonMarkdown = "contest.md"
	comparisonCSV      = "contest.csv"

	costFile = "effort.json" // in a strategy's folder: the cost of its search so far
)

// searchPart is the name of the search in a strategy's folder.
const searchPart = "search"

// comparison is the plan of a comparison on networks.
type comparison struct {
	*plan
	of     *config.NetworkComparison
	names  []string // of the strategies, then of the random cells
	search func(ctx context.Context, dir string, c *config.Config) (Cost, error)
}

// Compare compares strategies in the folder dir, and writes the tables. Each strategy searches once, in
// dir/NAME/search, and the cell that it finds is trained with several seeds, in dir/NAME/train-SEED.
func Compare(ctx context.Context, dir string, t *config.NetworkComparison, s ComparisonSettings) (report.Comparison, error) {
	if err := checkComparison(t, s.Device); err != nil {
		return report.Comparison{}, err
	}
	p := &comparison{newPlan("comparison", dir, t.Experiments(), s.Settings), t, nil, s.Search}
	p.inspected, p.run = []*config.Config{t.Train, t.Searches[0]}, p.runMeasured
	for i, c := range t.Searches {
		p.names = append(p.names, t.Names[i])
		search := t.Names[i] + "/" + searchPart
		p.parts = append(p.parts, part{name: search, config: func() (*config.Config, error) { return c, nil }})
		for _, seed := range p.trainSeeds() {
			training := *t.Train
			training.Seed = seed
			p.parts = append(p.parts, part{name: t.Names[i] + "/" + trainName(seed), after: []string{search}, config: func() (*config.Config, error) {
				return p.trainingOf(search, &training)
			}})
		}
	}
	if e := t.Compare.Evaluate; e != nil {
		p.listRandom(e.Random)
	}
	if err := p.complete(ctx); err != nil {
		return report.Comparison{}, err
	}
	return p.report(ctx)
}

// listRandom adds trainings of n random cells, with the seeds of the others.
func (p *comparison) listRandom(n int) {
	for i := range n {
		name := fmt.Sprintf("random-cell-%d", i+1)
		p.names = append(p.names, name)
		for _, seed := range p.trainSeeds() {
			c := *p.of.Train
			c.Seed, c.Genotype = seed, randomCell(p.of.Searches[0], i).String()
			p.parts = append(p.parts, part{name: name + "/" + trainName(seed), config: func() (*config.Config, error) { return &c, nil }})
		}
	}
}

func (p *comparison) trainSeeds() []int64 { return seeds(p.of.Train.Seed, p.of.Compare.Compare.Seeds) }

// report collects the results of a comparison whose parts are settled, and writes the tables.
func (p *comparison) report(ctx context.Context) (r report.Comparison, err error) {
	r.Trainings = p.of.Compare.Compare.Seeds
	for i, name := range p.names {
		entry, err := p.entry(name, i < len(p.of.Names))
		if err != nil {
			return r, err
		}
		r.Entries = append(r.Entries, entry)
	}
	err = p.write(ctx, func() error {
		if err := runfolder.Write(p.file(comparisonMarkdown), []byte(r.Markdown())); err != nil {
			return err
		}
		return runfolder.Write(p.file(comparisonCSV), []byte(r.CSV()))
	}, comparisonMarkdown, comparisonCSV)
	if err != nil {
		return r, err
	}
	return r, p.failed()
}

// entry returns the results of a strategy, or of a random cell, which has not searched.
func (p *comparison) entry(name string, searched bool) (entry report.Entry, err error) {
	entry.Name = name
	if !searched {
		return entry, p.trainings(&entry)
	}
	cost, err := p.cost(name)
	if err != nil {
		return entry, err
	}
	entry.SearchSeconds, entry.PeakBytes = cost.Seconds, cost.PeakBytes
	if !runfolder.Finished(p.file(name, searchPart)) {
		entry.Diverged = []string{searchPart}
		return entry, nil
	}
	found, err := runfolder.ReadGenotype(p.file(name, searchPart))
	if err != nil {
		return entry, err
	}
	entry.Genotype = found.String()
	return entry, p.trainings(&entry)
}

// trainings adds the results of the trainings of a cell.
func (p *comparison) trainings(entry *report.Entry) error {
	for _, seed := range p.trainSeeds() {
		training := entry.Name + "/" + trainName(seed)
		if !runfolder.Finished(p.file(training)) {
			entry.Diverged = append(entry.Diverged, trainName(seed))
			continue
		}
		result, err := p.result(training)
		if err != nil {
			return err
		}
		entry.Parameters, entry.Genotype = result.Parameters, result.Genotype.String()
		entry.TestErrors = append(entry.TestErrors, result.TestError)
	}
	return nil
}

// cost reads what the search of a strategy has taken until now.
func (p *comparison) cost(name string) (all Cost, err error) {
	if err := runfolder.ReadJSON(p.file(name, costFile), &all); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return all, fmt.Errorf("%w; restore the file, or delete it: what the search has taken until now is then not counted", err)
	}
	return all, nil
}

// runMeasured works on a training in this process, and on a search in a process of its own, whose cost it
// adds to that of the search's earlier processes.
func (p *comparison) runMeasured(ctx context.Context, name string, c *config.Config, s nas.Settings) error {
	strategy, ok := strings.CutSuffix(name, "/"+searchPart)
	if !ok {
		return p.runHere(ctx, name, c, s)
	}
	if err := p.wrong(wholefile.MakeFolder(p.file(strategy))); err != nil {
		return err
	}
	if err := p.wrong(wholefile.RemoveLeftovers(p.file(strategy), costFile, searchPart+".yaml")); err != nil {
		return err
	}
	all, err := p.cost(strategy)
	if err != nil {
		return err
	}
	folder := p.file(name)
	if runfolder.Has(folder, runfolder.LockFile) { // the process of a search outlives a killed comparison until it has saved
		held, err := runfolder.Lock(folder)
		if err != nil {
			return err
		}
		if err := held.Close(); err != nil {
			return p.wrong(err)
		}
	}
	if runfolder.HoldsRun(folder) && !runfolder.HoldsOnlyStart(folder) {
		if err := runfolder.CheckSameRun(folder, c); err != nil {
			return err
		}
	}
	file := p.file(strategy, costFile)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	counted := count(file, all, s.Guard, stop)
	part, err := p.search(ctx, folder, c)
	counted()
	all = Cost{all.Seconds + part.Seconds, max(all.PeakBytes, part.PeakBytes)}
	if failed := runfolder.WriteJSON(file, all); failed != nil {
		return cmp.Or(err, failed)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if how, unread := runfolder.ReadDivergence(folder); how != nil && unread == nil { // its process reports only that it failed
		return how
	}
	return err
}

// count adds the running search to the cost all and writes the sum once a second, so that it is counted
// also if this process is killed. It calls lost once the claim of the search is lost. Call stop to end
// that.
func count(file string, all Cost, guard func() error, lost func(error)) (stop func()) {
	const every = time.Second
	start, ended := time.Now(), make(chan struct{})
	var counting sync.WaitGroup
	counting.Go(func() {
		beat := time.NewTicker(every)
		defer beat.Stop()
		for {
			select {
			case <-ended:
				return
			case <-beat.C:
				if err := guard(); err != nil {
					lost(err)
					return
				}
				// An error here occurs again at the end, and is returned there.
				_ = runfolder.WriteJSON(file, Cost{all.Seconds + time.Since(start).Seconds(), all.PeakBytes})
			}
		}
	})
	return func() {
		close(ended)
		counting.Wait()
	}
}
