package blackbox

import "math/rand/v2"

// Random is random search: it draws every architecture independently.
type Random[A any] struct{ space Space[A] }

// NewRandom makes a random search.
func NewRandom[A any](space Space[A]) *Random[A] { return &Random[A]{space} }

// Propose implements Strategy.
func (s *Random[A]) Propose(r *rand.Rand) A { return s.space.Sample(r) }

// Observe implements Strategy: scores change nothing.
func (s *Random[A]) Observe(A, float64) {}
