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
// column for each of cells.Primitives. Each node keeps the two incoming edges
// whose best operation weighs most, strongest first, each with that operation;
// "none" never counts as an operation, but its weight is part of the softmax.
// Ties go to the smaller index. Reference cnn/model_search.py genotype.
func discretize(mix [][]float64) cells.Cell {
	var c cells.Cell
	for i := 0; firstEdge(i) < len(mix); i++ {
		rows := mix[firstEdge(i):firstEdge(i+1)]
		inputs := make([]int, len(rows))
		best := make([]int, len(rows)) // column of each edge's best operation
		for j, row := range rows {
			inputs[j] = j
			best[j] = bestOperation(row)
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
			c.Edges = append(c.Edges, cells.Edge{Op: cells.Primitives[best[j]], From: j})
		}
		c.Concat = append(c.Concat, i+2)
	}
	return c
}

// bestOperation is the first column with the largest weight, "none" aside.
func bestOperation(row []float64) int {
	best := -1
	for k, weight := range row {
		if cells.Primitives[k] != cells.None && (best < 0 || weight > row[best]) {
			best = k
		}
	}
	return best
}

// derive discretizes both tables of α [edges, operations].
func derive(normal, reduce torch.Tensor) cells.Genotype {
	return cells.Genotype{Normal: discretize(softmaxRows(normal)), Reduce: discretize(softmaxRows(reduce))}
}

// softmaxRows is softmax(α) of each row, in α's own precision. It is written out
// because the order of libtorch's sums hangs on the processor, and with it which
// of two edges wins when their rows hold the same numbers in another order.
func softmaxRows(alpha torch.Tensor) [][]float64 {
	ops := alpha.Size(1)
	if alpha.Dtype() == torch.Float64 {
		return rows(softmax(alpha.Float64s(), ops), ops)
	}
	return rows(softmax(alpha.Float32s(), ops), ops)
}

// softmax is e^(x − max)/Σ e^(x − max) of each n numbers, sums from left to right.
func softmax[F float32 | float64](x []F, n int) []float64 {
	var out []float64
	for row := range slices.Chunk(x, n) {
		largest := slices.Max(row)
		exp := make([]F, n)
		var sum F
		for k, v := range row {
			exp[k] = F(math.Exp(float64(v - largest)))
			sum += exp[k]
		}
		for _, e := range exp {
			out = append(out, float64(e/sum))
		}
	}
	return out
}

func rows(flat []float64, n int) [][]float64 { return slices.Collect(slices.Chunk(flat, n)) }
