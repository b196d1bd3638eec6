package darts

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/torch"
)

// fastCell says what a cell computes, and where its weights lie in the layout.
type fastCell struct {
	reduce, reducedBefore bool
	kind                  int // 0 normal, 1 reduction: of pass.mix
	c                     int // channels of a node
	inputs                [2]fastInput
	states                []fastState // both inputs, then the nodes that have outgoing edges
	nodes                 []fastNode
}

// fastInput is preprocess0 or preprocess1: one 1x1 convolution [c,in], or the two
// [c/2,in] of a factorized reduction.
type fastInput struct {
	weight segment
	norm   norm
}

// fastState is what the outgoing edges of a state have in common.
type fastState struct {
	stride    int // of the edges
	pools     [2]bool
	poolNorms [2]norm
	dilated   [3]bool // depthwise kernels of dilation 1, 2
	relu      bool    // some operation begins with a ReLU
	reduction bool    // a factorized reduction
}

// The poolings, as indices.
const (
	maxPool = iota
	avgPool
)

// fastNode is a node: its incoming edges, operation by operation. Its terms are
// the items of all groups, the poolings, the factorized reductions and the skip
// connections, in this order.
type fastNode struct {
	groups     []group // separable convolutions first
	separable  int     // items in the separable groups
	items      int     // in all groups
	pools      []pool
	reductions []int        // states
	skips      []int        // states
	mix        torch.Tensor // int64 [terms]: their entries in the flat table mix

	middle     segment // [separable,c,c,1,1]: the 1x1 convolutions between two depthwise ones
	middleNorm norm
	final      segment // [items,c,c,1,1]: the last 1x1 convolutions
	finalNorm  norm
	reduction  segment // [2·reductions,c/2,c,1,1]
	reduceNorm norm
}

// group is one depthwise operation on several incoming edges: its items.
type group struct {
	kernel        kernel
	separable     bool
	states        []int   // of each item
	first, second segment // depthwise weights [items,c,1,k,k]; second of separable convolutions
}

type pool struct{ state, which int }

// convolutions are the operations that end in a 1x1 convolution with batch norm,
// separable ones first.
var convolutions = []struct {
	op        genotype.Op
	separable bool
	kernel    kernel
}{
	{genotype.SepConv3x3, true, kernel{3, 1}},
	{genotype.SepConv5x5, true, kernel{5, 1}},
	{genotype.DilConv3x3, false, kernel{3, 2}},
	{genotype.DilConv5x5, false, kernel{5, 2}},
}

// cell lays out the cell at that layer, whose modules are from.
func (b *layoutBuilder) cell(layer int, from *searchCell, a *architecture) *fastCell {
	at := fmt.Sprintf("cells.%d.", layer)
	pre0 := b.parameters[at+"preprocess0.conv_1.weight"]
	cell := &fastCell{reduce: from.reduce, reducedBefore: pre0.Defined()}
	if from.reduce {
		cell.kind = 1
	}
	if cell.reducedBefore {
		cell.inputs[0].weight = b.parameter(at+"preprocess0.conv_1.weight", at+"preprocess0.conv_2.weight")
	} else {
		cell.inputs[0].weight = b.parameter(at + "preprocess0.op.1.weight")
	}
	cell.inputs[1].weight = b.parameter(at + "preprocess1.op.1.weight")
	cell.c = cell.inputs[1].weight.shape[0]
	cell.inputs[1].norm = b.norm(cell.c, []string{at + "preprocess1.op.2"})
	if cell.reducedBefore {
		cell.inputs[0].norm = b.norm(cell.c, []string{at + "preprocess0.bn"})
	} else {
		cell.inputs[0].norm = b.norm(cell.c, []string{at + "preprocess0.op.2"})
	}
	for i := range from.nodes {
		cell.nodes = append(cell.nodes, b.node(at, cell, i, a))
	}
	for j := range from.nodes + 1 {
		cell.states = append(cell.states, b.state(at, cell, j, a))
	}
	return cell
}

// node lays out node i.
func (b *layoutBuilder) node(at string, cell *fastCell, i int, a *architecture) fastNode {
	n := fastNode{}
	width := a.width()
	var mix []int64
	// edges calls do with the name, state and mixture entry of each incoming edge that has op.
	edges := func(op genotype.Op, do func(name string, state int)) {
		for j := range i + 2 {
			e := firstEdge(i) + j
			for k, own := range a.ops[e] {
				if own == op {
					mix = append(mix, int64(e*width+k))
					do(fmt.Sprintf("%s_ops.%d._ops.%d.", at, e, k), j)
				}
			}
		}
	}
	var middle, final []string
	var middleNorms, finalNorms [][]string
	for _, of := range convolutions {
		g := group{kernel: of.kernel, separable: of.separable}
		var first, second []string
		edges(of.op, func(name string, state int) {
			g.states = append(g.states, state)
			first = append(first, name+"op.1.weight")
			pointwise, norm := name+"op.2.weight", name+"op.3"
			if of.separable {
				middle, middleNorms = append(middle, pointwise), append(middleNorms, []string{norm})
				second = append(second, name+"op.5.weight")
				pointwise, norm = name+"op.6.weight", name+"op.7"
			}
			final, finalNorms = append(final, pointwise), append(finalNorms, []string{norm})
		})
		if len(g.states) > 0 {
			g.first, g.second = b.parameter(first...), b.parameter(second...)
			n.groups = append(n.groups, g)
		}
	}
	n.separable, n.items = len(middle), len(final)
	n.middle, n.middleNorm = b.parameter(middle...), b.norm(cell.c, middleNorms...)
	n.final, n.finalNorm = b.parameter(final...), b.norm(cell.c, finalNorms...)

	edges(genotype.MaxPool3x3, func(_ string, state int) { n.pools = append(n.pools, pool{state, maxPool}) })
	edges(genotype.AvgPool3x3, func(_ string, state int) { n.pools = append(n.pools, pool{state, avgPool}) })
	var reductions []string
	var reductionNorms [][]string
	edges(genotype.SkipConnect, func(name string, state int) {
		if cell.stride(state) == 2 {
			n.reductions = append(n.reductions, state)
			reductions = append(reductions, name+"conv_1.weight", name+"conv_2.weight")
			reductionNorms = append(reductionNorms, []string{name + "bn"})
			return
		}
		n.skips = append(n.skips, state)
	})
	n.reduction, n.reduceNorm = b.parameter(reductions...), b.norm(cell.c, reductionNorms...)
	// In a reduction cell the inputs, whose skip connections reduce, come before the nodes.
	n.mix = torch.Keep(torch.FromSliceTo(mix, []int{len(mix)}, torch.Options{Dtype: torch.Int64, Device: a.alpha.Device()}))
	return n
}

// stride is that of the edges out of a state.
func (c *fastCell) stride(state int) int {
	if c.reduce && state < 2 {
		return 2
	}
	return 1
}

// state lays out what the edges out of state j share.
func (b *layoutBuilder) state(at string, cell *fastCell, j int, a *architecture) fastState {
	s := fastState{stride: cell.stride(j)}
	var norms [2][]string
	for i := max(0, j-1); i < len(cell.nodes); i++ {
		e := firstEdge(i) + j
		for k, op := range a.ops[e] {
			switch op {
			case genotype.MaxPool3x3, genotype.AvgPool3x3:
				which := maxPool
				if op == genotype.AvgPool3x3 {
					which = avgPool
				}
				s.pools[which] = true
				norms[which] = append(norms[which], fmt.Sprintf("%s_ops.%d._ops.%d.1", at, e, k))
			case genotype.SkipConnect:
				s.reduction = s.reduction || s.stride == 2
			case genotype.None:
			default:
				for _, of := range convolutions {
					if of.op == op {
						s.dilated[of.kernel.dilation] = true
					}
				}
			}
		}
	}
	for which, names := range norms {
		if len(names) > 0 {
			s.poolNorms[which] = b.norm(cell.c, names) // one pooling, one batch norm for all edges
		}
	}
	s.relu = s.dilated[1] || s.dilated[2] || s.reduction
	return s
}
