package nasbench201

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"godarts/nas/blackbox"
	"godarts/nas/config"
	"godarts/nas/report"
	"godarts/nas/rng"
)

// strategies are the compared strategies, in the order of the tables. r is the generator
// of the search.
var strategies = []struct {
	name      string
	published func(config.Published) [2]float64
	make      func(c config.Compare, r *rand.Rand) blackbox.Strategy[Cell]
}{
	{
		"random",
		func(p config.Published) [2]float64 { return p.Random },
		func(config.Compare, *rand.Rand) blackbox.Strategy[Cell] { return blackbox.NewRandom(Space{}) },
	},
	{
		"evolution",
		func(p config.Published) [2]float64 { return p.Evolution },
		func(c config.Compare, _ *rand.Rand) blackbox.Strategy[Cell] {
			return blackbox.NewEvolution(Space{}, c.Evolution.Population, c.Evolution.Sample)
		},
	},
	{
		"reinforce",
		func(p config.Published) [2]float64 { return p.Reinforce },
		func(c config.Compare, r *rand.Rand) blackbox.Strategy[Cell] {
			return blackbox.NewReinforce(Space{}, c.Reinforce.LR, c.Reinforce.Momentum, r)
		},
	},
}

// ForConfig returns the table of a comparison. root is the folder of data sets.
func ForConfig(c *config.Config, root string) (*Table, error) {
	if c.Compare.Table == config.SyntheticTable {
		return Synthetic(), nil
	}
	return Open(root)
}

// dataset returns the dataset that a config names.
func dataset(name string) Dataset {
	switch name {
	case config.CIFAR100:
		return CIFAR100
	case config.ImageNet16:
		return ImageNet16
	}
	return CIFAR10
}

// Compare runs every strategy on the table, once for each seed, in workers goroutines.
// Their number does not change the results, since a search depends only on its strategy
// and seed. The score that a strategy receives is the validation accuracy after 12 epochs.
// The comparison judges a found cell by its test accuracy after 200 epochs. Compare
// returns ctx's error if ctx is done.
func (t *Table) Compare(ctx context.Context, c *config.Config, workers int) (report.TableComparison, error) {
	asked := dataset(c.Compare.Dataset)
	order := []Dataset{asked} // the dataset of the queries comes first: the chart shows it
	for d := range datasets {
		if d != asked {
			order = append(order, d)
		}
	}
	comparison := report.TableComparison{
		Title: t.Title, Asked: fmt.Sprintf("%v validation accuracy after 12 epochs", asked), Epochs: 200, Queries: c.Compare.Queries,
	}
	for _, d := range order {
		comparison.Judged = append(comparison.Judged, d.String())
		comparison.Best = append(comparison.Best, t.Best(d))
	}
	seeds := c.Compare.Seeds
	for _, s := range strategies {
		entry := report.TableEntry{Name: s.name, Runs: make([]report.TableSearch, seeds)}
		if e := c.Compare.Expect; e != nil && s.published(*e) != [2]float64{} {
			entry.Published = &report.MeanStd{Mean: s.published(*e)[0], Std: s.published(*e)[1]}
		}
		comparison.Entries = append(comparison.Entries, entry)
	}
	var group sync.WaitGroup
	var next atomic.Int64
	for range workers {
		group.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(strategies)*seeds {
					return
				}
				strategy, i := n/seeds, n%seeds
				comparison.Entries[strategy].Runs[i] = t.search(ctx, c, strategy, c.Seed+int64(i), order)
			}
		})
	}
	group.Wait()
	return comparison, ctx.Err()
}

// search runs one search of a strategy and looks up the found cell on the datasets of
// order. It stops early when ctx is done.
func (t *Table) search(ctx context.Context, c *config.Config, strategy int, seed int64, order []Dataset) report.TableSearch {
	s := strategies[strategy]
	r := rng.Stream(seed, "compare."+s.name)
	lookup := func(_ context.Context, cell Cell) (float64, error) { return t.Result(cell).Valid12[order[0]], nil }
	// A look-up does not fail, and the caller checks ctx again.
	trials, _ := blackbox.Search(ctx, s.make(c.Compare, r), lookup, c.Compare.Queries, r)
	run := report.TableSearch{Seed: seed, Trace: make([]float64, 0, len(trials))}
	if len(trials) == 0 {
		return run
	}
	best := trials[0]
	for _, trial := range trials {
		if trial.Score > best.Score {
			best = trial
		}
		run.Trace = append(run.Trace, t.Result(best.Architecture).Test200[order[0]])
	}
	found := t.Result(best.Architecture)
	run.Cell, run.Told = best.Architecture.String(), best.Score
	for _, d := range order {
		run.Judged = append(run.Judged, found.Test200[d])
	}
	return run
}
