package darts

import "godarts/torch"

// nodeSaved is what the backward pass needs of a node.
type nodeSaved struct {
	mix    torch.Tensor   // [terms]: softmax(α) of each term
	first  []torch.Tensor // Y₁ [M,c] of each separable item: its first depthwise convolution, centred
	second []padded       // R₂ of each: the ReLU between its halves
	last   []torch.Tensor // Y [M,c] of each item: its last depthwise convolution, centred
	middle folded
	final  folded
	mixA   torch.Tensor // mix·A of final [items,c,c]

	reduction folded       // of the factorized reductions, [reductions,c,2c]
	mixReduce torch.Tensor // mix·A of them
}

// firstReduction and firstSkip are the first terms of that sort.
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
		t := terms{x: p.products(n, s, states), m: out.m(), c: out.c}
		for i, q := range n.pools {
			inv := states[q.state].inv[q.which]
			y, share := out.across(states[q.state].pooled[q.which], inv.Mul(s.mix.Narrow(0, n.items+i, 1)))
			t.scaled(y, share)
		}
		for i, j := range n.skips {
			t.scaled(states[j].x, s.mix.Narrow(0, n.firstSkip()+i, 1).View(1, 1))
		}
		if !t.x.Defined() { // "none" on every edge
			t.x = torch.Zeros([]int{out.m(), out.c}, p.o)
		}
		x = torch.Keep(t.x)
	})
	return s, x
}

// products is the sum of a node's terms that are matrix products, mix·Y·Aᵀ each; the zero
// Tensor if there are none.
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

// terms adds up a node x.
type terms struct {
	x    torch.Tensor // [m,c]
	m, c int
}

// scaled adds share∘y, of pixels y in any rows; share is one row, or [1,1].
func (t *terms) scaled(y, share torch.Tensor) {
	if t.x.Defined() {
		t.x.ViewAs(y).Addcmul_(y, share, 1)
		return
	}
	t.x = y.Mul(share).View(t.m, t.c)
}

// site is where a depthwise convolution takes place: images, the kernel and stride
// on them.
type site struct {
	padded
	kernel kernel
	stride int
}

// convolve appends the depthwise convolutions at sites by weight [sites,c,1,k,k],
// centred, to ys, writes their gram matrices to the same places of grams, and
// gives the means that they had [sites,c]. met is what a 5x5 kernel's taps meet at
// each site in sum, over all ranks [sites,c,1,5,5].
func (p *pass) convolve(sites []site, met, weight torch.Tensor, ys *[]torch.Tensor, grams torch.Tensor, out grid) (means torch.Tensor) {
	if sites[0].kernel.size == 3 {
		met = met.Narrow(3, 1, 3).Narrow(4, 1, 3) // the inner taps of a 5x5 kernel
	}
	means = met.Mul(weight).SumDims([]int{2, 3, 4}, false).DivScalar_(float64(p.m(out))).ToDtype(p.o.Dtype)
	minus := means.Neg()
	for i, at := range sites {
		y := depthwise(at.padded, weight.Select(0, i), minus.Select(0, i), at.kernel, at.stride)
		gram(grams, len(*ys), y, y)
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

// forwardFirst computes the first halves of the separable items, R₂ = max(BN(W·Y₁), 0).
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
		w := transposed(s.middle.a)
		for i, y := range s.first {
			z := sumOfProducts([]torch.Tensor{y}, []torch.Tensor{w.Select(0, i)})
			s.second = append(s.second, paddedReLU(z, out))
			z.Free()
			torch.Keep(s.second[i].flat)
			torch.Keep(y)
		}
		s.middle.keep()
	})
}

// forwardLast computes the last depthwise convolution of every item and folds
// what follows it.
func (p *pass) forwardLast(n *fastNode, s *nodeSaved, states []*stateSaved, out grid) {
	c := out.c
	torch.Scoped(func() {
		grams := torch.Empty([]int{n.items, c, c}, p.o)
		var means []torch.Tensor
		for i := range n.groups {
			g := &n.groups[i]
			if !g.separable {
				means = append(means, p.convolveStates(g, states, &s.last, grams, out))
				continue
			}
			k := kernel{g.kernel.size, 1}
			var sites []site
			var met []torch.Tensor
			for _, r := range s.second[len(s.last):][:len(g.states)] {
				sites = append(sites, site{r, k, 1})
				met = append(met, tapSums(r, p.sides(kernel{5, 1}, out, 1), p.ones(out.n)))
			}
			means = append(means, p.convolve(sites, p.sum(torch.Stack(met, 0)), p.w.at(g.second), &s.last, grams, out))
		}
		s.final = p.fold(grams, p.w.at(n.final, n.items, c, c), torch.Cat(means, 0), p.m(out), n.finalNorm)
		s.mixA = torch.Keep(s.final.a.Mul(s.mix.Narrow(0, 0, n.items).View(-1, 1, 1)))
		s.final.keep()
		for _, y := range s.last {
			torch.Keep(y)
		}
	})
}

// forwardReductions folds the factorized reductions: with the even and the odd
// pixels side by side, their two 1x1 convolutions are one by a weight of two blocks.
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

// blocks are the weights of the factorized reductions, [W₁ 0; 0 W₂] each:
// [reductions,c,2c].
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
