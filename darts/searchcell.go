package darts

import (
	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// SearchCell is a cell whose every edge mixes all operations. Reference cnn/model_search.py Cell.
type SearchCell struct {
	Kind                     genotype.Kind
	preprocess0, preprocess1 nn.Layer
	edges                    []mixedOp // node by node, by input
	Nodes                    int
}

type searchCellOptions struct {
	ops           [][]genotype.Op // of each edge
	nodes         int
	before, last  int // channels of the outputs of the last but one and the last cell
	channels      int
	partial       int // see Options.Partial, at least 1
	kind          genotype.Kind
	reducedBefore bool // the last cell halved the image: the last but one's output is twice as large
}

func newSearchCell(p nn.Path, o searchCellOptions) *SearchCell {
	c := &SearchCell{Kind: o.kind, Nodes: o.nodes}
	if o.reducedBefore {
		c.preprocess0 = cells.FactorizedReduce(p.At("preprocess0"), o.before, o.channels, false)
	} else {
		c.preprocess0 = cells.ReLUConvBN(p.At("preprocess0"), o.before, o.channels, false)
	}
	c.preprocess1 = cells.ReLUConvBN(p.At("preprocess1"), o.last, o.channels, false)
	for i := range o.nodes {
		for j := range i + 2 {
			e := len(c.edges)
			c.edges = append(c.edges, newMixedOp(p.At("_ops").Index(e), o.ops[e], o.channels, o.kind.Stride(j), o.partial))
		}
	}
	return c
}

// forward computes x(j) = Σ_{i<j} ō(i,j)(x(i)) for every node j and joins the intermediate nodes' channels. Eq. 1.
// Each node has an edge with an operation in mix. weights, if not nil, are factors [1] of the edges. all is as in
// mixedOp.forward.
func (c *SearchCell) forward(s0, s1 torch.Tensor, mix mixture, weights []torch.Tensor, all bool, m nn.Mode) (out torch.Tensor) {
	torch.Scoped(func() {
		states := []torch.Tensor{c.preprocess0.Forward(s0, m), c.preprocess1.Forward(s1, m)}
		for i := range c.Nodes {
			var node torch.Tensor
			for j, state := range states {
				e := FirstEdge(i) + j
				edge := c.edges[e].forward(state, mix[e], all, m)
				if !edge.Defined() {
					continue
				}
				if weights != nil {
					edge = edge.Mul(weights[e])
				}
				node = addTo(node, edge)
			}
			states = append(states, node)
		}
		out = torch.Keep(torch.Cat(states[2:], 1)) // [N, nodes·channels, H', W']
	})
	return out
}

// mixedOp is ō(i,j): all operations of one edge.
type mixedOp struct {
	ops     []nn.Layer
	partial int // operations read the first 1/partial of the channels, see partial.go
}

// newMixedOp makes the operations of an edge. In the search a batch norm follows both poolings, and no batch norm is
// affine. Reference cnn/model_search.py MixedOp.
func newMixedOp(p nn.Path, of []genotype.Op, channels, stride, partial int) mixedOp {
	edge := mixedOp{partial: partial}
	channels /= partial
	for k, op := range of {
		at := p.At("_ops").Index(k)
		layer := cells.Operation(at, op, channels, stride, false)
		if op == genotype.MaxPool3x3 || op == genotype.AvgPool3x3 {
			layer = nn.Sequential{layer, nn.NewBatchNorm2d(at.Index(1), channels, false)}
		}
		edge.ops = append(edge.ops, layer)
	}
	return edge
}

// forward computes ō(x) = Σ_o mix_o·o(x). Eq. 2. It leaves out operations without a mix_o; with all it computes them,
// too, without a gradient, so that their running statistics move. The result is the zero Tensor if no operation has a
// mix_o.
func (edge mixedOp) forward(x torch.Tensor, mix []torch.Tensor, all bool, m nn.Mode) (sum torch.Tensor) {
	torch.Scoped(func() {
		active, bypass := edge.split(x)
		for k, op := range edge.ops {
			switch {
			case mix[k].Defined():
				sum = addTo(sum, op.Forward(active, m).Mul(mix[k]))
			case all:
				torch.Scoped(func() { torch.NoGrad(func() { op.Forward(active, m) }) })
			}
		}
		if sum.Defined() {
			sum = torch.Keep(edge.join(sum, bypass))
		}
	})
	return sum
}

// addTo returns a + b; the zero Tensor a is an empty sum.
func addTo(a, b torch.Tensor) torch.Tensor {
	if !a.Defined() {
		return b
	}
	return a.Add(b)
}
