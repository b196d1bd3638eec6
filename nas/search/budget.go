package search

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/torch"
)

// budgetSpace is a space without the cells whose networks are beyond a bound.
type budgetSpace struct {
	cellSpace
	bounds []bound
}

// bound is the most that the network of a cell may have of something.
type bound struct {
	key  string
	most float64
	unit string // " s"; empty for a number
	of   func(genotype.Genotype) float64
}

// print prints an amount with its unit.
func (b bound) print(amount float64) string { return strconv.FormatFloat(amount, 'f', -1, 64) + b.unit }

// budgetTries is the number of cells that are drawn before a budget counts as too small.
const budgetTries = 200

// withinBudget restricts space to the bounds of the run's config. It returns an error if none of
// budgetTries random cells is within that budget.
func withinBudget(space cellSpace, r *nas.Run) (cellSpace, error) {
	bounds, err := boundsOf(r)
	if err != nil || len(bounds) == 0 {
		return space, err
	}
	s := budgetSpace{cellSpace: space, bounds: bounds}
	random := rng.Stream(r.Config.Seed, "budget")
	least := make([]float64, len(s.bounds))
	for try := range budgetTries {
		g := space.Sample(random)
		if s.holds(g) {
			return s, nil
		}
		for i, b := range s.bounds {
			if n := b.of(g); try == 0 || n < least[i] {
				least[i] = n
			}
		}
	}
	var all []string
	for i, b := range s.bounds {
		if least[i] > b.most {
			return nil, fmt.Errorf("nas: %s: %s, of %d random cells the smallest makes a network of %s", b.key, b.print(b.most), budgetTries, b.print(least[i]))
		}
		all = append(all, b.key+" "+b.print(b.most))
	}
	return nil, fmt.Errorf("nas: none of %d random cells keeps all of %s", budgetTries, strings.Join(all, ", "))
}

// boundsOf returns the bounds of the run's config.
func boundsOf(r *nas.Run) (bounds []bound, err error) {
	if most := r.Config.Space.Parameters; most > 0 {
		o := images.NetworkOf(r)
		o.Device = torch.CPU
		bounds = append(bounds, bound{"space.parameters", float64(most), "", func(g genotype.Genotype) (n float64) {
			torch.Scoped(func() {
				net, err := cells.NewNetwork(g, o)
				if err != nil {
					panic(err) // the run has made networks of the space before
				}
				own, _ := net.ParameterCount()
				n = float64(own)
			})
			return n
		}})
	}
	if most := r.Config.Space.MultiplyAdds; most > 0 {
		bounds = append(bounds, bound{"space.multiply_adds", float64(most), "", counter(r, config.MultiplyAdds)})
	}
	if most := r.Config.Space.Latency.Most; most > 0 {
		times, err := latenciesOf(r, boundTable)
		if err != nil {
			return nil, err
		}
		bounds = append(bounds, bound{"space.latency.most", most, " s", times.Cell})
	}
	return bounds, nil
}

// holds reports whether the network of g is within all bounds.
func (s budgetSpace) holds(g genotype.Genotype) bool {
	return !slices.ContainsFunc(s.bounds, func(b bound) bool { return b.of(g) > b.most })
}

// Sample implements blackbox.Space.
func (s budgetSpace) Sample(r *rand.Rand) genotype.Genotype {
	for {
		if g := s.cellSpace.Sample(r); s.holds(g) {
			return g
		}
	}
}

// Mutate implements blackbox.Space. If budgetTries children of g are all too large, it draws a new
// cell.
func (s budgetSpace) Mutate(g genotype.Genotype, r *rand.Rand) genotype.Genotype {
	for range budgetTries {
		if child := s.cellSpace.Mutate(g, r); s.holds(child) {
			return child
		}
	}
	return s.Sample(r)
}
