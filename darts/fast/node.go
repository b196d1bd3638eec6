package fast

import (
	"slices"

	"godarts/torch"
)

// nodeSaved is what the backward pass needs of a node.
type nodeSaved struct {
	mix    torch.Tensor   // [terms]: softmax(α) of each term
	first  []torch.Tensor // Y₁ [M,c] of each separable item: its first depthwise convolution, centred
	last   []torch.Tensor // Y [M,c] of each item: its last depthwise convolution, centred
	middle folded
	final  folded
	mixA   torch.Tensor // mix·A of final [items,c,c]

	reduction folded       // of the factorized reductions, [reductions,c,2c]
	mixReduce torch.Tensor // mix·A of them
}

// firstReduction and firstSkip return the index of the first term of that kind.
func (n *fastNode) firstReduction() int { return n.items + len(n.pools) }
func (n *fastNode) firstSkip() int      { return n.firstReduction() + len(n.reductions) }

// forwardNode computes x = Σ_edges Σ_o mix_o·o(x_j), [M,c]: Eq. 1 and 2.
func (p *pass) forwardNode(cell *fastCell, n *fastNode, states []*stateSaved, out grid) (s *nodeSaved, x torch.Tensor) {
	s = &nodeSaved{}
	torch.Scoped(func() { s.mix = torch.Keep(p.mix[cell.kind].Flatten().IndexSelect(0, n.mix)) })
	if n.separable > 0 {
		p.forwardFirst(n, s, states, out)
	}
	if n.items > 0 {
		p.forwardLast(n, s, states, out)
	}
	if len(n.reductions) > 0 {
		p.forwardReductions(n, s, states, out)
	}
	torch.Scoped(func() {
		var ys, shares []torch.Tensor
		for i, q := range n.pools {
			inv := states[q.state].inv[q.which]
			y, share := out.across(states[q.state].pooled[q.which], inv.Mul(s.mix.Narrow(0, n.items+i, 1)))
			ys, shares = append(ys, y), append(shares, share)
		}
		for i, j := range n.skips {
			ys, shares = append(ys, states[j].x), append(shares, s.mix.Narrow(0, n.firstSkip()+i, 1))
		}
		x = p.products(n, s, states)
		begun := x.Defined()
		switch {
		case len(ys) > 0:
			if !begun {
				x = torch.Empty([]int{out.m(), out.c}, p.o)
			}
			torch.ScaledSum(x, begun, ys, shares)
		case !begun: // "none" on every edge
			x = torch.Zeros([]int{out.m(), out.c}, p.o)
		}
		x = torch.Keep(x)
	})
	return s, x
}

// products returns the sum of a node's terms that are matrix products, mix·Y·Aᵀ each; the zero Tensor if there are
// none.
func (p *pass) products(n *fastNode, s *nodeSaved, states []*stateSaved) (x torch.Tensor) {
	var ys, ws []torch.Tensor
	torch.Scoped(func() {
		if n.items > 0 {
			w := transposed(s.mixA)
			for i, y := range s.last {
				ys, ws = append(ys, y), append(ws, w.Select(0, i))
			}
		}
		if len(n.reductions) > 0 {
			w := transposed(s.mixReduce)
			for i, j := range n.reductions {
				ys, ws = append(ys, states[j].pixels), append(ws, w.Select(0, i))
			}
		}
		if len(ys) > 0 {
			x = torch.Keep(sumOfProducts(ys, ws))
		}
	})
	return x
}

// convolve appends the depthwise convolutions at sites by weight [sites,c,1,k,k], centred, to ys and writes their
// Gram matrices to the same places of grams. It returns the means before centring [sites,c]. met is the sum of what
// each tap of a 5x5 kernel reads at each site, over all ranks [sites,c,1,5,5].
func (p *pass) convolve(sites []site, met, weight torch.Tensor, ys *[]torch.Tensor, grams torch.Tensor, out grid) (means torch.Tensor) {
	if sites[0].kernel.size == 3 {
		met = met.Narrow(3, 1, 3).Narrow(4, 1, 3) // the inner taps of a 5x5 kernel
	}
	means = met.Mul(weight).SumDims([]int{2, 3, 4}, false).DivScalar_(float64(p.m(out))).ToDtype(p.o.Dtype)
	minus := means.Neg()
	for i, at := range sites {
		y := at.convolve(grams.Select(0, len(*ys)), weight.Select(0, i), minus.Select(0, i), out)
		*ys = append(*ys, y)
	}
	return means
}

// convolveStates is convolve for a group's first convolutions.
func (p *pass) convolveStates(g *group, states []*stateSaved, ys *[]torch.Tensor, grams torch.Tensor, out grid) (means torch.Tensor) {
	var sites []site
	var met []torch.Tensor
	for _, j := range g.states {
		sites, met = append(sites, states[j].site(g.kernel)), append(met, states[j].sums[g.kernel.dilation])
	}
	return p.convolve(sites, torch.Stack(met, 0), p.w.at(g.first), ys, grams, out)
}

// forwardFirst computes the first halves of the separable items, Y₁, and folds the 1x1 convolution and the batch norm
// after each.
func (p *pass) forwardFirst(n *fastNode, s *nodeSaved, states []*stateSaved, out grid) {
	c := out.c
	torch.Scoped(func() {
		grams := torch.Empty([]int{n.separable, c, c}, p.o)
		var means []torch.Tensor
		for i := range n.groups {
			if g := &n.groups[i]; g.separable {
				means = append(means, p.convolveStates(g, states, &s.first, grams, out))
			}
		}
		s.middle = p.fold(grams, p.w.at(n.middle, n.separable, c, c), torch.Cat(means, 0), p.m(out), n.middleNorm)
		for _, y := range s.first {
			torch.Keep(y)
		}
		s.middle.keep()
	})
}

// forwardLast computes the last depthwise convolution of every item and folds the 1x1 convolution and the batch norm
// after it. Z = BN(W·Y₁) = Y₁·Aᵀ, between whose halves a separable item has max(Z, 0), is not kept.
func (p *pass) forwardLast(n *fastNode, s *nodeSaved, states []*stateSaved, out grid) {
	c := out.c
	torch.Scoped(func() {
		grams := torch.Empty([]int{n.items, c, c}, p.o)
		var means []torch.Tensor
		var aT torch.Tensor
		if n.separable > 0 {
			aT = transposed(s.middle.a)
		}
		for i := range n.groups {
			g := &n.groups[i]
			if !g.separable {
				means = append(means, p.convolveStates(g, states, &s.last, grams, out))
				continue
			}
			k := kernel{g.kernel.size, 1}
			var sites []site
			var met []torch.Tensor
			for range g.states {
				item := len(s.last) + len(sites)
				z := sumOfProducts([]torch.Tensor{s.first[item]}, []torch.Tensor{aT.Select(0, item)})
				sites = append(sites, site{x: z, in: out, kernel: k, stride: 1})
				met = append(met, tapSums(z, out, p.sides(kernel{5, 1}, out, 1)))
			}
			means = append(means, p.convolve(sites, p.sum(torch.Stack(met, 0)), p.w.at(g.second), &s.last, grams, out))
			for _, at := range sites {
				at.x.Free()
			}
		}
		s.final = p.fold(grams, p.w.at(n.final, n.items, c, c), torch.Cat(means, 0), p.m(out), n.finalNorm)
		s.mixA = torch.Keep(s.final.a.Mul(s.mix.Narrow(0, 0, n.items).View(-1, 1, 1)))
		s.final.keep()
		for _, y := range s.last {
			torch.Keep(y)
		}
	})
}

// forwardReductions folds the factorized reductions. With the even and the odd pixels side by side, their two 1x1
// convolutions are one, by a weight of two blocks.
func (p *pass) forwardReductions(n *fastNode, s *nodeSaved, states []*stateSaved, out grid) {
	torch.Scoped(func() {
		var grams, means []torch.Tensor
		for _, j := range n.reductions {
			grams, means = append(grams, states[j].gram), append(means, states[j].means.View(-1))
		}
		s.reduction = p.fold(torch.Cat(grams, 0), n.blocks(p.w, out.c), torch.Stack(means, 0), p.m(out), n.reduceNorm)
		s.mixReduce = torch.Keep(s.reduction.a.Mul(s.mix.Narrow(0, n.firstReduction(), len(n.reductions)).View(-1, 1, 1)))
		s.reduction.keep()
	})
}

// blocks returns the weights of the factorized reductions, [W₁ 0; 0 W₂] each: [reductions,c,2c].
func (n *fastNode) blocks(w segments, c int) torch.Tensor {
	count := len(n.reductions)
	both := torch.Zeros([]int{count, c, 2 * c}, w.flat.Options())
	halves := w.at(n.reduction, count, 2, c/2, c)
	for half := range 2 {
		block(both, half, c).Copy_(halves.Select(1, half))
	}
	return both
}

// block views W₁ or W₂ in the blocks of all reductions, [reductions,c/2,c].
func block(blocks torch.Tensor, half, c int) torch.Tensor {
	return blocks.Narrow(1, half*c/2, c/2).Narrow(2, half*c, c)
}

// nodeBackward is what one node's backward pass works on.
type nodeBackward struct {
	*pass
	*fastNode
	saved  *nodeSaved
	states []*stateSaved
	wanted []bool // whether the gradient of a state is needed
	out    grid
	d      []torch.Tensor         // the gradients of inputs and nodes so far; zero Tensors at first
	ways   [][]torch.DepthwiseWay // of the first convolutions, by state
	g      torch.Tensor           // dL/dx [M,c] of this node; centred for all terms with a batch norm
}

// backwardNode takes d[2+i], the gradient of node i, back through its terms. It adds to the gradients of mix, of w
// and of the states.
func (p *pass) backwardNode(at int, cell *fastCell, i int, d []torch.Tensor, out grid) {
	saved := p.saved[at]
	b := &nodeBackward{pass: p, fastNode: &cell.nodes[i], saved: saved.nodes[i], states: saved.states, out: out, d: d, g: d[2+i]}
	b.ways = make([][]torch.DepthwiseWay, len(saved.states))
	for j := range saved.states {
		b.wanted = append(b.wanted, j >= 2 || p.wanted(at, j))
	}
	torch.Scoped(func() {
		skips := b.skips()
		p.centre(out, b.g)
		var dMix []torch.Tensor // [terms], in pieces
		if b.items > 0 {
			dMix = append(dMix, b.convolutions())
		}
		if len(b.pools) > 0 {
			dMix = append(dMix, b.poolings())
		}
		if len(b.reductions) > 0 {
			dMix = append(dMix, b.factorizedReductions())
		}
		if len(skips) > 0 {
			dMix = append(dMix, p.sum(torch.Cat(skips, 0)))
		}
		if p.need.Alphas && len(dMix) > 0 {
			p.dMix[cell.kind].View(-1).IndexAdd_(0, b.fastNode.mix, torch.Cat(dMix, 0))
		}
	})
	b.saved.mix.Free()
	saved.nodes[i] = nil
}

// skips takes g back through the skip connections: x has a term mix·x_j, so dmix = Σ g∘x_j, and the gradient of x_j
// is mix·g.
func (b *nodeBackward) skips() (dMix []torch.Tensor) {
	d := b.d
	for i, j := range b.fastNode.skips {
		if b.need.Alphas {
			dMix = append(dMix, b.g.View(-1).Dot(b.states[j].x.View(-1)).View(1))
		}
		if !b.wanted[j] {
			continue
		}
		share := b.saved.mix.Narrow(0, b.firstSkip()+i, 1)
		if d[j].Defined() {
			d[j].Addcmul_(b.g, share, 1)
		} else {
			d[j] = torch.Keep(b.g.Mul(share))
		}
	}
	return dMix
}

// products returns P = gᵀ·Y of each Y [M,c'], [len(ys),c,c'].
func (b *nodeBackward) products(ys []torch.Tensor, columns int) (sums torch.Tensor) {
	torch.Scoped(func() {
		own := torch.Empty([]int{len(ys), b.out.c, columns}, b.o)
		torch.Gram(own, false, b.g, ys...)
		sums = torch.Keep(b.sum(own))
	})
	return sums
}

// through takes products P of terms mix·Y·Aᵀ, first to first+len−1, back through fold. It returns dmix = Σ P∘A,
// [terms], and Q of mix·P, and writes dW, unless that is zero.
func (b *nodeBackward) through(f folded, first int, products, dW torch.Tensor) (dMix, q torch.Tensor) {
	torch.Scoped(func() {
		dMix = torch.Keep(products.Mul(f.a).SumDims([]int{1, 2}, false))
		share := b.saved.mix.Narrow(0, first, products.Size(0)).View(-1, 1, 1)
		q = torch.Keep(f.backward(products.Mul(share), dW))
	})
	return dMix, q
}

// gradientThrough returns dL/dY = g·A + Y·Q of item i.
func gradientThrough(g, a, y, q torch.Tensor, i int) (dy torch.Tensor) {
	torch.Scoped(func() {
		dy = torch.Keep(sumOfProducts([]torch.Tensor{g, y}, []torch.Tensor{a.Select(0, i), q.Select(0, i)}))
	})
	return dy
}

// gradientOf views the gradient of a segment's weights, if needed. Every rank knows the sums over all ranks, and the
// first rank writes what follows from them.
func (b *nodeBackward) gradientOf(s segment, shape ...int) torch.Tensor {
	if !b.need.W || b.Index > 0 {
		return torch.Tensor{}
	}
	return b.gradient.at(s, shape...)
}

// convolutions takes g back through all items and returns their dmix.
func (b *nodeBackward) convolutions() (dMix torch.Tensor) {
	s, c := b.saved, b.out.c
	dMix, q := b.through(s.final, 0, b.products(s.last, c), b.gradientOf(b.final, b.items, c, c))
	halves := b.firstHalves()
	item := 0
	for i := range b.groups {
		g := &b.groups[i]
		for k, j := range g.states {
			if b.need.W || b.wanted[j] {
				dy := arriving{g: b.g, a: s.mixA.Select(0, item), y: s.last[item], q: q.Select(0, item)}
				if g.separable {
					halves.arrive(item, g, k, dy)
				} else {
					b.arrive(g, k, dy)
				}
			}
			item++
		}
	}
	halves.backward()
	b.depthwise()
	for _, y := range slices.Concat(s.last, s.first, halves.dz) {
		freeIf(y)
	}
	s.final.free()
	s.mixA.Free()
	if b.separable > 0 {
		s.middle.free()
	}
	return dMix
}

// gradientOfItem views the gradient of the depthwise weight of item k of a group's segment, if needed.
func (b *nodeBackward) gradientOfItem(s segment, k int) torch.Tensor {
	if !b.need.W {
		return torch.Tensor{}
	}
	return b.gradient.at(s).Select(0, k)
}

// way is the way of dy back through a convolution by weight, whose gradient goes to dWeight unless that is the zero
// Tensor.
func (p *pass) way(dy arriving, dilation int, weight, dWeight torch.Tensor) torch.DepthwiseWay {
	w := torch.DepthwiseWay{
		Weight: weight, DWeight: dWeight, Dilation: dilation,
		Pixels: []torch.Tensor{dy.g, dy.y}, Matrices: []torch.Tensor{dy.a, dy.q},
	}
	if dy.shift.Defined() {
		w.Pixels, w.Matrices = append(w.Pixels, p.ones(dy.g.Size(0)).View(-1, 1)), append(w.Matrices, dy.shift)
	}
	return w
}

// arrive notes dy, the gradient of the first convolution of item k of g, for depthwise.
func (b *nodeBackward) arrive(g *group, k int, dy arriving) {
	j := g.states[k]
	b.ways[j] = append(b.ways[j], b.way(dy, g.kernel.dilation, b.w.at(g.first).Select(0, k), b.gradientOfItem(g.first, k)))
}

// depthwise takes what has arrived back to the weights of first convolutions and to the states, all convolutions of a
// state at once.
func (b *nodeBackward) depthwise() {
	for j, ways := range b.ways {
		if len(ways) == 0 {
			continue
		}
		at := b.states[j].site(kernel{dilation: 1})
		var to torch.DepthwiseGradients
		if b.wanted[j] {
			to.Add = b.room(&b.d[j], at.in)
			to.X = at.in.image(b.d[j])
		}
		torch.DepthwiseBackward(to, at.in.image(at.x), at.options(), ways...)
	}
}

// halves takes gradients from the second halves of separable items back to the first.
type halves struct {
	*nodeBackward
	aT   torch.Tensor   // Aᵀ of each item [separable,c,c]
	dz   []torch.Tensor // of Z = Y₁·Aᵀ [M,c]; zero if not needed
	gram torch.Tensor   // dzᵀ·Y₁ of each item [separable,c,c], of this rank
	sums torch.Tensor   // Σ dz of each item [separable,c], of this rank, in float64
}

func (b *nodeBackward) firstHalves() *halves {
	h := &halves{nodeBackward: b, dz: make([]torch.Tensor, b.separable)}
	if b.separable > 0 {
		h.aT = transposed(b.saved.middle.a)
		h.gram = torch.Zeros([]int{b.separable, b.out.c, b.out.c}, b.o)
		h.sums = torch.Zeros([]int{b.separable, b.out.c}, torch.Options{Dtype: torch.Float64, Device: b.o.Device})
	}
	return h
}

// arrive takes dy, the gradient of the second convolution of item k of g, back to its weight and through the ReLU
// between the halves.
func (h *halves) arrive(item int, g *group, k int, dy arriving) {
	torch.Scoped(func() {
		dz := torch.Empty([]int{h.out.m(), h.out.c}, h.o)
		to := torch.DepthwiseGradients{
			X:      h.out.image(dz),
			Beside: h.out.image(h.saved.first[item]), Gram: h.gram.Select(0, item), Sums: h.sums.Select(0, item),
		}
		at := site{x: h.saved.first[item], through: h.aT.Select(0, item), in: h.out, kernel: kernel{g.kernel.size, 1}, stride: 1}
		torch.DepthwiseBackward(to, at.in.image(at.x), at.options(), h.way(dy, 1, h.w.at(g.second).Select(0, k), h.gradientOfItem(g.second, k)))
		h.dz[item] = torch.Keep(dz)
	})
}

// backward continues from the gradients that have arrived: with μ the mean of dz, dL/dY₁ = (dz − μ)·A + Y₁·Q. As Y₁ is
// centred, dzᵀ·Y₁ is that of dz − μ too.
func (h *halves) backward() {
	if h.separable == 0 {
		return
	}
	s, c := h.saved, h.out.c
	q := s.middle.backward(h.sum(h.gram), h.gradientOf(h.middle, h.separable, c, c))
	means := h.sum(h.sums).DivScalar_(float64(h.m(h.out))).ToDtype(h.o.Dtype)
	shift := means.View(-1, 1, c).Bmm(s.middle.a).Neg_()
	item := 0
	for i := range h.groups {
		g := &h.groups[i]
		if !g.separable {
			break
		}
		for k := range g.states {
			if dz := h.dz[item]; dz.Defined() {
				h.nodeBackward.arrive(g, k, arriving{
					g: dz, a: s.middle.a.Select(0, item), y: s.first[item], q: q.Select(0, item), shift: shift.Select(0, item),
				})
			}
			item++
		}
	}
}

// poolings takes g back to the batch norms after poolings. As g is centred, Σ g∘normalised = inv·Σ g∘pooled, which is
// the diagonal of gᵀ·pooled.
func (b *nodeBackward) poolings() (dMix torch.Tensor) {
	var pooled, invs []torch.Tensor
	for _, q := range b.pools {
		pooled, invs = append(pooled, b.states[q.state].pooled[q.which]), append(invs, b.states[q.state].inv[q.which])
	}
	k := b.products(pooled, b.out.c).Diagonal(0, 1, 2).Mul(torch.Stack(invs, 0)) // [pools,c]
	for i, q := range b.pools {
		if !b.wanted[q.state] {
			continue
		}
		factor := torch.Keep(b.saved.mix.Narrow(0, b.items+i, 1).Clone())
		state := b.states[q.state]
		state.arrived[q.which] = append(state.arrived[q.which], share{b.g, factor})
		if state.k[q.which].Defined() {
			state.k[q.which].Addcmul_(k.Select(0, i), factor, 1)
		} else {
			state.k[q.which] = torch.Keep(k.Select(0, i).Mul(factor))
		}
	}
	return k.SumDims([]int{1}, false)
}

// factorizedReductions takes g back to the pixels of the states, as convolutions does.
func (b *nodeBackward) factorizedReductions() (dMix torch.Tensor) {
	s, c := b.saved, b.out.c
	var pixels []torch.Tensor
	for _, j := range b.reductions {
		pixels = append(pixels, b.states[j].pixels)
	}
	var dBlocks torch.Tensor
	if b.need.W && b.Index == 0 {
		dBlocks = torch.Empty([]int{len(pixels), c, 2 * c}, b.o)
	}
	dMix, q := b.through(s.reduction, b.firstReduction(), b.products(pixels, 2*c), dBlocks)
	if dBlocks.Defined() {
		halves := b.gradient.at(b.reduction, len(pixels), 2, c/2, c)
		for half := range 2 {
			halves.Select(1, half).Copy_(block(dBlocks, half, c))
		}
	}
	for i, j := range b.reductions {
		if b.wanted[j] {
			accumulate(&b.states[j].dPixels, gradientThrough(b.g, s.mixReduce, pixels[i], q, i))
		}
	}
	s.reduction.free()
	s.mixReduce.Free()
	return dMix
}
