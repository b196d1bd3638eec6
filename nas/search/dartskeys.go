package search

import (
	"godarts/nas"
	"godarts/nas/config"
)

// byGradients describes strategies with α.
const byGradients = "by gradients of the architecture"

// Values of DARTSKeys.Selection.
const (
	byAlpha        = "alpha"
	byPerturbation = "perturbation"
)

// DARTSKeys are the keys of DARTS.
type DARTSKeys struct {
	Order        int          `key:"order" oneof:"1 2" doc:"order of the architecture gradient: 1, or 2 (unrolled)"`
	SkipLimit    int          `key:"skip_limit" of:"images" range:"[-1,)" doc:"skip_connects that a derived normal cell has at most: beyond, the least likely ones make way for other operations; -1 is no limit"`
	EarlyStop    EarlyStop    `key:"early_stop" of:"images"`
	Selection    string       `key:"selection" of:"images" oneof:"alpha perturbation" doc:"how cells are derived: by the largest alpha, or by perturbation: in a phase of training after epochs epochs, edge by edge, the operation is kept without which the validation accuracy falls most"`
	Perturbation Perturbation `key:"perturbation" of:"images"`
}

// EarlyStop ends a search by DARTS before α prefers cells that generalise badly. The dominant
// eigenvalue of the Hessian of the validation loss in α then grows (arXiv 1909.09656, sec. 5.1). The
// defaults other than Every are from the paper's code, which measures every 2 epochs.
type EarlyStop struct {
	Every  int     `key:"every" range:"[0,)" doc:"measure the dominant eigenvalue after the first epoch, each N-th from there, and the last, and stop the search early if it grows; 0 is off"`
	Window int     `key:"window" range:"[1,)" doc:"measurements in a mean, centred on the middle one"`
	Start  int     `key:"start" range:"[0,)" doc:"the first epoch whose cells an early stop may return, from 0"`
	Delta  int     `key:"delta" range:"[1,)" doc:"measurements between the two means that are compared"`
	Factor float64 `key:"factor" range:"(0,)" doc:"the search stops where a mean is more than this times the one strategy.early_stop.delta before, whose epoch's cells it returns"`
}

// Perturbation is the training phase that decides one edge after another (DARTS-PT, arXiv 2108.04392).
// The defaults are from the paper's code.
type Perturbation struct {
	Interval int     `key:"interval" range:"[1,)" doc:"epochs of training from a decision to the next"`
	LR       float64 `key:"lr" range:"(0,)" doc:"learning rate of the weights between decisions"`
}

var dartsDefaults = DARTSKeys{
	Order: 1, SkipLimit: -1,
	EarlyStop: EarlyStop{Window: 5, Start: 10, Delta: 4, Factor: 1.3},
	Selection: byAlpha, Perturbation: Perturbation{Interval: 5, LR: 0.0025},
}

func init() {
	nas.Register(nas.Method{
		Method: config.Method{
			Name: config.DefaultStrategy, How: byGradients, Paper: "1806.09055", Alpha: true, Texts: true,
			Takes: []string{"network.form", "alpha.cost", "alpha.hvp", "alpha.corrected"},
			Keys:  dartsDefaults, TextKeys: DARTSKeys{Order: 1},
			Rules: dartsRules, RunEpochs: dartsEpochs,
			Label: func(c *config.Config) string {
				return map[int]string{1: "darts-first", 2: "darts-second"}[config.KeysAs[DARTSKeys](c).Order]
			},
		},
		New: newDARTS, LR: dartsLR,
		MayLast: func(c *config.Config, epoch int) string {
			switch {
			case config.KeysAs[DARTSKeys](c).EarlyStop.Every > 0:
				return "strategy.early_stop has begun to measure for as many"
			case decisions(c) > 0 && epoch >= c.Epochs:
				return "the selection by perturbation, which comes after them, has begun"
			}
			return ""
		},
		TrainsOnHeldOut: func(c *config.Config) bool { return config.KeysAs[DARTSKeys](c).Selection == byPerturbation },
	})
}

// dartsEpochs returns the epochs of the whole run: Epochs and, if cells are selected by perturbation,
// the phase, which ends an epoch after its last decision.
func dartsEpochs(c *config.Config) int {
	made := decisions(c)
	if made == 0 {
		return c.Epochs
	}
	return c.Epochs + (made-1)*config.KeysAs[DARTSKeys](c).Perturbation.Interval + 1
}

// dartsLR returns the learning rate of w in an epoch. It is constant in the phase of a selection by
// perturbation.
func dartsLR(c *config.Config, epoch int) float64 {
	if decisions(c) > 0 && epoch >= c.Epochs {
		return config.KeysAs[DARTSKeys](c).Perturbation.LR
	}
	return nas.ScheduledLR(c.W, epoch, c.Epochs)
}

// dartsRules checks the keys of a search by DARTS against each other.
func dartsRules(c *config.Config) *config.Problem {
	k, d := config.KeysAs[DARTSKeys](c), c.Data
	if p := orderRules(c, k.Order); p != nil || d.IsText() {
		return p
	}
	if cost := c.Alpha.Cost.Weight; cost > 0 && k.Selection == byPerturbation {
		return config.Conflict("alpha.cost.weight", "strategy.selection",
			"%v has no effect on cells that are selected by their accuracy, want 0, or strategy.selection %s", cost, byAlpha)
	}
	return k.phaseRules()
}

// orderRules refuses keys that have an effect only in the other order.
func orderRules(c *config.Config, order int) *config.Problem {
	h, standard := c.Alpha.HVP, config.Defaults(config.Search).Alpha.HVP
	const method, radius, key, second = "alpha.hvp.method", "alpha.hvp.radius", "strategy.order", "want strategy.order 2"
	switch {
	case c.Data.IsText() && c.Data.Columns() < 2:
		columns := "data.batch"
		if c.Data.SmallBatch > 0 {
			columns = "data.small_batch"
		}
		return config.Conflict(columns, columns, "the search normalises over columns, want 2 or more")
	case c.Data.IsText() && order == 1 && c.Alpha.Corrected:
		return config.Conflict("alpha.corrected", key, "has no effect with strategy.order 1, %s", second)
	case order == 2 && c.W.Nesterov:
		return config.Conflict("w.nesterov", key, "the virtual step of strategy.order 2 has plain momentum, want false, or strategy.order 1")
	case order == 1 && h.Method != standard.Method:
		return config.Conflict(method, key, "%s has no effect with strategy.order 1, %s", h.Method, second)
	case order == 1 && h.Radius != standard.Radius:
		return config.Conflict(radius, key, "%v has no effect with strategy.order 1, %s", h.Radius, second)
	case h.Method == config.Exact && h.Radius != standard.Radius:
		return config.Conflict(radius, method, "%v has no effect with %s exact, want %s %s", h.Radius, method, method, config.FiniteDifference)
	}
	return nil
}

// phaseRules refuses keys that have no effect with the early stop and the selection of k.
func (k DARTSKeys) phaseRules() *config.Problem {
	const every, selection = "strategy.early_stop.every", "strategy.selection"
	const noStop, noPhase = every + " 0, want 1 or more there", selection + " alpha, want perturbation there"
	early, perturbed, standard := k.EarlyStop.Every != 0, k.Selection == byPerturbation, dartsDefaults
	for _, it := range []struct {
		key           string
		got, standard any
		on            bool
		other, off    string
	}{
		{"strategy.early_stop.window", k.EarlyStop.Window, standard.EarlyStop.Window, early, every, noStop},
		{"strategy.early_stop.start", k.EarlyStop.Start, standard.EarlyStop.Start, early, every, noStop},
		{"strategy.early_stop.delta", k.EarlyStop.Delta, standard.EarlyStop.Delta, early, every, noStop},
		{"strategy.early_stop.factor", k.EarlyStop.Factor, standard.EarlyStop.Factor, early, every, noStop},
		{"strategy.perturbation.interval", k.Perturbation.Interval, standard.Perturbation.Interval, perturbed, selection, noPhase},
		{"strategy.perturbation.lr", k.Perturbation.LR, standard.Perturbation.LR, perturbed, selection, noPhase},
	} {
		if !it.on && it.got != it.standard {
			return config.Conflict(it.key, it.other, "%v has no effect with %s", it.got, it.off)
		}
	}
	switch {
	case perturbed && early:
		return config.Conflict(every, selection, "a search that selects by perturbation does not end early, want 0, or %s alpha", selection)
	case perturbed && k.SkipLimit >= 0:
		return config.Conflict("strategy.skip_limit", selection, "%d has no effect with %s perturbation, want -1, or %s alpha", k.SkipLimit, selection, selection)
	}
	return nil
}
