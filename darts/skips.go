package darts

import (
	"math"
	"slices"

	"godarts/cells/genotype"
)

// skipLimit derives a cell with at most most skip connections, where the space has one.
type skipLimit struct {
	most int
	// derive derives a cell from a table of weights, one row for each edge.
	derive func(weights [][]float64, ops [][]genotype.Op) genotype.Cell
	// removed is the weight of a skip connection that is ruled out; all other weights are larger.
	removed float64
	// mayGo reports whether the skip connection of an edge with these operations can be ruled out.
	mayGo func(ops []genotype.Op) bool
}

// cell derives a cell from weights, which it changes. While the cell has more skip connections than the limit, cell
// rules out the one with the smallest weight, the first of equal ones, and derives the cell again. This can bring edges
// back. The cell ends with more than the limit where no skip connection of it can go.
func (l skipLimit) cell(weights [][]float64, ops [][]genotype.Op) genotype.Cell {
	for {
		c := l.derive(weights, ops)
		count := 0
		var weakest *float64
		for i, edge := range c.Edges {
			if edge.Op != genotype.SkipConnect {
				continue
			}
			count++
			e := FirstEdge(i/EdgesKept) + edge.From
			skip := &weights[e][slices.Index(ops[e], genotype.SkipConnect)]
			if *skip > l.removed && l.mayGo(ops[e]) && (weakest == nil || *skip < *weakest) {
				weakest = skip
			}
		}
		if count <= l.most || weakest == nil {
			return c
		}
		*weakest = l.removed
	}
}

// copyRows copies a table.
func copyRows(rows [][]float64) [][]float64 {
	table := make([][]float64, len(rows))
	for e, row := range rows {
		table[e] = slices.Clone(row)
	}
	return table
}

// deriveLimited derives a cell from mix by discretize with at most most skip connections. A skip connection stays where
// it is the only operation of its edge besides "none".
func deriveLimited(mix [][]float64, ops [][]genotype.Op, most int) genotype.Cell {
	hasOther := func(ops []genotype.Op) bool {
		return len(genotype.Without(ops, genotype.None, genotype.SkipConnect)) > 0
	}
	return skipLimit{most, discretize, math.Inf(-1), hasOther}.cell(copyRows(mix), ops)
}

// deriveProgressive derives a cell from the probabilities of P-DARTS' last stage with at most most skip connections.
// "none" has no part in the strength of an edge. The only operation of an edge can lose its probability, too: another
// edge of the node comes in then, where there is one.
func deriveProgressive(p [][]float64, ops [][]genotype.Op, most int) genotype.Cell {
	table := copyRows(p)
	for e := range table {
		if k := slices.Index(ops[e], genotype.None); k >= 0 {
			table[e][k] = 0
		}
	}
	always := func([]genotype.Op) bool { return true }
	return skipLimit{most, progressiveCell, 0, always}.cell(table, ops)
}
