package search

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas"
	"godarts/nas/blackbox"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// errFree says that a space has no choice that costs anything.
var errFree = errors.New("no operation of the space costs anything")

// newCostTerm makes the term of alpha.cost over the operations of a space, nil if its weight is 0. The
// costs of operations are those in the network that the search counts, see images.CountedNetwork.
func newCostTerm(r *nas.Run, space darts.Space) (*darts.CostTerm, error) {
	c := r.Config.Alpha.Cost
	if c.Weight == 0 {
		return nil, nil
	}
	o := darts.CostOptions{Weight: c.Weight, Target: c.Target, Options: r.Options()}
	var err error
	if c.Of == config.Latency {
		var times images.Latencies
		times, err = latenciesOf(r, alphaTable)
		o.Cost = times.Edge
	} else {
		o.Fixed, o.Cost, err = countedCosts(r, space)
	}
	if err != nil {
		return nil, err
	}
	for kind := range genotype.ConvolutionalKinds {
		for from := range space.Nodes + kind.Inputs() - 1 {
			for _, op := range slices.Concat(space.Ops(kind)...) {
				if o.Cost(kind, from, op) > 0 {
					return darts.NewCostTerm(space, o), nil
				}
			}
		}
	}
	return nil, fmt.Errorf("nas: alpha.cost: %w", errFree)
}

// countedCosts returns the multiply-adds or parameters of each operation of a space, and those of a network
// whose operations have none.
func countedCosts(r *nas.Run, space darts.Space) (fixed float64, cost func(genotype.Kind, int, genotype.Op) float64, err error) {
	count := counter(r, r.Config.Alpha.Cost.Of)
	fixed = count(poolingCell(space.Nodes))
	costs := map[[3]string]float64{}
	key := func(kind genotype.Kind, from int, op genotype.Op) [3]string {
		return [3]string{kind.String(), fmt.Sprint(kind.Stride(from)), string(op)}
	}
	for kind := range genotype.ConvolutionalKinds {
		for from := range space.Nodes + kind.Inputs() - 1 {
			for _, op := range slices.Concat(space.Ops(kind)...) {
				if _, known := costs[key(kind, from, op)]; known || op == genotype.None {
					continue
				}
				g := poolingCell(space.Nodes)
				edges := g.Cell(kind).Edges
				edges[len(edges)-1] = genotype.Edge{Op: op, From: from}
				n := count(g)
				if n == 0 {
					return 0, nil, fmt.Errorf("nas: alpha.cost: %s was registered without its multiply-adds: the network of a cell that has it cannot be counted", op)
				}
				costs[key(kind, from, op)] = n - fixed
			}
		}
	}
	return fixed, func(kind genotype.Kind, from int, op genotype.Op) float64 { return costs[key(kind, from, op)] }, nil
}

// counter returns a function that counts the parameters or the multiply-adds of a cell's network.
func counter(r *nas.Run, of string) func(genotype.Genotype) float64 {
	feed := r.Feed.(*images.Feed)
	return func(g genotype.Genotype) float64 {
		parameters, multiplyAdds := feed.Count(g)
		if of == config.Parameters {
			return float64(parameters)
		}
		return float64(multiplyAdds)
	}
}

// poolingCell returns cells of nodes whose operations have neither weights nor multiply-adds.
func poolingCell(nodes int) (g genotype.Genotype) {
	for kind := range genotype.ConvolutionalKinds {
		c := g.Cell(kind)
		for node := range nodes {
			c.Edges = append(c.Edges, genotype.Edge{Op: genotype.MaxPool3x3}, genotype.Edge{Op: genotype.MaxPool3x3, From: 1})
			c.Concat = append(c.Concat, node+kind.Inputs())
		}
	}
	return g
}

// observeCost returns the expected cost at alphas, nil without a term.
func observeCost(t *darts.CostTerm, alphas []torch.Tensor) *float64 {
	if t == nil {
		return nil
	}
	return new(t.Expected(alphas).Item())
}

// costOf returns the cost of a cell's network by strategy.cost, nil for none.
func costOf(r *nas.Run, of string) (func(genotype.Genotype) float64, error) {
	switch of {
	case config.NoCost:
		return nil, nil
	case config.Latency:
		times, err := latenciesOf(r, objectiveTable)
		return times.Cell, err
	}
	return counter(r, of), nil
}

// frontOf returns the cells among the trials that no other dominates in score and cost, the cheapest
// first. It is nil without a cost.
func frontOf(all []blackbox.Trial[genotype.Genotype], cost func(genotype.Genotype) float64) (front []runfolder.FrontCell) {
	if cost == nil {
		return nil
	}
	var points []blackbox.Point
	for _, t := range all {
		points = append(points, blackbox.Point{Score: t.Score, Cost: cost(t.Architecture)})
	}
	for i, rank := range blackbox.Ranks(points) {
		same := func(c runfolder.FrontCell) bool { return c.Genotype.String() == all[i].Architecture.String() }
		if rank == 0 && points[i].Score > blackbox.Worst && !slices.ContainsFunc(front, same) {
			front = append(front, runfolder.FrontCell{
				Genotype: all[i].Architecture, Trial: i + 1, ValidError: 100 * (1 - points[i].Score), Cost: points[i].Cost,
			})
		}
	}
	slices.SortFunc(front, func(a, b runfolder.FrontCell) int {
		return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Trial, b.Trial))
	})
	return front
}
