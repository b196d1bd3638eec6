package search

import (
	"fmt"
	"math/rand/v2"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/images"
	"godarts/nas/rng"
	"godarts/torch"
)

// budgetSpace is a space without the cells whose networks have more than most weights.
type budgetSpace struct {
	cellSpace
	most       int
	parameters func(genotype.Genotype) int
}

// budgetTries is the number of cells that are drawn before a budget counts as too small.
const budgetTries = 200

// withinBudget restricts space to space.parameters of the run's config. It returns an error if none of
// budgetTries random cells is within that budget.
func withinBudget(space cellSpace, r *nas.Run) (cellSpace, error) {
	most := r.Config.Space.Parameters
	if most == 0 {
		return space, nil
	}
	o := images.NetworkOf(r)
	o.Device = torch.CPU
	s := budgetSpace{space, most, func(g genotype.Genotype) (n int) {
		torch.Scoped(func() {
			net, err := cells.NewNetwork(g, o)
			if err != nil {
				panic(err) // the run has made networks of the space before
			}
			n, _ = net.ParameterCount()
		})
		return n
	}}
	random, least := rng.Stream(r.Config.Seed, "budget"), 0
	for range budgetTries {
		n := s.parameters(space.Sample(random))
		if n <= most {
			return s, nil
		}
		if least == 0 || n < least {
			least = n
		}
	}
	return nil, fmt.Errorf("nas: space.parameters: %d, of %d random cells the smallest makes a network of %d", most, budgetTries, least)
}

// Sample implements blackbox.Space.
func (s budgetSpace) Sample(r *rand.Rand) genotype.Genotype {
	for {
		if g := s.cellSpace.Sample(r); s.parameters(g) <= s.most {
			return g
		}
	}
}

// Mutate implements blackbox.Space. If budgetTries children of g are all too large, it draws a new
// cell.
func (s budgetSpace) Mutate(g genotype.Genotype, r *rand.Rand) genotype.Genotype {
	for range budgetTries {
		if child := s.cellSpace.Mutate(g, r); s.parameters(child) <= s.most {
			return child
		}
	}
	return s.Sample(r)
}
