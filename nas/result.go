package nas

import (
	"errors"
	"fmt"
	"path/filepath"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
)

// Finished tells whether the run in dir has a result. Whether it is a sound one is known
// when it is read.
func Finished(dir string) bool { return there(dir, resultFile) }

// complete writes the result, after which nothing goes back to the earlier checkpoints. They are
// removed before, so that the disk knows of both.
func (r *Run) complete(result any) error {
	if err := r.owns(); err != nil {
		return err
	}
	if err := keepOnly(r.Dir, 1); err != nil {
		return err
	}
	return r.writeJSON(resultFile, result)
}

// result is a SearchResult or a TrainResult.
type result interface {
	cell() genotype.Genotype
	// check is an error if no run of the config c has such a result.
	check(c *config.Config) error
}

// CheckResult is an error if the result of the complete run in dir, which is of the config c,
// does not read.
func CheckResult(dir string, c *config.Config) error {
	if c.Experiment == config.Search {
		return readResult(dir, c, &SearchResult{})
	}
	return readResult(dir, c, &TrainResult{})
}

// readResult reads the result of the complete run in dir, which is of the config c, and
// compares it with the run's genotype.
func readResult(dir string, c *config.Config, to result) error {
	if err := sameRun(dir, c); err != nil {
		return err
	}
	file := filepath.Join(dir, resultFile)
	resume := names.Command("darts", c.Experiment, "--resume", dir)
	again := fmt.Sprintf("restore the file, or delete it and go on with `%s`, which writes it anew from the checkpoint", resume)
	if err := readJSON(file, to); err != nil {
		return fmt.Errorf("%w; %s", err, again)
	}
	if err := to.check(c); err != nil {
		return fmt.Errorf("nas: %s: %w; %s", file, err, again)
	}
	g, err := ReadGenotype(dir)
	if err == nil && g.String() != to.cell().String() {
		err = fmt.Errorf("nas: %s and %s have different cells", file, GenotypeFile)
	}
	if err != nil {
		return fmt.Errorf("%w; restore it, or delete %s and go on with `%s`, which writes both anew", err, file, resume)
	}
	return nil
}

func (s *SearchResult) cell() genotype.Genotype { return s.Genotype }

func (s *SearchResult) check(c *config.Config) error {
	if err := fitting(s.Genotype, c); err != nil {
		return err
	}
	if s.Valid != nil && !s.Valid.sound() {
		return errors.New("valid: a perplexity is 1 or more")
	}
	want := 0
	if c.Evaluate != nil {
		want = 1 + c.Evaluate.Random
	}
	if len(s.Evaluations) != want {
		return fmt.Errorf("evaluations: %d, the config has %d", len(s.Evaluations), want)
	}
	for i := range s.Evaluations {
		if s.Evaluations[i].Diverged != nil {
			continue
		}
		if err := s.Evaluations[i].sound(); err != nil {
			return fmt.Errorf("evaluations[%d]: %w", i, err)
		}
	}
	return nil
}

func (t *TrainResult) cell() genotype.Genotype { return t.Genotype }

func (t *TrainResult) check(c *config.Config) error {
	if err := fitting(t.Genotype, c); err != nil {
		return err
	}
	g, err := parseGenotype(c)
	if err != nil {
		return err
	}
	if g.String() != t.Genotype.String() {
		return errors.New("genotype: the config has another cell")
	}
	return t.sound()
}

// fitting is an error if g is no cell of an experiment c.
func fitting(g genotype.Genotype, c *config.Config) error {
	if err := g.Validate(); err != nil {
		return err
	}
	return suits(g, c)
}

// sound is an error if no training ends so.
func (t *TrainResult) sound() error {
	kinds := 0
	for _, there := range []bool{t.Tested != nil, t.Validated != nil, t.Modelled != nil} {
		if there {
			kinds++
		}
	}
	percent := func(x float64) bool { return 0 <= x && x <= 100 }
	switch {
	case kinds != 1:
		return errors.New("want one of test_error, valid_error and test")
	case t.Tested != nil && (!percent(t.TestError) || t.TestLoss < 0):
		return fmt.Errorf("test_error %v %%, test_loss %v", t.TestError, t.TestLoss)
	case t.Validated != nil && (!percent(t.ValidError) || t.ValidLoss < 0):
		return fmt.Errorf("valid_error %v %%, valid_loss %v", t.ValidError, t.ValidLoss)
	case t.Modelled != nil && (t.Test == nil || !t.Test.sound() || t.Valid != nil && !t.Valid.sound()):
		return errors.New("test, valid: a perplexity is 1 or more")
	case t.Parameters < 1:
		return fmt.Errorf("parameters: %d", t.Parameters)
	}
	return nil
}

// sound tells whether p can be: log-likelihoods are not positive.
func (p *Perplexity) sound() bool { return p.Perplexity >= 1 && p.Unigram >= 1 }
