package darts

import (
	"math/rand/v2"

	"godarts/cells"
)

// Edges is the number of edges of a cell with that many intermediate nodes: node
// i has one from each of the two inputs and the i nodes before it.
func Edges(nodes int) int { return nodes * (nodes + 3) / 2 }

// firstEdge is the row of node i's first edge in a table of α.
func firstEdge(i int) int { return Edges(i) }

// reduces tells whether the cell at that layer is a reduction cell.
func reduces(layer, layers int) bool { return layer == layers/3 || layer == 2*layers/3 }

// Sample draws cells uniformly: for each node two distinct inputs and for each
// an operation other than "none". That has the law of the genotype derived from
// an α of independent standard normal entries, which the paper's authors used
// for their random baseline.
func Sample(r *rand.Rand, nodes int) cells.Genotype {
	draw := func() cells.Cell {
		var c cells.Cell
		for i := range nodes {
			for _, from := range r.Perm(i + 2)[:2] {
				op := cells.Primitives[1+r.IntN(len(cells.Primitives)-1)]
				c.Edges = append(c.Edges, cells.Edge{Op: op, From: from})
			}
			c.Concat = append(c.Concat, i+2)
		}
		return c
	}
	return cells.Genotype{Normal: draw(), Reduce: draw()}
}
