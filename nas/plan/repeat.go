package plan

import (
	"context"
	"fmt"
	"path/filepath"

	"godarts/nas/config"
	"godarts/nas/report"
	"godarts/nas/runfolder"
)

// ReportFile is the report in a protocol's folder, besides result.json and genotype.json. Its parts are
// search-SEED, brief-SEED (the short training of that search's cell) and train-SEED.
const ReportFile = "report.md"

// protocol is the plan of a repeat experiment.
type protocol struct {
	*plan
	whole *config.Whole
}

// Repeat works on the protocol w in the folder dir until all parts are complete, and writes the report.
func Repeat(ctx context.Context, dir string, w *config.Whole, s Settings) (report.Repeat, error) {
	if err := checkProtocol(w, s.Device); err != nil {
		return report.Repeat{}, err
	}
	p := &protocol{newPlan("protocol", dir, w.Experiments(), s), w}
	p.inspected = []*config.Config{w.Train, w.Search}
	p.list()
	if err := p.complete(ctx); err != nil {
		return report.Repeat{}, err
	}
	return p.report(ctx)
}

// HoldsProtocol reports whether dir is the folder of a protocol.
func HoldsProtocol(dir string) bool {
	return runfolder.Has(filepath.Dir(WholeConfig(dir)), config.WholeFile)
}

// WholeConfig returns the file from which config.LoadWhole reads the protocol in dir.
func WholeConfig(dir string) string {
	return filepath.Join(dir, runfolder.ProtocolConfigFolder, config.WholeFile)
}

// ReadProtocol reads the protocol in dir.
func ReadProtocol(dir string) (*config.Whole, error) {
	if err := checkFiles(filepath.Join(dir, runfolder.ProtocolConfigFolder)); err != nil {
		return nil, fmt.Errorf("nas: protocol folder: %w", err)
	}
	w, err := config.LoadWhole(WholeConfig(dir))
	if err != nil {
		return nil, damaged(err, dir)
	}
	return w, nil
}

// list lists the parts: all searches, the short trainings of their cells, and the trainings of the cell
// that these choose.
func (p *protocol) list() {
	var before []string
	for _, seed := range p.searchSeeds() {
		c := *p.whole.Search
		c.Seed = seed
		p.parts = append(p.parts, part{name: searchName(seed), config: func() (*config.Config, error) { return &c, nil }})
		before = append(before, searchName(seed))
	}
	for _, seed := range p.searchSeeds() {
		p.parts = append(p.parts, part{name: briefName(seed), after: []string{searchName(seed)}, config: func() (*config.Config, error) {
			return p.trainingOf(searchName(seed), p.whole.Brief())
		}})
		before = append(before, briefName(seed))
	}
	for _, seed := range p.trainSeeds() {
		p.parts = append(p.parts, part{name: trainName(seed), after: before, config: func() (*config.Config, error) {
			candidates, _, err := p.candidates()
			if err != nil {
				return nil, err
			}
			c := *p.whole.Train
			c.Seed = seed
			return p.trainingOf(candidates[report.Choose(candidates)].Name, &c)
		}})
	}
	for i := range p.random() {
		c := *p.whole.Train
		c.Genotype = randomCell(p.whole.Search, i).String()
		p.parts = append(p.parts, part{name: randomName(i), config: func() (*config.Config, error) { return &c, nil }})
	}
}

// random returns how many random cells are trained.
func (p *protocol) random() int {
	if e := p.whole.Repeat.Evaluate; e != nil {
		return e.Random
	}
	return 0
}

func randomName(i int) string { return fmt.Sprintf("random-%d", i+1) }

func searchName(seed int64) string { return fmt.Sprintf("search-%d", seed) }
func briefName(seed int64) string  { return fmt.Sprintf("brief-%d", seed) }
func trainName(seed int64) string  { return fmt.Sprintf("train-%d", seed) }

func (p *protocol) searchSeeds() []int64 {
	return seeds(p.whole.Search.Seed, p.whole.Repeat.Repeat.Searches)
}

func (p *protocol) trainSeeds() []int64 {
	return seeds(p.whole.Train.Seed, p.whole.Repeat.Repeat.Trains)
}

func seeds(first int64, n int) (all []int64) {
	for i := range int64(n) {
		all = append(all, first+i)
	}
	return all
}

// candidates returns the cells that the searches found, with the results of their short trainings, none
// of which depends on test images. Searches of which a part diverged are in failed. It returns an error
// if no candidate is left.
func (p *protocol) candidates() (all []report.Candidate, failed []report.Failure, err error) {
	for _, seed := range p.searchSeeds() {
		failure, err := p.failure(seed, searchName(seed), briefName(seed))
		if err != nil {
			return nil, nil, err
		}
		if failure != nil {
			failed = append(failed, *failure)
			continue
		}
		r, err := p.result(briefName(seed))
		if err != nil {
			return nil, nil, err
		}
		if r.Validated == nil {
			return nil, nil, fmt.Errorf("nas: %s has no valid_error: it is no training that held images out", p.file(briefName(seed), runfolder.ResultFile))
		}
		all = append(all, report.Candidate{
			Name: searchName(seed), Seed: seed, Genotype: r.Genotype.String(), Parameters: r.Parameters,
			ValidError: r.ValidError, ValidLoss: r.ValidLoss,
		})
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("nas: no search is left to choose from: %w", p.failed())
	}
	return all, failed, nil
}

// failure returns the first divergence among these parts, nil if none diverged.
func (p *protocol) failure(seed int64, parts ...string) (*report.Failure, error) {
	for _, name := range parts {
		diverged, err := p.diverged(name)
		if err != nil {
			return nil, err
		}
		if diverged != nil {
			return &report.Failure{Name: name, Seed: seed, What: diverged.Short()}, nil
		}
	}
	return nil, nil
}

// report collects the results of a protocol whose parts are complete, and writes them. The error names the
// parts that diverged.
func (p *protocol) report(ctx context.Context) (r report.Repeat, err error) {
	if r.Searches, r.FailedSearches, err = p.candidates(); err != nil {
		return r, err
	}
	chosen := r.Searches[report.Choose(r.Searches)]
	r.Chosen, r.Genotype = chosen.Name, chosen.Genotype
	if err := p.trainings(&r); err != nil {
		return r, err
	}
	failed := p.failed()
	if len(r.Trainings) == 0 {
		return r, fmt.Errorf("nas: no training is left to report: %w", failed)
	}
	if e := p.whole.Repeat.Expect; e != nil {
		r.Expect = &report.Published{TestError: e.TestError, Std: e.Std, Source: e.Source, Title: e.Title()}
	}
	g, err := runfolder.ReadGenotype(p.file(r.Chosen))
	if err != nil {
		return r, err
	}
	err = p.write(ctx, func() error {
		if err := runfolder.WriteJSON(p.file(runfolder.GenotypeFile), g); err != nil {
			return err
		}
		if err := runfolder.Write(p.file(ReportFile), []byte(r.Markdown())); err != nil {
			return err
		}
		return runfolder.WriteJSON(p.file(runfolder.ResultFile), r)
	}, runfolder.GenotypeFile, ReportFile, runfolder.ResultFile)
	if err != nil {
		return r, err
	}
	return r, failed
}

// trainings adds the trainings of the chosen cell to r.
func (p *protocol) trainings(r *report.Repeat) error {
	var testErrors []float64
	for _, seed := range p.trainSeeds() {
		t, parameters, err := p.training(trainName(seed), seed, &r.FailedTrainings)
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		r.Parameters = parameters
		r.Trainings = append(r.Trainings, *t)
		testErrors = append(testErrors, t.TestError)
	}
	r.TestError = report.SpreadOf(testErrors)
	for i := range p.random() {
		t, _, err := p.training(randomName(i), p.whole.Train.Seed, &r.FailedTrainings)
		if err != nil {
			return err
		}
		if t != nil {
			r.Random = append(r.Random, *t)
		}
	}
	return nil
}

// training returns the result of a training, and the number of parameters. If it diverged, training adds it to
// failed and returns nil.
func (p *protocol) training(name string, seed int64, failed *[]report.Failure) (*report.Training, int, error) {
	failure, err := p.failure(seed, name)
	if err != nil {
		return nil, 0, err
	}
	if failure != nil {
		*failed = append(*failed, *failure)
		return nil, 0, nil
	}
	t, err := p.result(name)
	if err != nil {
		return nil, 0, err
	}
	if t.Tested == nil {
		return nil, 0, fmt.Errorf("nas: %s has no test_error: it is no training that ends with the test images", p.file(name, runfolder.ResultFile))
	}
	return &report.Training{Name: name, Seed: seed, TestError: t.TestError, TestLoss: t.TestLoss}, t.Parameters, nil
}
