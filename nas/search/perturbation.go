package search

import (
	"context"
	"fmt"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/rng"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// perturbation is the phase after a search that decides the cells edge by edge, by the loss of
// validation accuracy: DARTS-PT, Wang et al., arXiv 2108.04392, Algorithm 1. Between decisions training
// goes on: α by its own optimizer, w by a new one at a constant learning rate. A nil perturbation does
// nothing.
type perturbation struct {
	net      *darts.PerturbationSupernet
	nodes    int
	interval int
	first    int // first epoch of the phase

	// pick chooses one of the undecided edges or nodes of a kind of cell for a decision.
	pick func(decision int, kind genotype.Kind, undecided []int) int
}

// newPerturbation returns nil if the search c selects by α.
func newPerturbation(c *config.Config, net *darts.Plain) *perturbation {
	if decisions(c) == 0 {
		return nil
	}
	return &perturbation{
		net: darts.NewPerturbationSupernet(net), nodes: c.Network.Nodes, interval: config.KeysAs[DARTSKeys](c).Perturbation.Interval, first: c.Epochs,
		pick: func(decision int, kind genotype.Kind, undecided []int) int {
			return undecided[rng.Stream(c.Seed, "perturbation", decision, int(kind)).IntN(len(undecided))]
		},
	}
}

// decisions returns the number of decisions of the phase: the operation of each edge, and the two edges
// of each node but the first, which has two. It is 0 without a phase.
func decisions(c *config.Config) int {
	if config.KeysAs[DARTSKeys](c).Selection != byPerturbation {
		return 0
	}
	return darts.Edges(c.Network.Nodes) + c.Network.Nodes - 1
}

// due reports whether an epoch belongs to the phase.
func (p *perturbation) due(epoch int) bool { return p != nil && epoch >= p.first }

// decide makes the decision at the start of an epoch of the phase, for both kinds of cells, unless it
// was made before an interruption. An interrupted decision is not made.
func (p *perturbation) decide(ctx context.Context, run *nas.Run, epoch int) {
	if (epoch-p.first)%p.interval != 0 {
		return
	}
	accuracy := func() (float64, error) {
		seen := run.Measure(ctx, epoch, func(b nn.Batch) nn.Output { return p.net.Measure(b) })
		return seen.Accuracy(), run.Err()
	}
	for kind := range genotype.ConvolutionalKinds {
		if err := p.decideOne(kind, (epoch-p.first)/p.interval, accuracy); err != nil {
			return
		}
	}
}

// decideOne makes a decision for one kind of cell: the operation of a random edge or, once all edges
// have theirs, which edges a random node keeps.
func (p *perturbation) decideOne(kind genotype.Kind, decision int, accuracy func() (float64, error)) error {
	undecided, open := p.net.Undecided(kind), p.net.Open(kind)
	edges := darts.Edges(p.nodes)
	if decision < edges {
		if made := edges - len(undecided); made > decision {
			return nil
		}
		return p.net.DecideOperation(kind, p.pick(decision, kind, undecided), accuracy)
	}
	if made := edges + p.nodes - 1 - len(open); made > decision {
		return nil
	}
	return p.net.DecideNode(kind, p.pick(decision, kind, open), accuracy)
}

// observe replaces the probabilities of edges that are decided: 1 for the operation of an edge, and 0 for
// all operations of a deleted one.
func (p *perturbation) observe(cells []runfolder.CellMix) {
	if p == nil {
		return
	}
	rows := p.net.Rows().Int64s() // of normal cells, then of reduction cells
	for kind, mix := range cells {
		ops := p.net.Architecture(genotype.Kind(kind)).Ops
		for e := range mix.Edges {
			row := rows[kind*len(mix.Edges)+e]
			if row == darts.Undecided {
				continue
			}
			edge := &mix.Edges[e]
			clear(edge.P)
			edge.Entropy = 0
			if row != darts.Deleted {
				edge.P[slices.Index(mix.Operations, string(ops[e][row]))] = 1
			}
		}
	}
}

// CheckPosition returns an error if the decisions made do not fit the position: a decision is made
// before the first step of its epoch.
func (p *perturbation) CheckPosition(at nas.Position) error {
	if p == nil {
		return nil
	}
	least, most := 0, 0
	if at.Epoch >= p.first {
		since := at.Epoch - p.first
		most = min(since/p.interval+1, darts.Edges(p.nodes)+p.nodes-1)
		least = most
		if at.Step == 0 && since%p.interval == 0 {
			least = since / p.interval
		}
	}
	for kind := range genotype.ConvolutionalKinds {
		made := darts.Edges(p.nodes) - len(p.net.Undecided(kind)) + p.nodes - 1 - len(p.net.Open(kind))
		if made < least || made > most {
			return fmt.Errorf("epoch %d has %d to %d decisions made, the state %d", at.Epoch, least, most, made)
		}
	}
	return nil
}

// namePerturbation is the entry of the decisions in checkpoints.
const namePerturbation = "perturbation.rows"

// save puts the decisions in sd, as a new tensor of the current scope.
func (p *perturbation) save(sd torch.StateDict) {
	if p != nil {
		sd[namePerturbation] = p.net.Rows()
	}
}

// load takes the decisions from sd.
func (p *perturbation) load(sd torch.StateDict) error {
	if p == nil {
		return nil
	}
	rows, ok := sd[namePerturbation]
	if !ok {
		return fmt.Errorf("nas: load state dict: %q is missing", namePerturbation)
	}
	delete(sd, namePerturbation)
	return p.net.SetRows(rows)
}
