package enas

import (
	"math"
	"math/rand/v2"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
)

// Share is how often drawn cells of a kind use each edge, and each operation of it.
type Share struct {
	Edges      []float64   // share of cells that use the edge
	Operations [][]float64 // share of each operation of the edge, "none" excluded, among the cells that use it; 0 if none does
}

// Shares draws n cells of each kind from r, all at a time, and returns how often they have each edge and operation. It
// changes nothing. With n = 1 the cells are those of Draw. It panics with *torch.Error unless n is 1 to 10 000.
func (c *Controller) Shares(r *rand.Rand, n int) (shares [genotype.ConvolutionalKinds]Share) {
	if n < 1 || n > mostDrawn {
		torch.Misuse("enas.Controller", "%d cells to draw, wanted 1 to %d", n, mostDrawn)
	}
	defer onOneThread()()
	torch.Scoped(func() {
		torch.NoGrad(func() {
			zero := torch.Zeros([]int{n, controllerUnits}, c.start.Options())
			m := &many{Controller: c, r: r, n: n, h: zero, c: zero, zero: zero}
			for kind := range genotype.ConvolutionalKinds {
				shares[kind] = m.cells(kind)
			}
		})
	})
	return shares
}

// mostDrawn bounds the memory of Shares.
const mostDrawn = 10_000

// many is draw for n cells at a time, a row for each.
type many struct {
	*Controller
	r    *rand.Rand
	n    int
	h, c torch.Tensor // states of the LSTM, [n,units]
	zero torch.Tensor // [n,units]
}

// cells draws the n cells of a kind.
func (m *many) cells(kind genotype.Kind) (s Share) {
	ops := m.space.Ops(kind)
	s.Edges, s.Operations = make([]float64, len(ops)), make([][]float64, len(ops))
	for e, of := range ops {
		s.Operations[e] = make([]float64, len(genotype.Without(of, genotype.None)))
	}
	start := m.start.Tensor.Add(m.zero)
	var anchors, keys []torch.Tensor // of the states so far, [n,units]
	for range 2 {
		m.step(start)
		anchors, keys = append(anchors, m.zero), append(keys, m.h.Mm(m.key.Tensor))
	}
	x := start
	for i := range m.space.Nodes {
		var inputs [][]int // of each row
		for range darts.EdgesKept {
			m.step(x)
			inputs = append(inputs, m.input(keys, inputs))
			x = m.pick(anchors, inputs[len(inputs)-1])
		}
		for _, from := range inputs {
			m.step(x)
			chosen := m.operation(ops[darts.FirstEdge(i):darts.FirstEdge(i+1)], from, kind)
			for row, k := range chosen {
				e := darts.FirstEdge(i) + from[row]
				s.Edges[e]++
				s.Operations[e][slices.Index(genotype.Without(ops[e], genotype.None), m.ops[k])]++
			}
			x = m.embedding.IndexSelect(0, indices(chosen))
		}
		m.step(x)
		anchors, keys = append(anchors, m.h), append(keys, m.h.Mm(m.key.Tensor))
		x = start
	}
	for e, used := range s.Edges {
		for k := range s.Operations[e] {
			s.Operations[e][k] /= max(used, 1)
		}
		s.Edges[e] = used / float64(m.n)
	}
	return s
}

// step is draw.step for all rows of x [n,units].
func (m *many) step(x torch.Tensor) {
	d := draw{Controller: m.Controller, h: m.h, c: m.c}
	d.step(x)
	m.h, m.c = d.h, d.c
}

// input decides on a state for each row, which must be none of those taken.
func (m *many) input(keys []torch.Tensor, taken [][]int) (states []int) {
	query := m.h.Mm(m.query.Tensor)
	scores := make([]torch.Tensor, len(keys))
	for j, key := range keys {
		scores[j] = key.Add(query).Tanh().Mm(m.v.Tensor) // [n,1]
	}
	logits := torch.Cat(scores, 1).Tanh().MulScalar(squashInput)
	return m.decide(logits, func(row, j int) bool {
		return !m.coincide && slices.ContainsFunc(taken, func(of []int) bool { return of[row] == j })
	})
}

// operation decides on an operation for each row, an index of m.ops, for the edge from the row's input to a node whose
// edges have the operations ops.
func (m *many) operation(ops [][]genotype.Op, from []int, kind genotype.Kind) []int {
	lacks := make([][]bool, len(ops))
	for j, of := range ops {
		for _, op := range m.ops {
			lacks[j] = append(lacks[j], !slices.Contains(of, op))
		}
	}
	return m.decide(m.operationLogits(m.h, kind), func(row, k int) bool { return lacks[from[row]][k] })
}

// decide draws from softmax(logits [n,options]) for each row, among the options that are not closed.
func (m *many) decide(logits torch.Tensor, closed func(row, k int) bool) (chosen []int) {
	options := logits.Size(1)
	mask := make([]bool, 0, m.n*options)
	for row := range m.n {
		for k := range options {
			mask = append(mask, closed(row, k))
		}
	}
	logs := logits.MaskedFill(torch.FromSlice(mask, m.n, options), math.Inf(-1)).LogSoftmax(1).Float64s()
	for row := range slices.Chunk(logs, options) {
		u, last := m.r.Float64(), 0 // last is the one where rounding leaves the sum of all p below u, too
		for k, logP := range row {
			if p := math.Exp(logP); p > 0 {
				last = k
				if u -= p; u < 0 {
					break
				}
			}
		}
		chosen = append(chosen, last)
	}
	return chosen
}

// pick returns the row of states[chosen[row]] for each row, [n,units].
func (m *many) pick(states []torch.Tensor, chosen []int) torch.Tensor {
	at := make([]int, m.n)
	for row, j := range chosen {
		at[row] = j*m.n + row
	}
	return torch.Cat(states, 0).IndexSelect(0, indices(at))
}

// indices returns numbers as a tensor for IndexSelect.
func indices(at []int) torch.Tensor {
	numbers := make([]int64, len(at))
	for i, n := range at {
		numbers[i] = int64(n)
	}
	return torch.FromSlice(numbers, len(numbers))
}
