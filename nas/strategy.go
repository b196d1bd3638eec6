package nas

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"godarts/cells/genotype"
	"godarts/nas/config"
)

// Strategy searches cells. It is made for a run, whose checkpoints hold its
// state; Search goes on from the run's position.
type Strategy interface {
	Search(ctx context.Context, run *Run) (genotype.Genotype, error)
	State
}

// strategies are all strategies by the name that configs use.
var strategies = map[string]func(*Run) (Strategy, error){
	config.DARTS:        newDARTS,
	config.PCDARTS:      newDARTS,
	config.Random:       newRandom,
	config.Evolve:       newEvolution,
	config.Reinforced:   newReinforce,
	config.ENAS:         newENAS,
	config.SharedRandom: newSharedRandom,
	config.GDAS:         newGDAS,
	config.PDARTS:       newPDARTS,
}

// newStrategy makes the strategy that the run's config names. Its tensors belong
// to the present scope.
func newStrategy(r *Run) (Strategy, error) {
	name := r.Config.Strategy.Name
	s, ok := strategies[name]
	if !ok {
		return nil, fmt.Errorf("nas: unknown strategy %q (there are: %s)", name, strings.Join(slices.Sorted(maps.Keys(strategies)), ", "))
	}
	return s(r)
}
