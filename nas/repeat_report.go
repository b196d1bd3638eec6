package nas

import (
	"fmt"
	"os"
	"path/filepath"

	"godarts/nas/report"
	"godarts/nas/wholefile"
)

// candidates are the cells that the searches found, with the results of their short
// trainings, all of which are complete. They hold nothing of the test images.
func (p *protocol) candidates() (all []report.Candidate, err error) {
	for _, seed := range p.searchSeeds() {
		r, err := p.result(briefName(seed))
		if err != nil {
			return nil, err
		}
		if r.Validated == nil {
			return nil, fmt.Errorf("nas: %s has no valid_error: it is no training that held images out", p.file(briefName(seed), resultFile))
		}
		all = append(all, report.Candidate{
			Name: searchName(seed), Seed: seed, Genotype: r.Genotype.String(), Parameters: r.Parameters,
			ValidError: r.ValidError, ValidLoss: r.ValidLoss,
		})
	}
	return all, nil
}

// report gathers the results of a complete protocol and writes them. Every process writes
// the same bytes.
func (p *protocol) report() (r report.Repeat, err error) {
	if r.Searches, err = p.candidates(); err != nil {
		return r, err
	}
	chosen := r.Searches[report.Choose(r.Searches)]
	r.Chosen, r.Genotype = chosen.Name, chosen.Genotype
	var testErrors []float64
	for _, seed := range p.trainSeeds() {
		t, err := p.result(trainName(seed))
		if err != nil {
			return r, err
		}
		if t.Tested == nil {
			return r, fmt.Errorf("nas: %s has no test_error: it is no training that ends with the test images", p.file(trainName(seed), resultFile))
		}
		r.Parameters = t.Parameters
		r.Trainings = append(r.Trainings, report.Training{Name: trainName(seed), Seed: seed, TestError: t.TestError, TestLoss: t.TestLoss})
		testErrors = append(testErrors, t.TestError)
	}
	r.TestError = report.SpreadOf(testErrors)
	if e := p.whole.Repeat.Expect; e != nil {
		r.Expect = &report.Published{TestError: e.TestError, Std: e.Std, Source: e.Source, Title: e.Title()}
	}
	g, err := ReadGenotype(p.file(r.Chosen))
	if err != nil {
		return r, err
	}
	if err := writeJSON(p.file(GenotypeFile), g); err != nil {
		return r, err
	}
	if err := p.removeLeftovers(); err != nil {
		return r, err
	}
	if err := write(p.file(ReportFile), []byte(r.Markdown())); err != nil {
		return r, err
	}
	return r, writeJSON(p.file(resultFile), r)
}

// result is that of a complete training, which ready has checked.
func (p *protocol) result(part string) (r TrainResult, err error) {
	err = readJSON(p.file(part, resultFile), &r)
	return r, err
}

func (p *protocol) file(names ...string) string {
	return filepath.Join(append([]string{p.dir}, names...)...)
}

// removeLeftovers removes what kills left of the protocol's beginning. Only a complete one is
// sure not to be begun by another process now.
func (p *protocol) removeLeftovers() error {
	staged, err := filepath.Glob(p.file(".config-*"))
	if err != nil { // a folder whose name is a malformed pattern
		return nil
	}
	for _, dir := range staged {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("nas: protocol folder: %w", err)
		}
	}
	if err := wholefile.RemoveLeftovers(p.file(wholeFolder), dataFile, "search-"+dataFile); err != nil {
		return fmt.Errorf("nas: protocol folder: %w", err)
	}
	return nil
}
