package fast

import (
	"godarts/cells/genotype"
	"godarts/torch"
)

// wideSaved is what the backward pass needs of a cell.
//
// table is the features of all states side by side, M pixels of the cell's result: of each state x, BN(max pooling)
// and BN(average pooling), as far as there are such. What a node reads is the table's first columns, since states come
// in order.
type wideSaved struct {
	in, out grid               // of the inputs and the nodes, c channels
	from    [2][2]torch.Tensor // of each input what its convolutions read [M,c_before]: the second only after a reduction
	norm    normalised         // of both inputs
	inputs  torch.Tensor       // both, normalised [M,2c]; in normal cells the zero Tensor, as the table has them
	table   torch.Tensor       // [M,columns·c]
	pools   []*poolSaved       // of both inputs, then of each node; nil if there are none
	rounds  []*roundSaved
	d       torch.Tensor // the gradient of table
	dInputs torch.Tensor // of inputs [M,2c]; the zero Tensor at first
}

// features views column blocks of t, the table or its gradient: of states in a row, one feature of each, [M,states,c].
func (s *wideSaved) features(cell *wideCell, t torch.Tensor, state, states, feature int) torch.Tensor {
	row, each := cell.columns()*cell.c, cell.features(state)*cell.c
	return t.AsStrided([]int{s.out.m(), states, cell.c}, []int{row, each, 1}, (cell.column(state)+feature)*cell.c)
}

// nodes views the nodes in the table, [M,nodes,c].
func (s *wideSaved) nodes(cell *wideCell) torch.Tensor {
	return s.features(cell, s.table, 2, cell.nodes, 0)
}

// byImage views a view [M,nodes,c] of the table that begins at offset as [n,M/n,nodes,c].
func byImage(view torch.Tensor, n, offset int) torch.Tensor {
	shape, strides := view.Shape(), view.Strides()
	side := shape[0] / n
	return view.AsStrided([]int{n, side, shape[1], shape[2]}, []int{side * strides[0], strides[0], strides[1], strides[2]}, offset)
}

// before returns the output that a cell's input reads, as pass.before does.
func (p *widePass) before(cell, input int) *wideOutput { return &p.outputs[max(0, cell+input-1)] }

// wantsInputs reports whether the gradients of a cell's inputs are needed. Only w depends on the gradient of the stem.
func (p *widePass) wantsInputs(cell int) bool { return p.need.W || p.before(cell, 1) != &p.outputs[0] }

// forwardCell computes the nodes of a cell: Eq. 1.
func (p *widePass) forwardCell(i int, cell *wideCell) {
	s := &wideSaved{}
	p.saved = append(p.saved, s)
	p.forwardInputs(i, cell, s)
	round := 0
	for j := range cell.nodes {
		if j > 0 && len(cell.pools) > 0 {
			torch.Scoped(func() {
				p.forwardPools(cell, s, 1+j, 1, s.out, s.features(cell, s.table, 1+j, 1, 0).Contiguous().View(s.out.m(), cell.c))
			})
		}
		for ; round < len(cell.rounds) && cell.rounds[round].node == j; round++ {
			s.rounds = append(s.rounds, p.forwardRound(cell, &cell.rounds[round], s))
		}
		p.forwardNode(cell, s, j)
	}
	for _, r := range s.rounds {
		if r.items.Defined() {
			r.items.Free()
		}
	}
	out := wideOutput{grid: grid{s.out.n, cell.nodes * cell.c, s.out.h, s.out.w}}
	if i < len(p.cells)-1 { // the classifier has no ReLU
		out.x = torch.Empty([]int{out.m(), out.c}, p.o)
		torch.Scoped(func() { torch.ReLUOut(out.x.View(out.m(), cell.nodes, cell.c), s.nodes(cell)) })
	}
	p.outputs = append(p.outputs, out)
}

// forwardInputs computes preprocess0 and preprocess1, BN(W·max(x, 0)) of other cells' outputs, makes the table and
// sets the inputs' columns.
func (p *widePass) forwardInputs(i int, cell *wideCell, s *wideSaved) {
	last := p.before(i, 1)
	c := cell.c
	s.in = grid{last.n, c, last.h, last.w}
	s.out = s.in
	if cell.kind == genotype.Reduce {
		s.out = s.in.halved()
	}
	s.table = torch.Empty([]int{s.out.m(), cell.columns() * c}, p.o)
	torch.Scoped(func() {
		z := torch.Empty([]int{s.in.m(), 2 * c}, p.o)
		for which, in := range cell.inputs {
			from := p.before(i, which)
			if which == 0 && cell.reducedBefore {
				for half, w := range []wideWeight{in, cell.halves} {
					s.from[0][half] = p.keep(from.everySecond(from.x, half))
					torch.MmOut(z.Narrow(1, half*c/2, c/2), s.from[0][half], p.at(w, c/2, from.c).T())
				}
				continue
			}
			s.from[which][0] = from.x
			torch.MmOut(z.Narrow(1, which*c, c), from.x, p.at(in, c, from.c).T())
		}
		both := grid{s.in.n, 2 * c, s.in.h, s.in.w}
		mean, variance := p.statistic(cell.norm)
		y, n := batchNorm(both.image(z), torch.Tensor{}, torch.Tensor{}, mean, variance)
		s.norm = n.keep(p.w.flat)
		inputs := both.pixels(y)
		if cell.kind == genotype.Reduce {
			s.inputs = p.keep(inputs)
		} else {
			s.features(cell, s.table, 0, 2, 0).Copy_(inputs.View(s.in.m(), 2, c))
		}
		p.forwardPools(cell, s, 0, 2, both, inputs)
	})
}

// forwardNode adds up node j: the items of rounds, and the terms, which are one product of the table by mix.
func (p *widePass) forwardNode(cell *wideCell, s *wideSaved, j int) {
	node, m, c := &cell.node[j], s.out.m(), cell.c
	torch.Scoped(func() {
		x, begun := s.features(cell, s.table, 2+j, 1, 0).Squeeze(1), false
		for _, part := range node.parts {
			items := s.rounds[part.round].items
			for _, b := range part.stretches {
				if begun {
					x.Add_(b.view(items, c).SumDims([]int{1, 2}, false))
					continue
				}
				sumOut(x, b.view(items, c), 1, 2)
				begun = true
			}
		}
		switch columns := cell.column(2 + j); {
		case node.terms && begun:
			x.Addmm_(s.table.Narrow(1, 0, columns*c), p.share(cell, j), 1, 1)
		case node.terms:
			torch.MmOut(x, s.table.Narrow(1, 0, columns*c), p.share(cell, j))
		case !begun: // "none" on every edge
			x.Copy_(torch.Zeros([]int{m, c}, p.o))
		}
	})
}

// view views a stretch of items [M,items·c] as [M,count,length,c].
func (b stretch) view(items torch.Tensor, c int) torch.Tensor {
	shape := items.Shape()
	return items.AsStrided([]int{shape[0], b.count, b.length, c}, []int{shape[1], b.spacing * c, c, 1}, b.first*c)
}

// share views the weights of node j's terms: mix times the unit matrix, for each column block [columns·c,c].
func (p *widePass) share(cell *wideCell, j int) torch.Tensor {
	return p.shares[wideKind{cell.kind, cell.c}].Narrow(0, cell.node[j].first*cell.c, cell.column(2+j)*cell.c)
}

// backwardCell takes the gradients of a cell's nodes back to the outputs before it.
func (p *widePass) backwardCell(i int, cell *wideCell) {
	s, out := p.saved[i], &p.outputs[i+1]
	s.d = torch.Zeros(s.table.Shape(), p.o)
	torch.Scoped(func() {
		nodes := s.features(cell, s.d, 2, cell.nodes, 0)
		if out.x.Defined() {
			reluBackwardOut(nodes, out.d.View(out.m(), cell.nodes, cell.c), out.x.View(out.m(), cell.nodes, cell.c))
			return
		}
		byImage(nodes, out.n, cell.column(2)*cell.c).Copy_(out.d.View(out.n, 1, cell.nodes, cell.c))
	})
	freeIf(out.x)
	out.d.Free()

	var dScales []torch.Tensor // of items [items·c], rounds backwards
	terms := make([]torch.Tensor, cell.nodes)
	round := len(cell.rounds) - 1
	for j := cell.nodes - 1; j >= 0; j-- {
		terms[j] = p.backwardNode(cell, s, j)
		for ; round >= 0 && cell.rounds[round].node == j; round-- {
			dScale := p.backwardRound(cell, &cell.rounds[round], s, s.rounds[round], j > 0 || p.wantsInputs(i))
			dScales = append(dScales, dScale)
			s.rounds[round].free()
		}
		if j > 0 && len(cell.pools) > 0 {
			torch.Scoped(func() {
				d := s.features(cell, s.d, 1+j, 1, 0)
				p.backwardPools(cell, s, s.pools[j], func(dx torch.Tensor) { d.Add_(dx.View(s.out.m(), 1, cell.c)) })
			})
		}
	}
	p.collect(cell, dScales, terms)
	if p.wantsInputs(i) {
		p.backwardInputs(i, cell, s)
	}
	s.free()
	p.saved[i] = nil
}

// collect adds the gradients of mix: those of the items' scales, rounds backwards, and the diagonals of the terms'
// products, node by node.
func (p *widePass) collect(cell *wideCell, dScales, terms []torch.Tensor) {
	if !p.need.Alphas {
		return
	}
	torch.Scoped(func() {
		var rows []torch.Tensor
		for i := len(dScales) - 1; i >= 0; i-- {
			if dScales[i].Defined() {
				rows = append(rows, dScales[i].View(-1, cell.c))
			}
		}
		for _, diagonals := range terms {
			if diagonals.Defined() {
				rows = append(rows, diagonals)
			}
		}
		if len(rows) > 0 {
			table := &p.tables[cell.kind]
			p.dMix[cell.kind].IndexAdd_(0, table.both, torch.Cat(rows, 0).SumDims([]int{1}, false))
		}
	})
}

// backwardNode takes the gradient of node j back to its items and through its terms. It returns, for each column block
// of the terms, the products of whose sum is the gradient of its share: [columns,c].
func (p *widePass) backwardNode(cell *wideCell, s *wideSaved, j int) (diagonals torch.Tensor) {
	node, c := &cell.node[j], cell.c
	torch.Scoped(func() {
		g := s.features(cell, s.d, 2+j, 1, 0).Squeeze(1)
		for _, part := range node.parts {
			r := s.rounds[part.round]
			if !r.d.Defined() {
				r.d = p.keep(torch.Empty(r.final.pixels, p.o))
			}
			for _, b := range part.stretches {
				b.view(r.d, c).Copy_(g.View(-1, 1, 1, c))
			}
		}
		columns := cell.column(2 + j)
		if p.need.Alphas && columns > 0 {
			products := g.T().Mm(s.table.Narrow(1, 0, columns*c)) // [c,columns·c]
			diagonals = p.keep(products.View(c, columns, c).Diagonal(0, 0, 2))
			p.keep(products)
		}
		if node.terms {
			s.d.Narrow(1, 0, columns*c).Addmm_(g, p.share(cell, j).T(), 1, 1)
		}
	})
	return diagonals
}

// backwardInputs takes the gradients of both inputs back through their batch norm and 1x1 convolutions.
func (p *widePass) backwardInputs(i int, cell *wideCell, s *wideSaved) {
	c, m := cell.c, s.in.m()
	both := grid{s.in.n, 2 * c, s.in.h, s.in.w}
	torch.Scoped(func() {
		add := func(dx torch.Tensor) { p.addInputs(s, dx) }
		if cell.kind != genotype.Reduce {
			x := s.features(cell, s.d, 0, 2, 0)
			add = func(dx torch.Tensor) { x.Add_(dx.View(m, 2, c)) }
		}
		if len(cell.pools) > 0 {
			p.backwardPools(cell, s, s.pools[0], add)
		}
		d := s.dInputs
		if cell.kind != genotype.Reduce {
			d = s.features(cell, s.d, 0, 2, 0).Contiguous().View(m, 2*c)
		}
		dz, _, _ := s.norm.backward(both.image(d), false)
		z := both.pixels(dz)
		for which, in := range cell.inputs {
			from := p.before(i, which)
			if !p.need.W && from == &p.outputs[0] {
				continue
			}
			if which == 0 && cell.reducedBefore {
				for half, w := range []wideWeight{in, cell.halves} {
					p.backwardInput(w, z.Narrow(1, half*c/2, c/2), s.from[0][half], from, half)
				}
				continue
			}
			p.backwardInput(in, z.Narrow(1, which*c, c), from.x, from, -1)
		}
	})
}

// addInputs adds dx [M,2c] to the gradient of a reduction cell's inputs.
func (p *widePass) addInputs(s *wideSaved, dx torch.Tensor) {
	if s.dInputs.Defined() {
		s.dInputs.Add_(dx)
		return
	}
	s.dInputs = p.keep(dx)
}

// backwardInput takes dz [M,O] back to w and to x [M,I], of which it is the product: pixels of from, or every second
// of them from that half on.
func (p *widePass) backwardInput(w wideWeight, dz, x torch.Tensor, from *wideOutput, half int) {
	weight := p.at(w, w.shape[0], w.shape[1])
	if p.need.W {
		p.gradient(w, dz.T().Mm(x))
	}
	switch {
	case half >= 0:
		if !from.d.Defined() {
			from.d = p.keep(torch.Zeros([]int{from.m(), from.c}, p.o))
		}
		from.viewEverySecond(from.d, half).Add_(dz.Mm(weight).View(from.n, from.h/2, from.w/2, from.c))
	case from.d.Defined():
		from.d.Addmm_(dz, weight, 1, 1)
	default:
		from.d = p.keep(dz.Mm(weight))
	}
}

func (s *wideSaved) free() {
	s.norm.free()
	for half := range 2 {
		if s.from[0][1].Defined() {
			s.from[0][half].Free()
		}
	}
	freeIf(s.inputs)
	s.table.Free()
	s.d.Free()
	freeIf(s.dInputs)
}
