package darts

import (
	"math"
	"slices"

	"godarts/cells"
	"godarts/torch"
)

// edgesKept is the number of incoming edges that a node of a derived cell keeps.
const edgesKept = 2

// discretize derives a cell from mix = softmax(α), one row for each edge, one
// column for each of its operations ops. Each node keeps the two incoming edges
// whose best operation weighs most, strongest first, each with that operation;
// "none" never counts as an operation, but its weight is part of the softmax.
// Ties go to the smaller index. Reference cnn/model_search.py genotype.
func discretize(mix [][]float64, ops [][]cells.Op) cells.Cell {
	var c cells.Cell
	for i := 0; firstEdge(i) < len(mix); i++ {
		rows, ops := mix[firstEdge(i):firstEdge(i+1)], ops[firstEdge(i):firstEdge(i+1)]
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
		for _, j := range inputs[:edgesKept] {
			c.Edges = append(c.Edges, cells.Edge{Op: ops[j][best[j]], From: j})
		}
		c.Concat = append(c.Concat, i+2)
	}
	return c
}

// bestOperation is the first column with the largest weight, "none" aside.
func bestOperation(row []float64, ops []cells.Op) int {
	best := -1
	for k, weight := range row {
		if ops[k] != cells.None && (best < 0 || weight > row[best]) {
			best = k
		}
	}
	return best
}

// derive discretizes α. Its softmax is written out because the order of libtorch's
// sums hangs on the processor, and with it which of two edges wins when their
// rows hold the same numbers in another order.
func (a *architecture) derive() cells.Cell {
	width := a.alpha.Size(1)
	if a.alpha.Dtype() == torch.Float64 {
		return discretize(softmaxRows(a.alpha.Float64s(), width, a.ops), a.ops)
	}
	return discretize(softmaxRows(a.alpha.Float32s(), width, a.ops), a.ops)
}

// softmaxRows is e^(x − max)/Σ e^(x − max) of each row of x, in x's own precision,
// over the columns of the edge's operations, sums from left to right.
func softmaxRows[F float32 | float64](x []F, width int, ops [][]cells.Op) (rows [][]float64) {
	for e, of := range ops {
		row := x[e*width:][:len(of)]
		largest := slices.Max(row)
		exp := make([]F, len(row))
		var sum F
		for k, v := range row {
			exp[k] = F(math.Exp(float64(v - largest)))
			sum += exp[k]
		}
		mix := make([]float64, len(row))
		for k, e := range exp {
			mix[k] = float64(e / sum)
		}
		rows = append(rows, mix)
	}
	return rows
}
