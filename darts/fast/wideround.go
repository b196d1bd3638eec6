package fast

import "godarts/torch"

// roundSaved is what the backward pass needs of a round. Items lie side by side in pixels [M,items·c].
type roundSaved struct {
	relu   torch.Tensor // max(x, 0) of the states of all edges [M,edges·c]
	ops    []opSaved
	middle normalised // of the separable items
	final  struct {
		normalised
		pixels []int // the shape of all items
	}
	items torch.Tensor // mix∘BN of the last 1x1 convolutions
	d     torch.Tensor // its gradient
}

// opSaved is what the backward pass needs of an operation's items [M,edges·c].
type opSaved struct {
	x      torch.Tensor    // what the first convolution reads: relu, or those of its edges
	first  torch.Tensor    // the first depthwise convolution of separable items
	second torch.Tensor    // max(x, 0) of the batch norm between their halves
	last   torch.Tensor    // the last depthwise convolution
	halves [2]torch.Tensor // of factorized reductions, the even and the odd pixels of x
}

// wide returns g with the channels of n items.
func (g grid) wide(n int) grid { return grid{g.n, n * g.c, g.h, g.w} }

// convolution returns the options of a depthwise convolution of images of grid g.
func (k kernel) convolution(g grid, stride int) torch.Conv2dOptions {
	return torch.Conv2dOptions{Stride: stride, Padding: k.padding(), Dilation: k.dilation, Groups: g.c}
}

// depthwiseWeights views the depthwise weights of all items, [items·c,1,k,k].
func (p *widePass) depthwiseWeights(w wideWeight) torch.Tensor {
	return p.at(w, w.count*w.shape[0], 1, w.shape[2], w.shape[3])
}

// forwardRound computes the items of a round.
func (p *widePass) forwardRound(cell *wideCell, r *wideRound, s *wideSaved) *roundSaved {
	saved := &roundSaved{ops: make([]opSaved, len(r.ops))}
	if r.items == 0 {
		return saved
	}
	in, out, c := r.grid(s), s.out, cell.c
	torch.Scoped(func() {
		saved.relu = p.keep(torch.Empty([]int{in.m(), r.repeat * r.states * c}, p.o))
		states := saved.states(r, cell, s)
		torch.ReLUOut(saved.relu.View(in.m(), r.repeat, r.states, c), states.Unsqueeze(1).Expand(in.m(), r.repeat, r.states, c))
		for i := range r.ops {
			saved.ops[i].x = r.take(&r.ops[i], saved.relu, c)
			if saved.ops[i].x != saved.relu {
				p.keep(saved.ops[i].x)
			}
		}
		if r.separable > 0 {
			p.forwardHalves(r, saved, in, out)
		}
		z := torch.Empty([]int{out.m(), r.items * c}, p.o)
		for i := range r.ops {
			p.forwardLast(&r.ops[i], &saved.ops[i], r, z, in, out)
		}
		saved.final.pixels = z.Shape()
		scale := p.scales[wideKind{cell.kind, c}].Narrow(0, r.offset*c, r.items*c)
		mean, variance := p.statistic(r.final)
		items, n := batchNorm(out.wide(r.items).image(z), p.keep(scale), torch.Tensor{}, mean, variance)
		saved.final.normalised = n.keep(p.w.flat)
		saved.items = p.keep(out.wide(r.items).pixels(items))
	})
	return saved
}

// grid returns the grid of the round's states.
func (r *wideRound) grid(s *wideSaved) grid {
	if r.first == 0 {
		return s.in
	}
	return s.out
}

// states views the round's states [M,states,c].
func (*roundSaved) states(r *wideRound, cell *wideCell, s *wideSaved) torch.Tensor {
	if s.inputs.Defined() && r.first == 0 {
		return s.inputs.View(s.in.m(), 2, cell.c)
	}
	return s.features(cell, s.table, r.first, r.states, 0)
}

// take returns the columns of an operation's edges of x [M,edges·c]: x itself where it is on all edges.
func (r *wideRound) take(o *wideOp, x torch.Tensor, c int) torch.Tensor {
	if len(o.edges) == r.states*r.repeat {
		return x
	}
	var pieces []torch.Tensor
	for _, b := range runsOf(o.edges) {
		pieces = append(pieces, x.Narrow(1, b.first*c, b.length*c))
	}
	return torch.Cat(pieces, 1)
}

// forwardHalves computes the first halves of the separable items: max(BN(W·Y), 0).
func (p *widePass) forwardHalves(r *wideRound, saved *roundSaved, in, out grid) {
	c := out.c
	torch.Scoped(func() {
		z := torch.Empty([]int{out.m(), r.separable * c}, p.o)
		for i := range r.ops {
			o, s := &r.ops[i], &saved.ops[i]
			if !o.separable {
				continue
			}
			n := len(o.edges)
			s.first = p.keep(out.wide(n).pixels(torch.Conv2d(in.wide(n).image(s.x), p.depthwiseWeights(o.first), torch.Tensor{},
				o.kernel.convolution(in.wide(n), r.stride))))
			bmmOut(columnsOf(z, o.at, n, c), columnsOf(s.first, 0, n, c), p.at(o.middle, n, c, c).Transpose(1, 2))
		}
		all := out.wide(r.separable)
		mean, variance := p.statistic(r.middle)
		y, n := batchNorm(all.image(z), torch.Tensor{}, torch.Tensor{}, mean, variance)
		saved.middle = n.keep(p.w.flat)
		for i := range r.ops {
			if o := &r.ops[i]; o.separable {
				n := len(o.edges)
				saved.ops[i].second = p.keep(torch.Empty([]int{out.m(), n * c}, p.o))
				torch.ReLUOut(saved.ops[i].second, all.pixels(y).Narrow(1, o.at*c, n*c))
			}
		}
	})
}

// forwardLast writes the last 1x1 convolutions of an operation's items to z [M,items·c].
func (p *widePass) forwardLast(o *wideOp, s *opSaved, r *wideRound, z torch.Tensor, in, out grid) {
	n, c := len(o.edges), out.c
	torch.Scoped(func() {
		switch {
		case o.reduces():
			for half, w := range []wideWeight{o.final, o.finalSecondHalf} {
				s.halves[half] = p.keep(in.wide(n).everySecond(s.x, half))
				bmmOut(columnsOf(z, o.at, n, c).Narrow(2, half*c/2, c/2), columnsOf(s.halves[half], 0, n, c),
					p.at(w, n, c/2, c).Transpose(1, 2))
			}
			return
		case o.separable:
			g := out.wide(n)
			s.last = p.keep(g.pixels(torch.Conv2d(g.image(s.second), p.depthwiseWeights(o.second), torch.Tensor{},
				kernel{o.kernel.size, 1}.convolution(g, 1))))
		default:
			g := in.wide(n)
			s.last = p.keep(out.wide(n).pixels(torch.Conv2d(g.image(s.x), p.depthwiseWeights(o.first), torch.Tensor{},
				o.kernel.convolution(g, r.stride))))
		}
		bmmOut(columnsOf(z, o.at, n, c), columnsOf(s.last, 0, n, c), p.at(o.final, n, c, c).Transpose(1, 2))
	})
}

// backwardRound takes the gradient of a round's items back to its weights, and to its states if wanted. It returns the
// gradient of the items' scales [items·c]; the zero Tensor if there are no items or it is not needed.
func (p *widePass) backwardRound(cell *wideCell, r *wideRound, s *wideSaved, saved *roundSaved, wanted bool) (dScale torch.Tensor) {
	if r.items == 0 {
		return torch.Tensor{}
	}
	in, out, c := r.grid(s), s.out, cell.c
	torch.Scoped(func() {
		all := out.wide(r.items)
		dz, d, _ := saved.final.backward(all.image(saved.d), p.need.Alphas)
		if p.need.Alphas {
			dScale = p.keep(d)
		}
		if !p.need.W && !wanted {
			return
		}
		z := all.pixels(dz)
		b := roundBackward{p, r, in, out, wanted, torch.Tensor{}}
		var halves torch.Tensor
		if r.separable > 0 {
			halves = torch.Empty([]int{out.m(), r.separable * c}, p.o)
		}
		for i := range r.ops {
			b.last(&r.ops[i], &saved.ops[i], z, halves)
		}
		if r.separable > 0 {
			b.halves(saved, halves)
		}
		if wanted {
			p.addStates(cell, r, s, b.d.ReLUBackward_(saved.relu))
			b.d.Free()
		}
	})
	return dScale
}

// addStates adds d [M,edges·c] to the gradients of the round's states.
func (p *widePass) addStates(cell *wideCell, r *wideRound, s *wideSaved, d torch.Tensor) {
	m := r.grid(s).m()
	if s.inputs.Defined() && r.first == 0 {
		p.addInputs(s, d.View(m, r.repeat, r.states*cell.c).SumDims([]int{1}, false))
		return
	}
	s.features(cell, s.d, r.first, r.states, 0).Add_(d.View(m, r.states, cell.c))
}

// roundBackward is a round's backward pass.
type roundBackward struct {
	*widePass
	round   *wideRound
	in, out grid
	wanted  bool         // whether the gradient of the states is needed
	d       torch.Tensor // of max(x, 0) of all edges [M,edges·c]; the zero Tensor at first
}

// products takes dz [M,items·c], of which rows first to first+rows−1 of each item of o count, back through the 1x1
// convolutions w of x [M,edges·c]: it keeps the gradient of w and returns that of x.
func (b *roundBackward) products(o *wideOp, w wideWeight, dz, x torch.Tensor, first, rows int) (dx torch.Tensor) {
	n, c := len(o.edges), b.out.c
	if b.need.W {
		b.gradient(w, dz.Narrow(1, o.at*c, n*c).T().Mm(x))
	}
	dx = torch.Empty(x.Shape(), b.o)
	bmmOut(columnsOf(dx, 0, n, c), columnsOf(dz, o.at, n, c).Narrow(2, first, rows), b.at(w, n, rows, c))
	return dx
}

// depthwise takes dy, the gradient of the depthwise convolution of x, both images, back to its weight and to x.
func (b *roundBackward) depthwise(w wideWeight, dy, x torch.Tensor, o torch.Conv2dOptions, wanted bool) (dx torch.Tensor) {
	dx, dWeight := torch.Conv2dBackward(dy, x, b.depthwiseWeights(w), o, wanted, b.need.W)
	if b.need.W {
		b.gradient(w, dWeight)
	}
	return dx
}

// last takes dz [M,items·c] back through the last 1x1 and depthwise convolutions of an operation's items. Of separable
// items it writes the gradient of the batch norm between their halves to its columns of halves.
func (b *roundBackward) last(o *wideOp, s *opSaved, dz, halves torch.Tensor) {
	n, c := len(o.edges), b.out.c
	torch.Scoped(func() {
		if o.reduces() {
			b.reduction(o, s, dz)
			return
		}
		dy := b.products(o, o.final, dz, s.last, 0, c)
		g := b.out.wide(n)
		if o.separable {
			d := b.depthwise(o.second, g.image(dy), g.image(s.second), kernel{o.kernel.size, 1}.convolution(g, 1), true)
			reluBackwardOut(halves.Narrow(1, o.at*c, n*c), g.pixels(d), s.second)
			return
		}
		b.first(o, s, dy)
	})
}

// first takes dy [M,edges·c], the gradient of an operation's first convolution, back.
func (b *roundBackward) first(o *wideOp, s *opSaved, dy torch.Tensor) {
	n := len(o.edges)
	g := b.in.wide(n)
	if d := b.depthwise(o.first, b.out.wide(n).image(dy), g.image(s.x), o.kernel.convolution(g, b.round.stride), b.wanted); b.wanted {
		b.add(o, g.pixels(d))
	}
}

// reduction takes dz back through factorized reductions.
func (b *roundBackward) reduction(o *wideOp, s *opSaved, dz torch.Tensor) {
	n, c := len(o.edges), b.out.c
	g := b.in.wide(n)
	d := torch.Zeros([]int{g.m(), g.c}, b.o)
	for half, w := range []wideWeight{o.final, o.finalSecondHalf} {
		dx := b.products(o, w, dz, s.halves[half], half*c/2, c/2)
		g.viewEverySecond(d, half).Add_(dx.View(g.n, g.h/2, g.w/2, g.c))
	}
	if b.wanted {
		b.add(o, d)
	}
}

// add adds d, of an operation's edges, to the gradient of all edges.
func (b *roundBackward) add(o *wideOp, d torch.Tensor) {
	c := b.out.c
	edges := b.round.states * b.round.repeat
	if len(o.edges) == edges && !b.d.Defined() {
		b.d = b.keep(d)
		return
	}
	if !b.d.Defined() {
		b.d = b.keep(torch.Zeros([]int{b.in.m(), edges * c}, b.o))
	}
	at := 0
	for _, run := range runsOf(o.edges) {
		b.d.Narrow(1, run.first*c, run.length*c).Add_(d.Narrow(1, at*c, run.length*c))
		at += run.length
	}
}

// halves takes dz [M,separable·c], the gradient of the batch norm between the halves of separable items, back.
func (b *roundBackward) halves(saved *roundSaved, d torch.Tensor) {
	torch.Scoped(func() {
		all := b.out.wide(b.round.separable)
		dy, _, _ := saved.middle.backward(all.image(d), false)
		z := all.pixels(dy)
		for i := range b.round.ops {
			if o, s := &b.round.ops[i], &saved.ops[i]; o.separable {
				b.first(o, s, b.products(o, o.middle, z, s.first, 0, b.out.c))
			}
		}
	})
}

func (s *roundSaved) free() {
	if !s.relu.Defined() {
		return
	}
	for i := range s.ops {
		o := &s.ops[i]
		if o.x != s.relu {
			freeIf(o.x)
		}
		for _, t := range []torch.Tensor{o.first, o.second, o.last, o.halves[0], o.halves[1]} {
			freeIf(t)
		}
	}
	s.relu.Free()
	if s.middle.x.Defined() {
		s.middle.free()
	}
	s.final.free()
	s.d.Free()
}
