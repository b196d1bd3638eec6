package runfolder

import (
	"errors"
	"fmt"
	"path/filepath"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
)

// result is a SearchResult or a TrainResult.
type result interface {
	cell() genotype.Genotype
	// check returns an error if no run of the config c has this result.
	check(c *config.Config) error
}

// CheckResult returns an error if the result of the complete run in dir, of the config c, cannot be
// read.
func CheckResult(dir string, c *config.Config) error {
	if c.Experiment == config.Search {
		return ReadResult(dir, c, &SearchResult{})
	}
	return ReadResult(dir, c, &TrainResult{})
}

// ReadResult reads the result of the complete run in dir, of the config c, into to. It returns an error
// if the result and the run's genotype disagree.
func ReadResult(dir string, c *config.Config, to result) error {
	if err := CheckSameRun(dir, c); err != nil {
		return err
	}
	file := filepath.Join(dir, ResultFile)
	resume := names.Command("darts", c.Experiment, "--resume", dir)
	again := fmt.Sprintf("restore the file, or delete it and go on with `%s`, which writes it again from the checkpoint", resume)
	if err := ReadJSON(file, to); err != nil {
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
		return fmt.Errorf("%w; restore it, or delete %s and go on with `%s`, which writes both again", err, file, resume)
	}
	return nil
}

func (s *SearchResult) cell() genotype.Genotype { return s.Genotype }

func (s *SearchResult) check(c *config.Config) error {
	if err := checkCell(s.Genotype, c); err != nil {
		return err
	}
	if s.Valid != nil && !s.Valid.plausible() {
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
		if err := s.Evaluations[i].checkValues(); err != nil {
			return fmt.Errorf("evaluations[%d]: %w", i, err)
		}
	}
	return nil
}

func (t *TrainResult) cell() genotype.Genotype { return t.Genotype }

func (t *TrainResult) check(c *config.Config) error {
	if err := checkCell(t.Genotype, c); err != nil {
		return err
	}
	g, err := GenotypeOf(c)
	if err != nil {
		return err
	}
	if g.String() != t.Genotype.String() {
		return errors.New("genotype: the config has another cell")
	}
	return t.checkValues()
}

// checkCell returns an error if g is no cell of an experiment c.
func checkCell(g genotype.Genotype, c *config.Config) error {
	if err := g.Validate(); err != nil {
		return err
	}
	return checkKind(g, c)
}

// checkValues returns an error if no training has these values.
func (t *TrainResult) checkValues() error {
	kinds := 0
	for _, there := range []bool{t.Tested != nil, t.Validated != nil, t.LanguageModelResult != nil} {
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
	case t.LanguageModelResult != nil && (t.Test == nil || !t.Test.plausible() || t.Valid != nil && !t.Valid.plausible()):
		return errors.New("test, valid: a perplexity is 1 or more")
	case t.Parameters < 1:
		return fmt.Errorf("parameters: %d", t.Parameters)
	}
	return nil
}

// plausible reports whether a measurement can give p: log-likelihoods are not positive.
func (p *Perplexity) plausible() bool { return p.Perplexity >= 1 && p.Unigram >= 1 }

// SearchResult is the result of a complete search.
type SearchResult struct {
	Genotype    genotype.Genotype `json:"genotype"`
	Valid       *Perplexity       `json:"valid,omitempty"`       // of a text: the supernet's, after the last epoch
	Evaluations []TrainResult     `json:"evaluations,omitempty"` // of the found cell, then of the random ones
	Front       []FrontCell       `json:"front,omitempty"`       // of a search with two objectives, the cheapest first
}

// FrontCell is a cell on the front of two objectives: no cell that was tried is better in both.
type FrontCell struct {
	Genotype   genotype.Genotype `json:"genotype"`
	Trial      int               `json:"trial"`       // the folder trial-N is its training
	ValidError float64           `json:"valid_error"` // percent
	Cost       float64           `json:"cost"`        // as strategy.cost says; latency in seconds
}

// TrainResult is the result of a complete training, after its last epoch.
type TrainResult struct {
	Name                 string            `json:"name,omitempty"` // in a search: "found", "random-1", ...
	Genotype             genotype.Genotype `json:"genotype"`
	*Tested                                // of images; nil if the training holds images out
	*Validated                             // of images; nil if the training holds none out
	*LanguageModelResult                   // of a text
	Parameters           int               `json:"parameters"`        // without the auxiliary head
	Skipped              int               `json:"skipped,omitempty"` // images left out because they could not be decoded

	Diverged *DivergedError `json:"diverged,omitempty"` // of a part of a search that diverged: it has no other values
	Notes    []string       `json:"-"`                  // of a test: for its report
}

// Tested is the error and loss on the test images.
type Tested struct {
	TestError float64 `json:"test_error"` // percent
	TestLoss  float64 `json:"test_loss"`

	TestTopFiveError *float64 `json:"test_top_five_error,omitempty"` // percent; nil where there are ten classes or fewer
}

// Validated is the error and loss on the training images that the training held out (data.train_portion
// below 1). Such a training reads no test image.
type Validated struct {
	ValidError float64 `json:"valid_error"` // percent
	ValidLoss  float64 `json:"valid_loss"`

	ValidTopFiveError *float64 `json:"valid_top_five_error,omitempty"` // as TestTopFiveError
}

// FoundFolder is the folder, in a search's, of the training of the found cell.
const FoundFolder = "found"

// BestFile is the state, in the folder of a training on a text, after the epoch with the least
// validation loss. Its model is the result.
const BestFile = "best.safetensors"

// Perplexity is the perplexity of a model on the predicted tokens of a split.
type Perplexity struct {
	Perplexity float64 `json:"perplexity"`
	Unigram    float64 `json:"unigram"` // of the unigram model on the same tokens, see corpus.Corpus.UnigramLoss
}

func (p Perplexity) String() string {
	return fmt.Sprintf("perplexity %s, of the unigram model %s", Decimal(p.Perplexity), Decimal(p.Unigram))
}

// LanguageModelResult is the result of a training on a text.
type LanguageModelResult struct {
	Test      *Perplexity `json:"test,omitempty"`       // of the best model
	Valid     *Perplexity `json:"valid,omitempty"`      // of the best model; nil if only the test text was read
	BestEpoch int         `json:"best_epoch,omitempty"` // counted from 1
	Restarts  int         `json:"restarts,omitempty"`   // how often the training diverged and returned to the best model
}

// Decimal writes a perplexity with two decimals, from a million on with three digits and an exponent.
func Decimal(perplexity float64) string {
	if perplexity >= 1e6 {
		return fmt.Sprintf("%.3g", perplexity)
	}
	return fmt.Sprintf("%.2f", perplexity)
}
