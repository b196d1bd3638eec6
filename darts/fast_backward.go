package darts

import "godarts/torch"

// backward runs after forward. The gradients of mix, for normal and reduction cells, go
// to p.dMix, this rank's part of those of w to p.gradient. It frees what forward saved.
func (p *pass) backward(logits, y torch.Tensor) {
	p.backwardClassifier(logits, y)
	for i := len(p.cells) - 1; i >= 0; i-- {
		p.backwardCell(i, p.cells[i])
	}
	if p.need.W {
		p.backwardStem()
	}
}

// backwardClassifier begins with dL/dlogits = (softmax(logits) − onehot(y))/N.
func (p *pass) backwardClassifier(logits, y torch.Tensor) {
	l, last := p.layout, &p.outputs[len(p.outputs)-1]
	torch.Scoped(func() {
		ones := torch.Ones([]int{logits.Size(0), 1}, p.o)
		onehot := torch.Zeros(logits.Shape(), p.o).Scatter_(1, y.Unsqueeze(1), ones)
		d := logits.Softmax(1).Sub_(onehot).DivScalar_(float64(p.images))
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

// wanted tells whether the gradient of a cell's input is of use: that of the stem
// hangs on w alone.
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
			d[j].Free()
		}
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

// backwardInput takes dx [M,c] back through an input's batch norm and 1x1
// convolution to the nodes of from.
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

// addEverySecond adds d [M/4,c] to the gradient of node k's every second pixel.
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
