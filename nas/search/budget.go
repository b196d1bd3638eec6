package search

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
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
	most int
	of   func(genotype.Genotype) int
}

// budgetTries is the number of cells that are drawn before a budget counts as too small.
const budgetTries = 200

// withinBudget restricts space to space.parameters and space.multiply_adds of the run's config. It
// returns an error if none of budgetTries random cells is within that budget.
func withinBudget(space cellSpace, r *nas.Run) (cellSpace, error) {
	s := budgetSpace{cellSpace: space, bounds: boundsOf(r)}
	if len(s.bounds) == 0 {
		return space, nil
	}
	random := rng.Stream(r.Config.Seed, "budget")
	least := make([]int, len(s.bounds))
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
	for i, b := range s.bounds {
		if least[i] > b.most {
			return nil, fmt.Errorf("nas: %s: %d, of %d random cells the smallest makes a network of %d", b.key, b.most, budgetTries, least[i])
		}
	}
	return nil, fmt.Errorf("nas: none of %d random cells keeps both space.parameters %d and space.multiply_adds %d", budgetTries, s.bounds[0].most, s.bounds[1].most)
}

// boundsOf returns the bounds of the run's config.
func boundsOf(r *nas.Run) (bounds []bound) {
	if most := r.Config.Space.Parameters; most > 0 {
		o := images.NetworkOf(r)
		o.Device = torch.CPU
		bounds = append(bounds, bound{"space.parameters", most, func(g genotype.Genotype) (n int) {
			torch.Scoped(func() {
				net, err := cells.NewNetwork(g, o)
				if err != nil {
					panic(err) // the run has made networks of the space before
				}
				n, _ = net.ParameterCount()
			})
			return n
		}})
	}
	if most := r.Config.Space.MultiplyAdds; most > 0 {
		feed := r.Feed.(*images.Feed)
		bounds = append(bounds, bound{"space.multiply_adds", most, func(g genotype.Genotype) int {
			_, n := feed.Count(g)
			return int(n)
		}})
	}
	return bounds
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
