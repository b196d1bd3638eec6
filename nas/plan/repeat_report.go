package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

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
		return nil, nil, fmt.Errorf("nas: no search is left to choose from: %w", p.failed(failed))
	}
	return all, failed, nil
}

// failure returns the first divergence among these parts, nil if none diverged.
func (p *protocol) failure(seed int64, parts ...string) (*report.Failure, error) {
	for _, name := range parts {
		diverged, err := runfolder.ReadDivergence(p.file(name))
		if err != nil {
			return nil, err
		}
		if diverged != nil {
			return &report.Failure{Name: name, Seed: seed, What: diverged.Short()}, nil
		}
	}
	return nil, nil
}

// failed returns an error that names the parts that diverged, nil if none did.
func (p *protocol) failed(parts []report.Failure) error {
	e := &runfolder.FailedError{Of: 2*len(p.searchSeeds()) + len(p.trainSeeds())}
	for _, it := range parts {
		e.Add(it.Name, it.What)
	}
	return e.Err()
}

// report collects the results of a protocol whose parts are complete, and writes them. Every process
// writes the same bytes. The error names the parts that diverged.
func (p *protocol) report(ctx context.Context) (r report.Repeat, err error) {
	if r.Searches, r.FailedSearches, err = p.candidates(); err != nil {
		return r, err
	}
	chosen := r.Searches[report.Choose(r.Searches)]
	r.Chosen, r.Genotype = chosen.Name, chosen.Genotype
	if err := p.trainings(&r); err != nil {
		return r, err
	}
	failed := p.failed(slices.Concat(r.FailedSearches, r.FailedTrainings))
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
	held, err := p.lockReport(ctx)
	if err != nil {
		return r, err
	}
	defer held.Close()
	if err := p.removeLeftovers(); err != nil {
		return r, err
	}
	if err := runfolder.WriteJSON(p.file(runfolder.GenotypeFile), g); err != nil {
		return r, err
	}
	if err := runfolder.Write(p.file(ReportFile), []byte(r.Markdown())); err != nil {
		return r, err
	}
	if err := runfolder.WriteJSON(p.file(runfolder.ResultFile), r); err != nil {
		return r, err
	}
	return r, failed
}

// trainings adds the trainings of the chosen cell to r.
func (p *protocol) trainings(r *report.Repeat) error {
	var testErrors []float64
	for _, seed := range p.trainSeeds() {
		failure, err := p.failure(seed, trainName(seed))
		if err != nil {
			return err
		}
		if failure != nil {
			r.FailedTrainings = append(r.FailedTrainings, *failure)
			continue
		}
		t, err := p.result(trainName(seed))
		if err != nil {
			return err
		}
		if t.Tested == nil {
			return fmt.Errorf("nas: %s has no test_error: it is no training that ends with the test images", p.file(trainName(seed), runfolder.ResultFile))
		}
		r.Parameters = t.Parameters
		r.Trainings = append(r.Trainings, report.Training{Name: trainName(seed), Seed: seed, TestError: t.TestError, TestLoss: t.TestLoss})
		testErrors = append(testErrors, t.TestError)
	}
	r.TestError = report.SpreadOf(testErrors)
	return nil
}

// lockReport waits until no other process writes the report. Only then can leftovers be told from files
// that another process is about to rename.
func (p *protocol) lockReport(ctx context.Context) (*os.File, error) {
	const look = 50 * time.Millisecond
	for {
		held, err := runfolder.Lock(p.dir)
		if !errors.Is(err, runfolder.ErrBusy) {
			return held, err
		}
		if err := pause(ctx, look); err != nil {
			return nil, err
		}
	}
}

// result reads the result of a complete training, which ready has checked.
func (p *protocol) result(part string) (r runfolder.TrainResult, err error) {
	err = runfolder.ReadJSON(p.file(part, runfolder.ResultFile), &r)
	return r, err
}

func (p *protocol) file(names ...string) string {
	return filepath.Join(append([]string{p.dir}, names...)...)
}

// removeLeftovers removes what kills left in the folder. It is called when the protocol is complete,
// since only then no other process can be creating it.
func (p *protocol) removeLeftovers() error {
	staged, err := filepath.Glob(p.file(".config-*"))
	if err != nil { // the folder's name is a malformed pattern
		return nil
	}
	for _, dir := range staged {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("nas: protocol folder: %w", err)
		}
	}
	if err := wholefile.RemoveLeftovers(p.dir, runfolder.GenotypeFile, ReportFile, runfolder.ResultFile); err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	if err := wholefile.RemoveLeftovers(p.file(runfolder.ProtocolConfigFolder), runfolder.DataFile, "search-"+runfolder.DataFile); err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	return nil
}
