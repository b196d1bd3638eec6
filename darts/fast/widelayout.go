package fast

import (
	"fmt"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
)

// wideWeight is a segment of w in the order of the wide form, and the number of the piece in which a pass computes its
// gradient.
type wideWeight struct {
	segment
	piece int
}

// wideBuilder lays out weights for the wide form. Besides the order of w it keeps where the gradient of each entry is
// in the pieces of a pass, one after the other.
type wideBuilder struct {
	*layoutBuilder
	pieces    int            // so far
	numbers   int            // in them
	positions []torch.Tensor // int64, of the entries of each parameter in the order of layoutBuilder.places
}

// alone lays out parameters whose gradient is a piece of the same shape.
func (b *wideBuilder) alone(names ...string) wideWeight { return b.whole(b.parameter(names...)) }

// whole gives the segment that was laid out last a piece of its shape.
func (b *wideBuilder) whole(s segment) wideWeight {
	w := wideWeight{s, b.pieces}
	n := w.numel()
	b.positions = append(b.positions, torch.Arange(float64(b.numbers), float64(b.numbers+n), 1, index))
	b.pieces, b.numbers = b.pieces+1, b.numbers+n
	return w
}

// diagonal lays out matrices [O,I], each of which maps the I columns of an item. The gradient of all is one product
// [items·rows, items·I] of the gradients of all results by all inputs, of which the blocks on the diagonal count: its
// rows first to first+O−1 of each item. It is one large product instead of many narrow ones, for which GPUs have no
// fast kernels.
func (b *wideBuilder) diagonal(rows, first int, names ...string) wideWeight {
	w := wideWeight{b.parameter(names...), b.pieces}
	items, o, in := w.count, w.shape[0], w.shape[1]
	torch.Scoped(func() {
		arange := func(n, step int, shape ...int) torch.Tensor {
			return torch.Arange(0, float64(n), 1, index).MulScalar(float64(step)).View(shape...)
		}
		row := items * in // numbers in a row of the product
		at := arange(items, rows*row+in, items, 1, 1).Add(arange(o, row, 1, o, 1)).Add(arange(in, 1, 1, 1, in))
		b.positions = append(b.positions, torch.Keep(at.AddScalar(float64(b.numbers+first*row)).Flatten()))
	})
	b.pieces, b.numbers = b.pieces+1, b.numbers+items*rows*items*in
	return w
}

// wideCell says what a cell computes, and where its weights lie.
type wideCell struct {
	kind          genotype.Kind
	reducedBefore bool
	c, nodes      int           // channels of a node
	inputs        [2]wideWeight // the 1x1 convolutions of preprocess0 and preprocess1
	halves        wideWeight    // of a factorized reduction in preprocess0, the second convolution
	norm          norm          // of both inputs [2,c]
	pools         []int         // the poolings on some edge, maxPool before avgPool
	poolNorms     []norm        // of both inputs, then of each node with outgoing edges, by state and pooling
	rounds        []wideRound
	node          []wideNode
}

// wideNode says which items and terms a node adds up.
type wideNode struct {
	parts []portion // of the rounds
	terms bool      // some edge has a pooling, or a skip connection that is an identity
	first int       // its first row in the table of terms
}

// portion is stretches of a round's items.
type portion struct {
	round     int
	stretches []stretch
}

// features returns how many columns of blocks a state has in the table of states: itself, and its poolings. Inputs of
// a reduction cell are not there themselves, only their poolings, as they are larger.
func (c *wideCell) features(state int) int {
	if state < 2 && c.kind == genotype.Reduce {
		return len(c.pools)
	}
	return 1 + len(c.pools)
}

// column returns the block of c columns where a state's features begin.
func (c *wideCell) column(state int) int {
	if state <= 2 {
		return state * c.features(0)
	}
	return 2*c.features(0) + (state-2)*c.features(2)
}

// columns returns the blocks of the whole table: the last node has no outgoing edges, so no poolings.
func (c *wideCell) columns() int { return c.column(c.nodes+1) + 1 }

// wideRound is edges that are computed together: all have one stride, and their states are there when the round
// begins. In a normal cell a round is the edges that meet in a node. In a reduction cell the first one is all edges
// from the inputs, which halve the image; another for each node is those from the nodes before it.
type wideRound struct {
	node      int // before which it runs
	stride    int
	first     int // state of the first edge; the others follow
	states    int // as many states
	repeat    int // how often the edges of all states repeat, node by node
	ops       []wideOp
	separable int // items of the separable operations, which come first
	items     int
	offset    int // of its items among those of the cell

	middle, final norm
}

// wideOp is one operation on edges of a round: an item for each.
type wideOp struct {
	kernel          kernel // of size 1 for factorized reductions
	separable       bool
	edges           []int      // in the round
	at              int        // its first item
	first, second   wideWeight // depthwise
	middle, final   wideWeight // 1x1; final of factorized reductions is its first convolution
	finalSecondHalf wideWeight
}

func (o *wideOp) reduces() bool { return o.kernel.size == 1 }

// stretch is items first, first+1, ..., first+length−1, and count−1 times as many after steps of spacing.
type stretch struct{ first, length, spacing, count int }

// runsOf groups items, which increase, in runs without gaps.
func runsOf(items []int) (runs []stretch) {
	for _, item := range items {
		if last := len(runs) - 1; last >= 0 && runs[last].first+runs[last].length == item {
			runs[last].length++
		} else {
			runs = append(runs, stretch{item, 1, 1, 1})
		}
	}
	return runs
}

// stretchesOf groups items, which increase, in stretches: one if they lie regularly, else their runs.
func stretchesOf(items []int) []stretch {
	runs := runsOf(items)
	if len(runs) < 2 {
		return runs
	}
	first, spacing := runs[0], runs[1].first-runs[0].first
	for i, run := range runs {
		if run.length != first.length || run.first != first.first+i*spacing {
			return runs
		}
	}
	return []stretch{{first.first, first.length, spacing, len(runs)}}
}

// wideTable says for cells of a kind which entries of mix their items and terms are multiplied by. An entry beyond the
// table is 0.
type wideTable struct {
	items, terms, both torch.Tensor // int64
}

// wide lays out the cell at that layer, whose modules are from. It returns the entries of items and terms.
func (b *wideBuilder) wide(layer int, from *darts.SearchCell, a *darts.Architecture) (cell *wideCell, items, terms []int64) {
	at := fmt.Sprintf("cells.%d.", layer)
	cell = &wideCell{kind: from.Kind, nodes: from.Nodes, reducedBefore: b.parameters[at+"preprocess0.conv_1.weight"].Defined()}
	first, norm0 := at+"preprocess0.op.1.weight", at+"preprocess0.op.2"
	if cell.reducedBefore {
		first, norm0 = at+"preprocess0.conv_1.weight", at+"preprocess0.bn"
	}
	cell.inputs[0] = b.alone(first)
	if cell.reducedBefore {
		cell.halves = b.alone(at + "preprocess0.conv_2.weight")
	}
	cell.inputs[1] = b.alone(at + "preprocess1.op.1.weight")
	cell.c = cell.inputs[1].shape[0]
	cell.norm = b.norm(cell.c, []string{norm0}, []string{at + "preprocess1.op.2"})

	cell.rounds = roundsOf(cell)
	cell.node = make([]wideNode, cell.nodes)
	for i := range cell.rounds {
		r := &cell.rounds[i]
		r.offset = len(items)
		items = append(items, b.round(at, cell, i, a)...)
	}
	b.poolings(at, cell, a)
	for i := range cell.node {
		cell.node[i].first = len(terms)
		own := cell.terms(i, a)
		terms = append(terms, own...)
		none := int64(len(a.Ops) * a.Width())
		cell.node[i].terms = slices.ContainsFunc(own, func(at int64) bool { return at != none })
	}
	return cell, items, terms
}

// roundsOf returns the rounds of a cell, without operations.
func roundsOf(cell *wideCell) (rounds []wideRound) {
	if cell.kind == genotype.Reduce {
		rounds = append(rounds, wideRound{stride: 2, states: 2, repeat: cell.nodes})
	}
	for node := range cell.nodes {
		switch {
		case cell.kind != genotype.Reduce:
			rounds = append(rounds, wideRound{node: node, stride: 1, states: node + 2, repeat: 1})
		case node > 0:
			rounds = append(rounds, wideRound{node: node, stride: 1, first: 2, states: node, repeat: 1})
		}
	}
	return rounds
}

// edge returns the node and the state of an edge of the round.
func (r *wideRound) edge(e int) (node, state int) { return r.node + e/r.states, r.first + e%r.states }

// round lays out the operations of round i of the cell and returns the entries of its items.
func (b *wideBuilder) round(at string, cell *wideCell, i int, a *darts.Architecture) (entries []int64) {
	r := &cell.rounds[i]
	owners := make([][]int, cell.nodes) // items by node
	var middle, final [][]string        // batch norms
	operation := func(op genotype.Op, of wideOp) {
		var names []string
		of.at = r.items
		for e := range r.states * r.repeat {
			node, state := r.edge(e)
			row := darts.FirstEdge(node) + state
			k := slices.Index(a.Ops[row], op)
			if k < 0 {
				continue
			}
			of.edges = append(of.edges, e)
			names = append(names, fmt.Sprintf("%s_ops.%d._ops.%d.", at, row, k))
			entries = append(entries, int64(row*a.Width()+k))
			owners[node] = append(owners[node], r.items)
			r.items++
		}
		if len(names) == 0 {
			return
		}
		b.operation(&of, cell.c, names)
		for _, name := range names {
			switch {
			case of.reduces():
				final = append(final, []string{name + "bn"})
			case of.separable:
				middle, final = append(middle, []string{name + "op.3"}), append(final, []string{name + "op.7"})
			default:
				final = append(final, []string{name + "op.3"})
			}
		}
		r.separable = len(middle)
		r.ops = append(r.ops, of)
	}
	for _, of := range convolutions {
		operation(of.op, wideOp{kernel: of.kernel, separable: of.separable})
	}
	if r.stride == 2 {
		operation(genotype.SkipConnect, wideOp{kernel: kernel{1, 1}})
	}
	r.middle, r.final = b.norm(cell.c, middle...), b.norm(cell.c, final...)
	for node, items := range owners {
		if len(items) > 0 {
			cell.node[node].parts = append(cell.node[node].parts, portion{i, stretchesOf(items)})
		}
	}
	return entries
}

// operation lays out the weights of the items with those names.
func (b *wideBuilder) operation(of *wideOp, c int, names []string) {
	with := func(end string) (full []string) {
		for _, name := range names {
			full = append(full, name+end)
		}
		return full
	}
	switch {
	case of.reduces():
		of.final = b.diagonal(c, 0, with("conv_1.weight")...)
		of.finalSecondHalf = b.diagonal(c, c/2, with("conv_2.weight")...)
	case of.separable:
		of.first, of.middle = b.alone(with("op.1.weight")...), b.diagonal(c, 0, with("op.2.weight")...)
		of.second, of.final = b.alone(with("op.5.weight")...), b.diagonal(c, 0, with("op.6.weight")...)
	default:
		of.first, of.final = b.alone(with("op.1.weight")...), b.diagonal(c, 0, with("op.2.weight")...)
	}
}

// poolOps are the poolings by their indices.
var poolOps = [2]genotype.Op{maxPool: genotype.MaxPool3x3, avgPool: genotype.AvgPool3x3}

// poolings finds the poolings of a cell and lays out their batch norms: one for all edges out of a state.
func (b *wideBuilder) poolings(at string, cell *wideCell, a *darts.Architecture) {
	for which, op := range poolOps {
		if slices.ContainsFunc(a.Ops, func(of []genotype.Op) bool { return slices.Contains(of, op) }) {
			cell.pools = append(cell.pools, which)
		}
	}
	names := func(state int, op genotype.Op) (all []string) {
		for node := max(0, state-1); node < cell.nodes; node++ {
			row := darts.FirstEdge(node) + state
			if k := slices.Index(a.Ops[row], op); k >= 0 {
				all = append(all, fmt.Sprintf("%s_ops.%d._ops.%d.1", at, row, k))
			}
		}
		return all
	}
	var norms [][]string
	for state := range cell.nodes + 1 {
		for _, which := range cell.pools {
			norms = append(norms, names(state, poolOps[which]))
		}
		if state > 0 {
			cell.poolNorms = append(cell.poolNorms, b.norm(cell.c, norms...))
			norms = nil
		}
	}
}

// terms returns the entries of mix of the columns that a node multiplies, state by state.
func (c *wideCell) terms(node int, a *darts.Architecture) (entries []int64) {
	entry := func(state int, op genotype.Op) int64 {
		row := darts.FirstEdge(node) + state
		if k := slices.Index(a.Ops[row], op); k >= 0 {
			return int64(row*a.Width() + k)
		}
		return int64(len(a.Ops) * a.Width())
	}
	for state := range node + 2 {
		if c.features(state) > len(c.pools) {
			entries = append(entries, entry(state, genotype.SkipConnect))
		}
		for _, which := range c.pools {
			entries = append(entries, entry(state, poolOps[which]))
		}
	}
	return entries
}
