package search

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/blackbox"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/names"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/nas/train"
	"godarts/torch"
)

// trials is a strategy that learns only the validation score of each cell. It trains each cell from
// scratch on the search's part of the training images and measures it on the rest, in a run folder
// inside the search's. These folders are its state. It returns the cell with the best score.
//
// The paper compares DARTS with such a search of 24 random cells (sec. 3.3).
type trials struct {
	next   blackbox.Strategy[genotype.Genotype]
	random *rand.Rand

	space     darts.Space // of cells for images
	recurrent int         // nodes of a cell for texts

	cost  func(genotype.Genotype) float64 // a second objective; nil without one
	front []runfolder.FrontCell           // of a search with cost that is complete
}

// cellSpace is a space that all black-box strategies can search.
type cellSpace interface {
	blackbox.Space[genotype.Genotype]
	blackbox.Decisions[genotype.Genotype]
}

// cellSpaceOf returns the space that the search c chooses from.
func cellSpaceOf(c *config.Config) cellSpace {
	if c.Data.IsText() {
		return texts.Space(c)
	}
	return images.Space(c)
}

// TrialKeys are the keys of searches that train each cell from scratch.
type TrialKeys struct {
	Trials int `key:"trials" range:"[1,)" most:"1000000" doc:"cells to try, each trained for epochs epochs; the one that validates best is found"`
}

// RandomKeys are the keys of random search.
type RandomKeys struct {
	TrialKeys
	Cost config.Objective `key:"cost" of:"images"`
}

// EvolutionKeys are the keys of regularized evolution.
type EvolutionKeys struct {
	TrialKeys
	Evolution config.Evolution `key:"evolution"`
	Cost      config.Objective `key:"cost" of:"images"`
}

// ReinforceKeys are the keys of REINFORCE.
type ReinforceKeys struct {
	TrialKeys
	Reinforce config.Reinforce `key:"reinforce"`
}

func init() {
	const how = "by training each cell they try"
	bounds, alone := []string{"space.parameters", "space.multiply_adds", "space.latency"}, config.Objective{Of: config.NoCost}
	nas.Register(nas.Method{New: newRandom, Method: config.Method{
		Name: "random", How: how, Texts: true, Takes: bounds,
		Keys:   RandomKeys{TrialKeys{24}, alone},
		Trials: func(c *config.Config) int { return config.KeysAs[RandomKeys](c).Trials },
		Rules:  func(c *config.Config) *config.Problem { return config.KeysAs[RandomKeys](c).Cost.Rules() },
	}})
	nas.Register(nas.Method{New: newEvolution, Method: config.Method{
		Name: "evolution", Note: "regularized", How: how, Paper: "1802.01548", Texts: true, Takes: bounds,
		Keys:   EvolutionKeys{TrialKeys{100}, config.Evolution{Population: 10, Sample: 10}, alone},
		Trials: func(c *config.Config) int { return config.KeysAs[EvolutionKeys](c).Trials },
		Rules: func(c *config.Config) *config.Problem {
			k := config.KeysAs[EvolutionKeys](c)
			if k.Evolution.Population <= k.Trials {
				return k.Cost.Rules()
			}
			return config.Conflict("strategy.evolution.population", "strategy.trials",
				"%d is more than strategy.trials %d, which would leave none to evolve, want at most that", k.Evolution.Population, k.Trials)
		},
	}})
	nas.Register(nas.Method{New: newReinforce, Method: config.Method{
		Name: "reinforce", How: how, Paper: "2001.00326", Texts: true, // the paper of the settings
		Keys:   ReinforceKeys{TrialKeys{100}, config.Reinforce{LR: 0.1, Momentum: 0.9}},
		Trials: func(c *config.Config) int { return config.KeysAs[ReinforceKeys](c).Trials },
	}})
}

func newRandom(r *nas.Run) (nas.Strategy, error) {
	return newObjectives(r, config.KeysAs[RandomKeys](r.Config).Cost, func(space cellSpace, _ func(genotype.Genotype) float64) blackbox.Strategy[genotype.Genotype] {
		return blackbox.NewRandom(space)
	})
}

func newEvolution(r *nas.Run) (nas.Strategy, error) {
	k := config.KeysAs[EvolutionKeys](r.Config)
	return newObjectives(r, k.Cost, func(space cellSpace, cost func(genotype.Genotype) float64) blackbox.Strategy[genotype.Genotype] {
		e := blackbox.NewEvolution(space, k.Evolution.Population, k.Evolution.Sample)
		e.Cost = cost
		return e
	})
}

// newObjectives makes the trials of a strategy that may have a second objective, whose cost is nil without one.
func newObjectives(r *nas.Run, o config.Objective, strategy func(space cellSpace, cost func(genotype.Genotype) float64) blackbox.Strategy[genotype.Genotype]) (nas.Strategy, error) {
	cost, err := costOf(r, o.Of)
	if err != nil {
		return nil, err
	}
	t, err := newTrials(r, func(space cellSpace, _ *rand.Rand) blackbox.Strategy[genotype.Genotype] { return strategy(space, cost) })
	if err != nil {
		return nil, err
	}
	t.cost = cost
	return t, nil
}

func newReinforce(r *nas.Run) (nas.Strategy, error) {
	o := config.KeysAs[ReinforceKeys](r.Config).Reinforce
	return newTrials(r, func(space cellSpace, random *rand.Rand) blackbox.Strategy[genotype.Genotype] {
		return blackbox.NewReinforce(space, o.LR, o.Momentum, random)
	})
}

func newTrials(r *nas.Run, strategy func(cellSpace, *rand.Rand) blackbox.Strategy[genotype.Genotype]) (*trials, error) {
	space, err := withinBudget(cellSpaceOf(r.Config), r)
	if err != nil {
		return nil, err
	}
	random := rng.Stream(r.Config.Seed, "trials")
	t := &trials{next: strategy(space, random), random: random}
	if r.Config.Data.IsText() {
		t.recurrent = r.Config.Network.Nodes
	} else {
		t.space = images.Space(r.Config)
	}
	return t, nil
}

// Search implements Strategy. A trial counts as an epoch. After an interruption the strategy begins
// again and is told the known scores. A cell whose training diverges gets the worst score.
func (t *trials) Search(ctx context.Context, run *nas.Run) (found genotype.Genotype, err error) {
	best, trial := blackbox.Worst, 0
	var valid nas.Meter // of the best cell
	var first *runfolder.DivergedError
	all, err := blackbox.Search(ctx, t.next, func(ctx context.Context, g genotype.Genotype) (float64, error) {
		var result runfolder.TrainResult
		err := run.Owns() // the trial's folder is inside the run's
		if err != nil {
			return 0, err
		}
		run.PreserveGenerators(func() {
			dir := filepath.Join(run.Dir, fmt.Sprintf("trial-%d", trial+1))
			result, err = runfolder.RunPart(dir, func() (runfolder.TrainResult, error) {
				return train.Run(ctx, dir, run.Config.Trial(g.String()), run.Settings)
			})
		})
		if err != nil {
			return 0, err
		}
		e := nas.Epoch{Index: trial, Diverged: result.Diverged}
		score := blackbox.Worst
		if e.Diverged == nil {
			e.Valid = validMeter(result)
			score = scoreOf(run, e.Valid)
		} else if first == nil {
			first = e.Diverged
		}
		if score > best {
			best, found, valid = score, g, e.Valid
		}
		if best > blackbox.Worst {
			e.Genotype = found.String()
		}
		if trial == run.At.Epoch {
			run.Finish(e)
		}
		trial++
		return score, run.Err()
	}, run.Config.Trials(), t.random)
	run.At.Valid = valid
	t.front = frontOf(all, t.cost)
	if err == nil && best == blackbox.Worst {
		return found, fmt.Errorf("nas: every one of %s diverged, w.lr %g may be too high; the first: %w", names.Count(trial, "cell"), run.Config.W.LR, first)
	}
	return found, err
}

// scoreOf returns the score of the measurement m.
func scoreOf(r *nas.Run, m nas.Meter) float64 {
	if r.Config.Data.IsText() {
		return -m.MeanLoss()
	}
	return m.Accuracy()
}

// policy is a black-box strategy with a distribution over the options of each decision.
type policy interface{ Probabilities() [][]float64 }

// Observe implements nas.Observer. A strategy with a policy has that of the epoch's trial, which has not
// learned from its score yet.
func (t *trials) Observe() (o runfolder.Observation, err error) {
	p, ok := t.next.(policy)
	if !ok {
		return o, nil
	}
	decisions := p.Probabilities()
	if t.recurrent > 0 {
		o.Cells = []runfolder.CellMix{observeRecurrentPolicy(t.recurrent, decisions)}
		return o, nil
	}
	o.Cells = observePolicy(t.space, decisions)
	return o, nil
}

// StateDict implements Strategy.
func (t *trials) StateDict() torch.StateDict { return torch.StateDict{} }

// LoadStateDict implements Strategy.
func (t *trials) LoadStateDict(torch.StateDict) error { return nil }

// validMeter returns the measurement of a training on what it held out, scaled to one image or token.
func validMeter(t runfolder.TrainResult) nas.Meter {
	if t.LanguageModelResult != nil {
		return nas.Meter{Loss: math.Log(t.LanguageModelResult.Valid.Perplexity), Count: 1}
	}
	return nas.Meter{Loss: t.ValidLoss, Correct: 1 - t.ValidError/100, Count: 1}
}
