package fast

import (
	"godarts/cells/genotype"
	"godarts/torch"
)

// stemSaved is what the backward pass needs of the stem.
type stemSaved struct {
	x   torch.Tensor // images
	z   torch.Tensor // the convolution's result [M,3C], normalised
	inv torch.Tensor // [3C]
}

// cellSaved is what the backward pass needs of a cell.
type cellSaved struct {
	inputs [2]inputSaved
	states []*stateSaved
	nodes  []*nodeSaved
}

// forward maps images x [n,C,H,W] and targets y [n] of this rank to their share of the loss, and the logits.
func (p *pass) forward(x, y torch.Tensor) (loss, logits torch.Tensor) {
	p.forwardStem(x)
	for i, cell := range p.cells {
		p.forwardCell(i, cell)
	}
	last := p.outputs[len(p.outputs)-1]
	logits = p.forwardClassifier(last)
	loss = torch.CrossEntropy(logits, y, torch.CrossEntropyOptions{Reduction: torch.Sum})
	return loss.DivScalar_(float64(p.images)), logits
}

// forwardStem computes the first convolution and its batch norm.
func (p *pass) forwardStem(x torch.Tensor) {
	l, s := p.layout, &p.stem
	c := l.stemScale.shape[0]
	torch.Scoped(func() {
		s.x = torch.Keep(x.ChannelsLast())
		weight := p.w.at(l.stemWeight, l.stemWeight.dims()...)
		g := grid{x.Size(0), c, x.Size(2), x.Size(3)}
		s.z = torch.Keep(g.pixels(torch.Conv2d(s.x, weight, torch.Tensor{}, torch.Conv2dOptions{Padding: 1})))
		s.inv = torch.Keep(p.normalise(s.z, g, norm{l.stemMean, l.stemVariance}))
		y := s.z.Mul(p.w.at(l.stemScale, c)).Add_(p.w.at(l.stemShift, c)).ReLU_()
		p.outputs = append(p.outputs, output{grid: g, nodes: []torch.Tensor{torch.Keep(y)}, d: make([]torch.Tensor, 1)})
	})
}

// before returns the output that a cell's input reads: for input 0 the output of the cell before the last, for input
// 1 that of the last; the stem's where there is none.
func (p *pass) before(cell, input int) *output { return &p.outputs[max(0, cell+input-1)] }

// forwardCell computes the nodes of a cell: Eq. 1.
func (p *pass) forwardCell(i int, cell *fastCell) {
	saved := &cellSaved{}
	p.saved = append(p.saved, saved)
	var states []torch.Tensor
	for which := range cell.inputs {
		p.forwardInput(&saved.inputs[which], cell, which, p.before(i, which))
		states = append(states, saved.inputs[which].x)
	}
	in := saved.inputs[0].grid
	out := in
	if cell.kind == genotype.Reduce {
		out = in.halved()
	}
	for j := range cell.nodes {
		for len(saved.states) < min(j+2, len(cell.states)) { // the states that node j is the first to read
			g := out
			if len(saved.states) < 2 {
				g = in
			}
			k := len(saved.states)
			saved.states = append(saved.states, p.prepare(&cell.states[k], states[k], g))
		}
		node, x := p.forwardNode(cell, &cell.nodes[j], saved.states, out)
		saved.nodes = append(saved.nodes, node)
		states = append(states, x)
	}
	o := output{grid: out, d: make([]torch.Tensor, len(cell.nodes))}
	for _, x := range states[2:] {
		if i == len(p.cells)-1 {
			o.nodes = append(o.nodes, x) // the classifier has no ReLU
			continue
		}
		o.nodes = append(o.nodes, x.ReLU())
	}
	if last := states[len(states)-1]; i < len(p.cells)-1 {
		last.Free() // no edge begins there
	}
	p.outputs = append(p.outputs, o)
}

// inputSaved is what the backward pass needs of an input's 1x1 convolution.
type inputSaved struct {
	grid
	x      torch.Tensor      // the convolution's result [M,c], normalised
	inv    torch.Tensor      // [c]
	pieces [2][]torch.Tensor // of a factorized reduction: even and odd pixels of each node [M,c_node]
}

// forwardInput computes preprocess0 or preprocess1: BN(W·max(x, 0)) of another cell's output. It does not join the
// nodes of that output: the product is the sum over the nodes of each by its slice of W.
func (p *pass) forwardInput(s *inputSaved, cell *fastCell, which int, from *output) {
	in := &cell.inputs[which]
	g := grid{from.n, cell.c, from.h, from.w}
	reduced := cell.reducedBefore && which == 0
	if reduced {
		g = g.halved()
		for half := range 2 {
			for _, h := range from.nodes {
				s.pieces[half] = append(s.pieces[half], from.everySecond(h, half))
			}
		}
	}
	s.grid = g
	torch.Scoped(func() {
		s.x = torch.Keep(torch.Empty([]int{g.m(), cell.c}, p.o))
		w := p.w.at(in.weight, in.weight.count, in.weight.shape[0], in.weight.shape[1])
		if reduced {
			for half, pieces := range s.pieces {
				productOfNodes(s.x.Narrow(1, half*cell.c/2, cell.c/2), pieces, from.c, w.Select(0, half))
			}
		} else {
			productOfNodes(s.x, from.nodes, from.c, w.Select(0, 0))
		}
		s.inv = torch.Keep(p.normalise(s.x, g, in.norm))
	})
}

// productOfNodes writes [nodes side by side]·wᵀ to out [M,O], w [O,nodes·c].
func productOfNodes(out torch.Tensor, nodes []torch.Tensor, c int, w torch.Tensor) {
	torch.Scoped(func() {
		turned := w.T().Contiguous()
		var slices []torch.Tensor
		for i := range nodes {
			slices = append(slices, turned.Narrow(0, i*c, c))
		}
		torch.SumProducts(out, false, nodes, slices)
	})
}

// everySecond copies every second pixel of every second row of x [M,c], from the first: [M/4,c].
func (g grid) everySecond(x torch.Tensor, first int) (y torch.Tensor) {
	torch.Scoped(func() { y = torch.Keep(g.viewEverySecond(x, first).Contiguous().View(g.halved().m(), g.c)) })
	return y
}

// viewEverySecond views what everySecond copies, [n,h/2,w/2,c].
func (g grid) viewEverySecond(x torch.Tensor, first int) torch.Tensor {
	row := g.w * g.c
	return x.AsStrided([]int{g.n, g.h / 2, g.w / 2, g.c}, []int{g.h * row, 2 * row, 2 * g.c, 1}, first*(row+g.c))
}

// forwardClassifier averages each node of the last cell over its pixels.
func (p *pass) forwardClassifier(last output) (logits torch.Tensor) {
	l := p.layout
	torch.Scoped(func() {
		var means []torch.Tensor
		for _, x := range last.nodes {
			means = append(means, x.View(last.n, last.h*last.w, last.c).MeanDims([]int{1}, false))
		}
		p.pooled = torch.Keep(torch.Cat(means, 1)) // [N, nodes·c]
		weight, bias := p.w.at(l.classifierWeight, l.classifierWeight.dims()...), p.w.at(l.classifierBias, l.classifierBias.dims()...)
		logits = torch.Keep(torch.Linear(p.pooled, weight, bias))
	})
	return logits
}

// backward runs after forward. It adds the gradients of mix to p.dMix and this rank's part of the gradient of w to
// p.gradient. It frees what forward saved.
func (p *pass) backward(logits, y torch.Tensor) {
	p.backwardClassifier(logits, y)
	for i := len(p.cells) - 1; i >= 0; i-- {
		p.backwardCell(i, p.cells[i])
	}
	if p.need.W {
		p.backwardStem()
	}
}

// backwardClassifier starts with the gradient of the logits.
func (p *pass) backwardClassifier(logits, y torch.Tensor) {
	l, last := p.layout, &p.outputs[len(p.outputs)-1]
	torch.Scoped(func() {
		d := lossGradient(logits, y, p.images)
		if p.need.W {
			p.gradient.at(l.classifierWeight, l.classifierWeight.dims()...).Copy_(d.T().Mm(p.pooled))
			p.gradient.at(l.classifierBias, l.classifierBias.dims()...).Copy_(d.SumDims([]int{0}, false))
		}
		dPooled := d.Mm(p.w.at(l.classifierWeight, l.classifierWeight.dims()...)).DivScalar_(float64(last.h * last.w))
		for i := range last.nodes {
			part := dPooled.Narrow(1, i*last.c, last.c).Unsqueeze(1) // [N,1,c]: the same for all pixels of an image
			last.d[i] = torch.Keep(part.Expand(last.n, last.h*last.w, last.c).Contiguous().View(last.m(), last.c))
		}
	})
}

func (p *pass) backwardStem() {
	l, s, out := p.layout, &p.stem, &p.outputs[0]
	torch.Scoped(func() {
		d := out.d[0].ReLUBackward_(out.nodes[0])
		c := out.c
		// The sums of d give the gradients of shift and scale before d is scaled itself.
		scale := p.w.at(l.stemScale, c)
		sums := p.backwardNormalise(d, s.z, s.inv.Mul(scale), out.grid)
		if p.Index == 0 {
			p.gradient.at(l.stemShift, c).Copy_(sums.Select(0, 0))
			p.gradient.at(l.stemScale, c).Copy_(sums.Select(0, 1))
		}
		weight := p.w.at(l.stemWeight, l.stemWeight.dims()...)
		_, dWeight := torch.Conv2dBackward(out.image(d), s.x, weight, torch.Conv2dOptions{Padding: 1}, false, true)
		p.gradient.at(l.stemWeight, l.stemWeight.dims()...).Copy_(dWeight)
	})
}

// wanted reports whether the gradient of a cell's input is needed. Only w depends on the gradient of the stem.
func (p *pass) wanted(cell, input int) bool {
	return p.need.W || p.before(cell, input) != &p.outputs[0]
}

// backwardCell takes the gradients of a cell's nodes back to the outputs before it.
func (p *pass) backwardCell(i int, cell *fastCell) {
	saved, out := p.saved[i], &p.outputs[i+1]
	d := make([]torch.Tensor, 2+len(cell.nodes)) // of the inputs and nodes; zero until something comes in
	copy(d[2:], out.d)
	if i < len(p.cells)-1 {
		for j, h := range out.nodes {
			d[2+j].ReLUBackward_(h)
			h.Free()
		}
	}
	for j := len(d) - 1; j >= 0; j-- {
		if j < len(saved.states) {
			if j >= 2 || p.wanted(i, j) {
				p.backwardState(saved.states[j], &d[j])
			}
			saved.states[j].free()
			if j >= 2 {
				saved.states[j].x.Free()
			}
		}
		if j >= 2 {
			p.backwardNode(i, cell, j-2, d, out.grid)
		}
	}
	for _, g := range d[2:] { // until here for the poolings of the states before
		g.Free()
	}
	for which := range cell.inputs {
		if d[which].Defined() {
			if p.wanted(i, which) {
				p.backwardInput(&saved.inputs[which], cell, which, d[which], p.before(i, which))
			}
			d[which].Free()
		}
		saved.inputs[which].free()
	}
	p.saved[i] = nil
}

// backwardInput takes dx [M,c] back through an input's batch norm and 1x1 convolution to the nodes of from.
func (p *pass) backwardInput(s *inputSaved, cell *fastCell, which int, dx torch.Tensor, from *output) {
	in := &cell.inputs[which]
	torch.Scoped(func() {
		p.backwardNormalise(dx, s.x, s.inv, s.grid)
		dz := dx
		shape := []int{in.weight.count, in.weight.shape[0], in.weight.shape[1]}
		w := p.w.at(in.weight, shape...)
		var dW torch.Tensor
		if p.need.W {
			dW = p.gradient.at(in.weight, shape...)
		}
		for half := range in.weight.count {
			rows := in.weight.shape[0]
			part, wHalf, nodes := dz.Narrow(1, half*rows, rows), w.Select(0, half), from.nodes
			if in.weight.count == 2 {
				nodes = s.pieces[half]
			}
			for k, node := range nodes {
				if p.need.W {
					torch.Gram(dW.Select(0, half).Narrow(1, k*from.c, from.c), false, part, node)
				}
				slice := wHalf.Narrow(1, k*from.c, from.c)
				if in.weight.count == 2 {
					p.addEverySecond(from, k, half, sumOfProducts([]torch.Tensor{part}, []torch.Tensor{slice}))
				} else {
					from.addProduct(k, part, slice)
				}
			}
		}
	})
}

// addProduct adds dz·w to the gradient of node k.
func (o *output) addProduct(k int, dz, w torch.Tensor) {
	if !o.d[k].Defined() {
		o.d[k] = torch.Keep(sumOfProducts([]torch.Tensor{dz}, []torch.Tensor{w}))
		return
	}
	torch.SumProducts(o.d[k], true, []torch.Tensor{dz}, []torch.Tensor{w})
}

// addEverySecond adds d [M/4,c] to the gradient of every second pixel of node k.
func (p *pass) addEverySecond(o *output, k, first int, d torch.Tensor) {
	if !o.d[k].Defined() {
		o.d[k] = torch.Keep(torch.Zeros([]int{o.m(), o.c}, p.o))
	}
	o.viewEverySecond(o.d[k], first).Add_(d.View(o.n, o.h/2, o.w/2, o.c))
}

func (s *inputSaved) free() {
	s.x.Free()
	s.inv.Free()
	for _, half := range s.pieces {
		for _, piece := range half {
			piece.Free()
		}
	}
}
