package darts

import (
	"math"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
)

// EdgesKept is the number of incoming edges that a node of a derived cell keeps.
const EdgesKept = 2

// discretize derives a cell from mix = softmax(α), with one row for each edge and one column for each of its
// operations ops. Each node keeps the two incoming edges whose best operation has the largest weight, strongest
// first, each with that operation. "none" is never the best operation, but its weight is part of the softmax. Of
// equal weights the smaller index wins. Reference cnn/model_search.py genotype.
func discretize(mix [][]float64, ops [][]genotype.Op) genotype.Cell {
	var c genotype.Cell
	for i := 0; FirstEdge(i) < len(mix); i++ {
		rows, ops := mix[FirstEdge(i):FirstEdge(i+1)], ops[FirstEdge(i):FirstEdge(i+1)]
		inputs := make([]int, len(rows))
		best := make([]int, len(rows)) // column of each edge's best operation
		for j, row := range rows {
			inputs[j] = j
			best[j] = bestOperation(row, ops[j])
		}
		slices.SortStableFunc(inputs, func(a, b int) int {
			switch x, y := rows[a][best[a]], rows[b][best[b]]; {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		for _, j := range inputs[:EdgesKept] {
			c.Edges = append(c.Edges, genotype.Edge{Op: ops[j][best[j]], From: j})
		}
		c.Concat = append(c.Concat, i+2)
	}
	return c
}

// bestOperation returns the first column with the largest weight, "none" excluded.
func bestOperation(row []float64, ops []genotype.Op) int {
	best := -1
	for k, weight := range row {
		if ops[k] != genotype.None && (best < 0 || weight > row[best]) {
			best = k
		}
	}
	return best
}

// derive discretizes α. It computes the softmax itself, because the order of libtorch's sums depends on the
// processor. When two rows hold the same numbers in another order, that order would decide which edge wins.
func (a *Architecture) derive() genotype.Cell { return discretize(a.probabilities(), a.Ops) }

// probabilities returns softmax(α), one row for each edge and one column for each of its operations. With β rows are
// multiplied by the edge's weight. PC-DARTS model_search.py genotype.
func (a *Architecture) probabilities() [][]float64 { return a.rows(a.Alpha, a.beta) }

// rows returns the probabilities of other tables with the shapes of α and β.
func (a *Architecture) rows(alpha, beta torch.Tensor) [][]float64 {
	width := alpha.Size(1)
	if alpha.Dtype() == torch.Float64 {
		rows := softmaxRows(alpha.Float64s(), width, a.Ops)
		if beta.Defined() {
			weighEdges(rows, beta.Float64s())
		}
		return rows
	}
	rows := softmaxRows(alpha.Float32s(), width, a.Ops)
	if beta.Defined() {
		weighEdges(rows, beta.Float32s())
	}
	return rows
}

// weighEdges multiplies rows by softmax(β) over the edges of each node, in β's precision.
func weighEdges[F float32 | float64](rows [][]float64, beta []F) {
	for i := 0; FirstEdge(i) < len(rows); i++ {
		for j, weight := range softmax(beta[FirstEdge(i):FirstEdge(i+1)]) {
			row := rows[FirstEdge(i)+j]
			for k, v := range row {
				row[k] = float64(F(v) * weight)
			}
		}
	}
}

// softmaxRows returns the softmax of each row of x over the columns of the edge's operations.
func softmaxRows[F float32 | float64](x []F, width int, ops [][]genotype.Op) (rows [][]float64) {
	for e, of := range ops {
		var row []float64
		for _, v := range softmax(x[e*width:][:len(of)]) {
			row = append(row, float64(v))
		}
		rows = append(rows, row)
	}
	return rows
}

// softmax returns e^(x − max)/Σ e^(x − max) in x's precision. It sums from left to right.
func softmax[F float32 | float64](x []F) []F {
	largest := slices.Max(x)
	out := make([]F, len(x))
	var sum F
	for k, v := range x {
		out[k] = F(math.Exp(float64(v - largest)))
		sum += out[k]
	}
	for k := range out {
		out[k] /= sum
	}
	return out
}
