package config

import "fmt"

// Values of Strategy.Selection.
const (
	ByAlpha        = "alpha"
	ByPerturbation = "perturbation"
)

// EarlyStop ends a search by DARTS before alpha favours cells that do badly, which the
// dominant eigenvalue of the validation loss's Hessian in alpha foretells by its growth
// (arXiv 1909.09656, sec. 5.1). Defaults besides Every are those of the paper's code,
// which measures every 2 epochs.
type EarlyStop struct {
	Every  int     `key:"every" range:"[0,)" doc:"measure the dominant eigenvalue after the first epoch, each N-th from there, and the last, and stop the search early if it grows; 0 is off"`
	Window int     `key:"window" range:"[1,)" doc:"measurements in a mean, centred on the middle one"`
	Start  int     `key:"start" range:"[0,)" doc:"the first epoch whose cells an early stop may return, from 0"`
	Delta  int     `key:"delta" range:"[1,)" doc:"measurements between the two means that are compared"`
	Factor float64 `key:"factor" range:"(0,)" doc:"the search stops where a mean is more than this times the one strategy.early_stop.delta before, whose epoch's cells it returns"`
}

// Perturbation is the phase of training that decides one edge after another (DARTS-PT,
// arXiv 2108.04392). Defaults are those of the paper's code.
type Perturbation struct {
	Interval int     `key:"interval" range:"[1,)" doc:"epochs of training from a decision to the next"`
	LR       float64 `key:"lr" range:"(0,)" doc:"learning rate of the weights between decisions"`
}

func dartsDefaults(kind string) Strategy {
	s := Strategy{Name: DARTS, Order: 1}
	if kind == images {
		s.SkipLimit = -1
		s.EarlyStop = EarlyStop{Window: 5, Start: 10, Delta: 4, Factor: 1.3}
		s.Selection, s.Perturbation = ByAlpha, Perturbation{Interval: 5, LR: 0.0025}
	}
	return s
}

// Decisions are those of the phase of a selection by perturbation: the operation of each
// edge, then the two edges of each node but the first, which has two. 0 without.
func (c *Config) Decisions() int {
	if c.Strategy.Selection != ByPerturbation {
		return 0
	}
	nodes := c.Network.Nodes
	return nodes*(nodes+3)/2 + nodes - 1
}

// RunEpochs are those of the whole run: Epochs, and where cells are selected by
// perturbation those of the phase, which ends an epoch after its last decision.
func (c *Config) RunEpochs() int {
	decisions := c.Decisions()
	if decisions == 0 {
		return c.Epochs
	}
	return c.Epochs + (decisions-1)*c.Strategy.Perturbation.Interval + 1
}

// checkRobust refuses what has no effect beside what c says of early stop and selection.
func (l *layers) checkRobust(c *Config, file origin) error {
	s, standard := c.Strategy, dartsDefaults(images)
	if s.Name != DARTS {
		return nil
	}
	refuse := func(key, other, format string, args ...any) error {
		return fmt.Errorf("config: %v: %s: %s", l.blame(file, key, other), key, fmt.Sprintf(format, args...))
	}
	const every, selection = "strategy.early_stop.every", "strategy.selection"
	early, perturbed := s.EarlyStop.Every != 0, s.Selection == ByPerturbation
	const noStop, byAlpha = every + " 0, want 1 or more there", selection + " alpha, want perturbation there"
	for _, it := range []struct {
		key           string
		got, standard any
		on            bool
		other, off    string
	}{
		{"strategy.early_stop.window", s.EarlyStop.Window, standard.EarlyStop.Window, early, every, noStop},
		{"strategy.early_stop.start", s.EarlyStop.Start, standard.EarlyStop.Start, early, every, noStop},
		{"strategy.early_stop.delta", s.EarlyStop.Delta, standard.EarlyStop.Delta, early, every, noStop},
		{"strategy.early_stop.factor", s.EarlyStop.Factor, standard.EarlyStop.Factor, early, every, noStop},
		{"strategy.perturbation.interval", s.Perturbation.Interval, standard.Perturbation.Interval, perturbed, selection, byAlpha},
		{"strategy.perturbation.lr", s.Perturbation.LR, standard.Perturbation.LR, perturbed, selection, byAlpha},
	} {
		if !it.on && it.got != it.standard {
			return refuse(it.key, it.other, "%v has no effect with %s", it.got, it.off)
		}
	}
	switch {
	case !perturbed:
		return nil
	case early:
		return refuse(every, selection, "a search that selects by perturbation does not end early, want 0, or %s alpha", selection)
	case s.SkipLimit >= 0:
		return refuse("strategy.skip_limit", selection, "%d has no effect with %s perturbation, want -1, or %s alpha", s.SkipLimit, selection, selection)
	}
	return nil
}
