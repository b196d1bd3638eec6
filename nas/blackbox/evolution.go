package blackbox

import (
	"fmt"
	"math/rand/v2"
)

// Evolution is regularized evolution (Real, Aggarwal, Huang, Le, AAAI 2019,
// algorithm 1). The best of some random members of the population gets a child, which
// replaces the oldest member, whatever its score.
type Evolution[A any] struct {
	space              Space[A]
	population, sample int
	alive              []Trial[A] // oldest first

	// Cost, unless nil, is a second objective, of which less is better. The best of a tournament is then
	// the member on the lowest front of the population, and of several the least crowded (NSGA-II).
	Cost func(A) float64
}

// NewEvolution makes an evolution. A tournament compares sample members of the population,
// drawn with replacement. NewEvolution panics if population or sample is below 1.
func NewEvolution[A any](space Space[A], population, sample int) *Evolution[A] {
	if population < 1 || sample < 1 {
		panic(fmt.Sprintf("blackbox: evolution: population %d, sample %d, want 1 or more of each", population, sample))
	}
	return &Evolution[A]{space: space, population: population, sample: sample}
}

// Propose implements Strategy: a random architecture until the population is
// complete, then a child.
func (s *Evolution[A]) Propose(r *rand.Rand) A {
	if len(s.alive) < s.population {
		return s.space.Sample(r)
	}
	better := s.better()
	parent := r.IntN(len(s.alive))
	for range s.sample - 1 {
		if rival := r.IntN(len(s.alive)); better(rival, parent) {
			parent = rival
		}
	}
	return s.space.Mutate(s.alive[parent].Architecture, r)
}

// better compares members of the population.
func (s *Evolution[A]) better() func(i, j int) bool {
	if s.Cost == nil {
		return func(i, j int) bool { return s.alive[i].Score > s.alive[j].Score }
	}
	var points []Point
	for _, t := range s.alive {
		points = append(points, Point{t.Score, s.Cost(t.Architecture)})
	}
	ranks := Ranks(points)
	crowding := Crowding(points, ranks)
	return func(i, j int) bool {
		return ranks[i] < ranks[j] || ranks[i] == ranks[j] && crowding[i] > crowding[j]
	}
}

// Observe implements Strategy.
func (s *Evolution[A]) Observe(a A, score float64) {
	if len(s.alive) == s.population {
		s.alive = append(s.alive[:0], s.alive[1:]...)
	}
	s.alive = append(s.alive, Trial[A]{a, score})
}
