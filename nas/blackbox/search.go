// Package blackbox searches architectures of which it learns nothing but a score:
// random search, regularized evolution, and REINFORCE without shared weights.
//
// The three parts of a search are kept apart. A [Space] says which architectures
// there are, a [Strategy] which one to try next, an [Estimator] what one is worth: a
// look-up in a table, or the training of a network. Each knows nothing of the
// others, so that a strategy is one file and serves every space.
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
	// Mutate returns an architecture that differs from a in one decision. It leaves a alone.
	Mutate(a A, r *rand.Rand) A
}

// Decisions is a set of architectures each of which is a row of decisions that can
// be made one by one: what a policy needs to know of a space.
type Decisions[A any] interface {
	// Options gives the number of options of each decision.
	Options() []int
	// Architecture makes the one of these options, chosen[i] in 0..Options()[i]-1.
	Architecture(chosen []int) A
}

// Worst is the score of an architecture that could not be estimated, such as one whose
// training diverges: less than every other.
var Worst = math.Inf(-1)

// Estimator scores an architecture; more is better.
type Estimator[A any] func(ctx context.Context, a A) (float64, error)

// Strategy says which architecture to estimate next. Propose and Observe take turns:
// Observe tells the score of what was proposed last.
//
// All that a strategy does follows from its generator and the scores, so a search
// that was interrupted goes on when it is done again with an estimator that returns
// the scores known already.
type Strategy[A any] interface {
	Propose(r *rand.Rand) A
	Observe(a A, score float64)
}

// Trial is an architecture and its score.
type Trial[A any] struct {
	Architecture A
	Score        float64
}

// Search asks the estimator for the given number of architectures and returns them
// in order. It returns the estimator's error, or that of ctx, beside the trials made
// until then; a score that is not a number is an error too.
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
