// Package nasbench201 is the benchmark NAS-Bench-201 (Dong, Yang, ICLR 2020): its
// space of 15,625 cells, the table of their accuracies, and a comparison of strategies
// that look accuracies up instead of training.
package nasbench201

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// ops are the operations of an edge, under the benchmark's names and in its order.
var ops = [...]string{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}

// Cells is the number of cells: 5 operations on each of 6 edges.
const Cells = 15625

const edges = 6 // 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2

// Cell is a cell of four nodes. A node is the sum of an operation on each earlier node.
// Cell holds the index in ops of each edge's operation, with the edges in the order of the
// text.
type Cell [edges]uint8

// String writes the cell as the benchmark does: the operations that lead to nodes 1, 2 and
// 3, each with its input node.
//
//	|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|
func (c Cell) String() string {
	var text strings.Builder
	edge := 0
	for node := 1; node <= 3; node++ {
		if node > 1 {
			text.WriteByte('+')
		}
		for from := range node {
			fmt.Fprintf(&text, "|%s~%d", ops[c[edge]], from)
			edge++
		}
		text.WriteByte('|')
	}
	return text.String()
}

// ParseCell reads what String writes. The error names the edge that is wrong.
func ParseCell(text string) (Cell, error) {
	var c Cell
	fail := func(format string, args ...any) (Cell, error) {
		return Cell{}, fmt.Errorf("cell %q: %s", text[:min(len(text), 120)], fmt.Sprintf(format, args...))
	}
	nodes := strings.Split(text, "+")
	if len(nodes) != 3 {
		return fail("%d nodes, want 3 with + between them", len(nodes))
	}
	edge := 0
	for i, node := range nodes {
		inner, opened := strings.CutPrefix(node, "|")
		inner, closed := strings.CutSuffix(inner, "|")
		inputs := strings.Split(inner, "|")
		if !opened || !closed || len(inputs) != i+1 {
			return fail("node %d is %q, want %d operations between |", i+1, node, i+1)
		}
		for from, input := range inputs {
			name, source, _ := strings.Cut(input, "~")
			op := slices.Index(ops[:], name)
			switch {
			case op < 0:
				return fail("node %d: unknown operation %q (there are: %s)", i+1, name, strings.Join(ops[:], ", "))
			case source != fmt.Sprint(from):
				return fail("node %d: operation %d is %q, want one from node %d: %s~%d", i+1, from+1, input, from, name, from)
			}
			c[edge] = uint8(op)
			edge++
		}
	}
	return c, nil
}

// number returns the index of c among all cells, 0 to Cells-1.
func (c Cell) number() int {
	n := 0
	for _, op := range c {
		n = n*len(ops) + int(op)
	}
	return n
}

// numbered returns the cell of that number.
func numbered(n int) Cell {
	var c Cell
	for i := range c {
		c[edges-1-i] = uint8(n % len(ops))
		n /= len(ops)
	}
	return c
}

// Space is the space of cells, for the strategies of package blackbox.
type Space struct{}

// Sample draws a cell uniformly.
func (Space) Sample(r *rand.Rand) Cell { return numbered(r.IntN(Cells)) }

// Mutate replaces the operation of one edge by another. It draws both uniformly.
func (Space) Mutate(c Cell, r *rand.Rand) Cell {
	edge := r.IntN(edges)
	other := 1 + r.IntN(len(ops)-1)
	c[edge] = uint8((int(c[edge]) + other) % len(ops))
	return c
}

// Options returns 5 for each edge, the number of operations.
func (Space) Options() []int { return slices.Repeat([]int{len(ops)}, edges) }

// Architecture returns the cell of these operations.
func (Space) Architecture(chosen []int) Cell {
	var c Cell
	for i, op := range chosen {
		c[i] = uint8(op)
	}
	return c
}
