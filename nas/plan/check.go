package plan

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/torch"
)

// checkProtocol checks all parts of a protocol before the first begins.
func checkProtocol(w *config.Whole, d torch.Device) error {
	if err := images.CheckNamed(w.Search, d); err != nil {
		return fmt.Errorf("nas: repeat.search: %w", err)
	}
	if err := checkFound(w.Search, w.Brief(), d); err != nil {
		return fmt.Errorf("nas: repeat.brief: %w", err)
	}
	if err := checkFound(w.Search, w.Train, d); err != nil {
		return fmt.Errorf("nas: evaluate.train: %w", err)
	}
	return nil
}

// checkComparison checks all parts of a comparison before the first begins.
func checkComparison(t *config.NetworkComparison, d torch.Device) error {
	for i, c := range t.Searches {
		if err := images.CheckNamed(c, d); err != nil {
			return fmt.Errorf("nas: compare.search: strategy %s: %w", t.Names[i], err)
		}
		if err := checkFound(c, t.Train, d); err != nil {
			return fmt.Errorf("nas: evaluate.train: strategy %s: %w", t.Names[i], err)
		}
	}
	return nil
}

// checkSweep checks all runs of a sweep before the first begins.
func checkSweep(s *config.SweepPlan, d torch.Device) error {
	for _, p := range s.Points {
		c := p.Runs[0]
		var err error
		if c.Data.IsText() {
			err = (&nas.Run{Config: c, Device: d}).Open(true)
		} else {
			err = images.CheckNamed(c, d)
		}
		if err != nil {
			return fmt.Errorf("nas: sweep: %s: %w", settings(p), err)
		}
	}
	return nil
}

// randomCell returns a random cell of the space of the search c, as a search with this config trains it beside the found
// one.
func randomCell(c *config.Config, i int) genotype.Genotype {
	return images.Space(c).Sample(rng.Stream(c.Seed, "random", i))
}

// checkFound checks the training t of every cell that the search c could find.
func checkFound(c, t *config.Config, d torch.Device) error {
	sizes, err := images.Sizes(t)
	if err != nil {
		return err
	}
	return images.CheckEvaluations(c, t, sizes, d, "")
}
