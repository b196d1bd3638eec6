// Package blackbox searches for an architecture by scores only: random search,
// regularized evolution, and REINFORCE without shared weights.
//
// A search has three parts. A [Space] is the set of architectures. A [Strategy]
// selects the next one to try. An [Estimator] scores it, by a look-up in a table or
// the training of a network. The parts do not know each other, so that a strategy is
// one file and works in every space.
package blackbox

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// Space is a set of architectures.
type Space[A any] interface {
	// Sample draws an architecture.
	Sample(r *rand.Rand) A
	// Mutate returns an architecture that differs from a in one decision. It does not change a.
	Mutate(a A, r *rand.Rand) A
}

// Decisions is a set of architectures that are sequences of decisions. A policy needs
// such a space.
type Decisions[A any] interface {
	// Options gives the number of options of each decision.
	Options() []int
	// Architecture returns the architecture of these options, chosen[i] in 0..Options()[i]-1.
	Architecture(chosen []int) A
}

// Worst is the score of an architecture that could not be estimated, such as one whose
// training diverges. It is less than every other score.
var Worst = math.Inf(-1)

// Estimator scores an architecture; more is better.
type Estimator[A any] func(ctx context.Context, a A) (float64, error)

// Strategy selects the next architecture to estimate. Propose and Observe take turns:
// Observe receives the score of the last proposal.
//
// A strategy depends only on its generator and the scores. So an interrupted search goes
// on if it is run again with an estimator that returns the known scores.
type Strategy[A any] interface {
	Propose(r *rand.Rand) A
	Observe(a A, score float64)
}

// Trial is an architecture and its score.
type Trial[A any] struct {
	Architecture A
	Score        float64
}

// Search estimates the given number of architectures and returns them in order. If the
// estimator fails, ctx is done, or a score is not a number, it returns the error and the
// trials made before.
func Search[A any](ctx context.Context, s Strategy[A], estimate Estimator[A], queries int, r *rand.Rand) ([]Trial[A], error) {
	var trials []Trial[A]
	for len(trials) < queries {
		if err := ctx.Err(); err != nil {
			return trials, err
		}
		a := s.Propose(r)
		score, err := estimate(ctx, a)
		if err != nil {
			return trials, err
		}
		if math.IsNaN(score) {
			return trials, fmt.Errorf("blackbox: query %d: the score of %v is not a number", len(trials)+1, a)
		}
		s.Observe(a, score)
		trials = append(trials, Trial[A]{a, score})
	}
	return trials, nil
}
