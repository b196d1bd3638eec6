package fast

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
)

// segment is a piece of a flat tensor: count tensors of a shape, one after the other. The zero segment is empty.
type segment struct {
	offset, count int
	shape         [4]int // of each; trailing zeros are no dimensions
}

func (s segment) dims() (dims []int) {
	for _, d := range s.shape {
		if d > 0 {
			dims = append(dims, d)
		}
	}
	return dims
}

func (s segment) numel() int {
	n := s.count
	for _, d := range s.dims() {
		n *= d
	}
	return n
}

// segments cuts a flat tensor.
type segments struct{ flat torch.Tensor }

// at views a segment as [count, shape...], or as shape if that is given.
func (s segments) at(g segment, shape ...int) (v torch.Tensor) {
	if len(shape) == 0 {
		shape = append([]int{g.count}, g.dims()...)
	}
	torch.Scoped(func() { v = torch.Keep(s.flat.Narrow(0, g.offset, g.numel()).View(shape...)) })
	return v
}

// layout is the order of weights and statistics in the fast form: tensors that one operator reads are adjacent, so
// that they are one stacked operand. Everywhere else w has the order of registration, equal for both forms.
type layout struct {
	place      torch.Tensor // [P] int64: entry i of the fast order is entry place[i] of w
	inverse    torch.Tensor // [P] the inverse
	statistics int          // numbers in the fast order of statistics
	source     torch.Tensor // [S] int64: entry i of the running statistics moves towards entry source[i]

	stemWeight, stemScale, stemShift segment
	stemMean, stemVariance           segment
	classifierWeight, classifierBias segment
}

// gathered returns w in the fast order.
func (l *layout) gathered(w torch.Tensor) torch.Tensor { return w.IndexSelect(0, l.place) }

// registered returns a vector of the fast order in the order of w.
func (l *layout) registered(fast torch.Tensor) torch.Tensor { return fast.IndexSelect(0, l.inverse) }

// moveStatistics moves running statistics towards the batch's by the momentum of batch norms.
func (l *layout) moveStatistics(running, batch torch.Tensor) {
	torch.Scoped(func() { running.Lerp_(batch.IndexSelect(0, l.source), darts.StatisticsMomentum) })
}

// index is the type of positions.
var index = torch.Options{Dtype: torch.Int64}

// layoutBuilder collects segments by the names of their parameters.
type layoutBuilder struct {
	layout     *layout
	weights    *nn.Weights
	parameters torch.StateDict // positions in w by name, int64
	buffers    torch.StateDict // positions in the running statistics by name, int64
	places     []torch.Tensor
	size       int
	moves      []move
}

// move says that the running statistics at those positions come from n numbers of the fast order.
type move struct {
	to        torch.Tensor
	offset, n int
}

func newLayoutBuilder(w *nn.Weights) *layoutBuilder {
	positions := func(n int) torch.Tensor { return torch.Arange(0, float64(n), 1, index) }
	return &layoutBuilder{
		layout: &layout{}, weights: w,
		parameters: w.Views(positions(w.W.Numel())),
		buffers:    w.StatsViews(positions(w.Stats.Numel())),
	}
}

// parameter appends parameters of equal shape.
func (b *layoutBuilder) parameter(names ...string) segment {
	if len(names) == 0 {
		return segment{}
	}
	s := segment{offset: b.size, count: len(names)}
	for i, name := range names {
		place, ok := b.parameters[name]
		if !ok {
			panic("darts: no parameter " + name)
		}
		if i == 0 {
			copy(s.shape[:], place.Shape())
		}
		b.places = append(b.places, place.Flatten())
	}
	b.size += s.numel()
	return s
}

// statistic appends the means or variances of batch norms over c channels each. Several names for one batch norm are
// copies of it.
func (b *layoutBuilder) statistic(what string, c int, norms ...[]string) segment {
	s := segment{offset: b.layout.statistics, count: len(norms), shape: [4]int{c}}
	for i, names := range norms {
		for _, name := range names {
			to, ok := b.buffers[name+what]
			if !ok {
				panic("darts: no buffer " + name + what)
			}
			b.moves = append(b.moves, move{to, s.offset + i*c, c})
		}
	}
	b.layout.statistics += s.numel()
	return s
}

// norm is the place of the statistics of stacked batch norms.
type norm struct{ mean, variance segment }

func (b *layoutBuilder) norm(c int, norms ...[]string) norm {
	if len(norms) == 0 {
		return norm{}
	}
	return norm{b.statistic(".running_mean", c, norms...), b.statistic(".running_var", c, norms...)}
}

func (b *layoutBuilder) stem() {
	l := b.layout
	l.stemWeight = b.parameter("stem.0.weight")
	l.stemScale, l.stemShift = b.parameter("stem.1.weight"), b.parameter("stem.1.bias")
	n := b.norm(l.stemScale.shape[0], []string{"stem.1"})
	l.stemMean, l.stemVariance = n.mean, n.variance
}

func (b *layoutBuilder) classifier() {
	b.layout.classifierWeight, b.layout.classifierBias = b.parameter("classifier.weight"), b.parameter("classifier.bias")
}

// build makes the index tensors on the device.
func (b *layoutBuilder) build(d torch.Device) {
	if n := b.weights.W.Numel(); b.size != n {
		panic(fmt.Sprintf("darts: the fast order has %d of %d weights", b.size, n))
	}
	place := torch.Cat(b.places, 0)
	back := torch.EmptyLike(place).Scatter_(0, place, torch.Arange(0, float64(b.size), 1, index))
	source := torch.Full([]int{b.weights.Stats.Numel()}, -1, index)
	for _, m := range b.moves {
		source.Scatter_(0, m.to, torch.Arange(float64(m.offset), float64(m.offset+m.n), 1, index))
	}
	if source.Amin(nil, false).ItemInt() < 0 {
		panic("darts: a running statistic has no source")
	}
	to := torch.Options{Dtype: torch.Int64, Device: d}
	b.layout.place, b.layout.inverse, b.layout.source = torch.Keep(place.To(to)), torch.Keep(back.To(to)), torch.Keep(source.To(to))
}

// constant names a tensor of a pass that depends only on sizes.
type constant struct {
	what         string
	n            int // its length, channels, or the side of an image
	kernel       kernel
	h, w, stride int
}

func onesOf(n int) constant       { return constant{what: "ones", n: n} }
func onesKernelOf(c int) constant { return constant{what: "kernel of ones", n: c} }

func tapsOf(k kernel, side, stride int) constant {
	return constant{what: "taps", kernel: k, n: side, stride: stride}
}

func countsOf(in grid, stride int) constant {
	return constant{what: "inverse counts", n: in.c, h: in.h, w: in.w, stride: stride}
}

// newConstants makes the constants that the cells need for images x [N,C,H,W].
func newConstants(cells []*fastCell, x torch.Tensor, o torch.Options) map[constant]torch.Tensor {
	made := map[constant]torch.Tensor{}
	once := func(c constant, build func() torch.Tensor) {
		if _, ok := made[c]; !ok {
			made[c] = build()
		}
	}
	taps := func(k kernel, in grid, stride int) {
		for _, side := range []int{in.h, in.w} {
			once(tapsOf(k, side, stride), func() torch.Tensor { return newTaps(k, side, stride, o.Device) })
		}
	}
	state := func(in grid, stride int) {
		taps(kernel{5, 1}, in, stride)
		taps(kernel{5, 2}, in, stride)
		out := in
		if stride == 2 {
			out = in.halved()
		}
		once(onesOf(out.m()), func() torch.Tensor { return torch.Ones([]int{1, out.m()}, o) })
		once(onesKernelOf(in.c), func() torch.Tensor { return torch.Ones([]int{in.c, 1, 3, 3}, o) })
		once(countsOf(in, stride), func() torch.Tensor { return newInverseCounts(in, made[onesKernelOf(in.c)], stride) })
	}
	g := grid{n: x.Size(0), h: x.Size(2), w: x.Size(3)}
	made[onesOf(g.n)] = torch.Ones([]int{1, g.n}, o)
	for _, cell := range cells {
		g.c = cell.c
		state(g, cell.kind.Stride(0))
		if cell.kind == genotype.Reduce {
			g = g.halved()
		}
		state(g, 1)
	}
	return made
}

func newInverseCounts(in grid, onesKernel torch.Tensor, stride int) (inverse torch.Tensor) {
	torch.Scoped(func() {
		image := torch.Ones([]int{1, in.c, in.h, in.w}, onesKernel.Options()).ChannelsLast()
		counts := torch.Conv2d(image, onesKernel, torch.Tensor{}, torch.Conv2dOptions{Stride: stride, Padding: 1, Groups: in.c})
		inverse = torch.Keep(counts.ChannelsLast().Permute(0, 2, 3, 1).Reshape(1, -1).Reciprocal_())
	})
	return inverse
}

// fastCell says what a cell computes, and where its weights lie in the layout.
type fastCell struct {
	kind          genotype.Kind
	reducedBefore bool
	c             int // channels of a node
	inputs        [2]fastInput
	states        []fastState // both inputs, then the nodes that have outgoing edges
	nodes         []fastNode
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
	reduction bool    // a factorized reduction

	indexBytes int // of the place of a maximum, see torch.MaxPool2dIndices
}

// The poolings, as indices.
const (
	maxPool = iota
	avgPool
)

// fastNode is a node: its incoming edges, operation by operation. Its terms are the items of all groups, the
// poolings, the factorized reductions and the skip connections, in this order.
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
func (b *layoutBuilder) cell(layer int, from *darts.SearchCell, a *darts.Architecture) *fastCell {
	at := fmt.Sprintf("cells.%d.", layer)
	pre0 := b.parameters[at+"preprocess0.conv_1.weight"]
	cell := &fastCell{kind: from.Kind, reducedBefore: pre0.Defined()}
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
	for i := range from.Nodes {
		cell.nodes = append(cell.nodes, b.node(at, cell, i, a))
	}
	for j := range from.Nodes + 1 {
		cell.states = append(cell.states, b.state(at, cell, j, a))
	}
	return cell
}

// node lays out node i.
func (b *layoutBuilder) node(at string, cell *fastCell, i int, a *darts.Architecture) fastNode {
	n := fastNode{}
	width := a.Width()
	var mix []int64
	// edges calls do with the name, state and mixture entry of each incoming edge that has op.
	edges := func(op genotype.Op, do func(name string, state int)) {
		for j := range i + 2 {
			e := darts.FirstEdge(i) + j
			for k, own := range a.Ops[e] {
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
		if cell.kind.Stride(state) == 2 {
			n.reductions = append(n.reductions, state)
			reductions = append(reductions, name+"conv_1.weight", name+"conv_2.weight")
			reductionNorms = append(reductionNorms, []string{name + "bn"})
			return
		}
		n.skips = append(n.skips, state)
	})
	n.reduction, n.reduceNorm = b.parameter(reductions...), b.norm(cell.c, reductionNorms...)
	// In a reduction cell the inputs, whose skip connections reduce, come before the nodes.
	n.mix = torch.Keep(torch.FromSliceTo(mix, []int{len(mix)}, torch.Options{Dtype: torch.Int64, Device: a.Alpha.Device()}))
	return n
}

// state lays out what the edges out of state j share.
func (b *layoutBuilder) state(at string, cell *fastCell, j int, a *darts.Architecture) fastState {
	s := fastState{stride: cell.kind.Stride(j), indexBytes: 1}
	if b.weights.W.Device().IsCUDA() {
		s.indexBytes = 8
	}
	var norms [2][]string
	for i := max(0, j-1); i < len(cell.nodes); i++ {
		e := darts.FirstEdge(i) + j
		for k, op := range a.Ops[e] {
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
	return s
}
