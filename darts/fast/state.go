package fast

import "godarts/torch"

// stateSaved is an input of a cell or a node, what its outgoing edges share, and the gradients that come back through
// them.
type stateSaved struct {
	*fastState
	in, out grid         // of the state, and of an edge's result
	x       torch.Tensor // [M,c]

	sums   [3]torch.Tensor // tapSums for 5x5 kernels over all ranks, by dilation
	pooled [2]torch.Tensor // [M',c], centred
	maxima torch.Maxima    // of the max pooling
	inv    [2]torch.Tensor // [c]: the batch norm after a pooling is pooled·inv
	pixels torch.Tensor    // [M',2c]: [even | odd] pixels of max(x, 0), centred, for factorized reductions
	gram   torch.Tensor    // [1,2c,2c] of them, of this rank
	means  torch.Tensor    // [1,2c] before they were centred

	// Gradients; zero Tensors until something comes in.
	arrived [2][]share      // what sums to V, of the batch norm's result
	k       [2]torch.Tensor // [c] = Σ V∘normalised
	dPixels torch.Tensor    // [M',2c]
}

// share is a part of a gradient: g∘factor.
type share struct{ g, factor torch.Tensor } // [M',c], centred; [1]

// prepare computes what the outgoing edges of x [M,c] share.
func (p *pass) prepare(of *fastState, x torch.Tensor, in grid) *stateSaved {
	s := &stateSaved{fastState: of, in: in, out: in, x: x}
	if of.stride == 2 {
		s.out = in.halved()
	}
	p.prepareConvolutions(s)
	p.preparePools(s)
	if of.reduction {
		p.prepareReduction(s)
	}
	return s
}

// prepareConvolutions sums what the taps of depthwise kernels read.
func (p *pass) prepareConvolutions(s *stateSaved) {
	torch.Scoped(func() {
		var met []torch.Tensor
		for dilation := 1; dilation <= 2; dilation++ {
			if s.dilated[dilation] {
				met = append(met, tapSums(s.x, s.in, p.sides(kernel{5, dilation}, s.in, s.stride)))
			}
		}
		if len(met) == 0 {
			return
		}
		all := p.sum(torch.Stack(met, 0))
		for dilation, i := 1, 0; dilation <= 2; dilation++ {
			if s.dilated[dilation] {
				s.sums[dilation] = torch.Keep(all.Select(0, i))
				i++
			}
		}
	})
}

// site returns where a depthwise convolution of the state reads.
func (s *stateSaved) site(k kernel) site { return site{x: s.x, in: s.in, kernel: k, stride: s.stride} }

// pool3x3 returns the sizes of both poolings.
func pool3x3(stride int) torch.Pool2dOptions {
	return torch.Pool2dOptions{Kernel: 3, Stride: stride, Padding: 1}
}

// preparePools pools x and computes the statistics of the batch norms after the poolings.
func (p *pass) preparePools(s *stateSaved) {
	torch.Scoped(func() {
		var ys []torch.Tensor
		var to []norm
		for which, on := range s.pools {
			if !on {
				continue
			}
			s.pooled[which] = torch.Keep(p.pool(s, which))
			ys, to = append(ys, s.pooled[which]), append(to, s.poolNorms[which])
		}
		if len(ys) == 0 {
			return
		}
		invs := p.normalisers(s.out, p.centre(s.out, ys...), to, ys...)
		for which, on := range s.pools {
			if on {
				s.inv[which], invs = torch.Keep(invs[0]), invs[1:]
			}
		}
	})
}

// pool returns the pooled pixels [M',c].
func (p *pass) pool(s *stateSaved, which int) (y torch.Tensor) {
	torch.Scoped(func() {
		x := s.in.image(s.x)
		if which == maxPool {
			pooled, maxima := torch.MaxPool2dIndices(x, pool3x3(s.stride))
			y, s.maxima = torch.Keep(s.out.pixels(pooled)), maxima.KeepWith(s.x)
			return
		}
		// The mean of the pixels inside: a convolution by ones, divided by their number.
		y = torch.Keep(s.out.pixels(torch.Depthwise(x, p.onesKernel(s.in.c), torch.Tensor{}, torch.DepthwiseOptions{Stride: s.stride})))
		p.divideByCount(y, s)
	})
	return y
}

// prepareReduction lays even and odd pixels side by side, so that a factorized reduction is one matrix product by a
// weight of two blocks.
func (p *pass) prepareReduction(s *stateSaved) {
	n, c, h, w := s.out.n, s.out.c, s.out.h, s.out.w
	s.pixels = torch.Empty([]int{s.out.m(), 2 * c}, p.o)
	s.gram = torch.Empty([]int{1, 2 * c, 2 * c}, p.o)
	torch.Scoped(func() {
		both := s.pixels.View(n, h, w, 2*c)
		for which := range 2 {
			both.Narrow(3, which*c, c).Copy_(s.in.viewEverySecond(s.x, which))
		}
		s.pixels.ReLU_()
		s.means = torch.Keep(p.centre(grid{n, 2 * c, h, w}, s.pixels))
		gram(s.gram, 0, s.pixels, s.pixels)
	})
}

// accumulate adds d, of the present scope, to *sum, which belongs to the enclosing scope. The zero Tensor is an empty
// sum.
func accumulate(sum *torch.Tensor, d torch.Tensor) {
	if !sum.Defined() {
		*sum = torch.Keep(d)
		return
	}
	sum.Add_(d)
	d.Free()
}

// room makes *sum, pixels of images g, if it is the zero Tensor. It belongs to the enclosing scope. room reports whether
// it was there.
func (p *pass) room(sum *torch.Tensor, g grid) bool {
	if sum.Defined() {
		return true
	}
	*sum = torch.Keep(torch.Empty([]int{g.m(), g.c}, p.o))
	return false
}

// backwardState turns the gradients of what the outgoing edges share into the gradient of x and adds it to dx [M,c].
func (p *pass) backwardState(s *stateSaved, dx *torch.Tensor) {
	torch.Scoped(func() {
		if s.dPixels.Defined() {
			p.backwardReduction(s, dx)
		}
		if s.pools[maxPool] {
			d := s.out.image(p.backwardPoolNorm(s, maxPool))
			accumulate(dx, s.in.pixels(torch.MaxPool2dBackward(d, s.in.image(s.x), s.maxima, pool3x3(s.stride))))
		}
		if s.pools[avgPool] {
			p.backwardAverage(s, dx)
		}
	})
}

// backwardAverage takes the gradient back through the average pooling, to dx: by the transpose of the convolution by
// ones.
func (p *pass) backwardAverage(s *stateSaved, dx *torch.Tensor) {
	d := p.backwardPoolNorm(s, avgPool)
	p.divideByCount(d, s)
	add := p.room(dx, s.in)
	torch.DepthwiseBackward(torch.DepthwiseGradients{X: s.in.image(*dx), Add: add}, s.in.image(s.x), torch.DepthwiseOptions{Stride: s.stride},
		torch.DepthwiseWay{G: s.out.image(d), Weight: p.onesKernel(s.in.c)})
}

// backwardReduction takes the gradient of the pixels of factorized reductions back through the ReLU, to dx.
func (p *pass) backwardReduction(s *stateSaved, dx *torch.Tensor) {
	out := s.out
	if !p.room(dx, s.in) {
		dx.Zero_()
	}
	both := s.dPixels.View(out.n, out.h, out.w, 2*out.c)
	for which := range 2 {
		d := both.Narrow(3, which*out.c, out.c)
		s.in.viewEverySecond(*dx, which).Add_(d.ReLUBackward_(s.in.viewEverySecond(s.x, which)))
	}
}

// backwardPoolNorm returns the gradient [M',c] of a pooling's result, from V, the gradient of the batch norm after the
// pooling, whose columns are centred. With k = Σ V∘normalised it is
//
//	inv·V − inv·(k/M)·normalised,  normalised = pooled·inv
func (p *pass) backwardPoolNorm(s *stateSaved, which int) (d torch.Tensor) {
	torch.Scoped(func() {
		inv := s.inv[which]
		y, factor := s.out.across(s.pooled[which], inv.Square().Mul_(s.k[which]).DivScalar_(-float64(p.m(s.out))))
		ys, factors := []torch.Tensor{y}, []torch.Tensor{factor}
		for _, of := range s.arrived[which] {
			y, factor := s.out.across(of.g, inv.Mul(of.factor))
			ys, factors = append(ys, y), append(factors, factor)
		}
		d = torch.Empty([]int{s.out.m(), s.out.c}, p.o)
		torch.ScaledSum(d, false, ys, factors)
		d = torch.Keep(d)
	})
	return d
}

// divideByCount divides the windows' sums y [M',c] of an average pooling by the number of each window's pixels inside
// of the image.
func (p *pass) divideByCount(y torch.Tensor, s *stateSaved) {
	torch.Scoped(func() { y.View(s.out.n, s.out.h*s.out.w*s.out.c).Mul_(p.inverseCounts(s.in, s.stride)) })
}

// free frees all but x, which belongs to the node or the input.
func (s *stateSaved) free() {
	for _, t := range []torch.Tensor{s.pixels, s.gram, s.means, s.dPixels} {
		freeIf(t)
	}
	s.maxima.Free()
	for which := range 2 {
		for _, t := range []torch.Tensor{s.pooled[which], s.inv[which], s.k[which]} {
			freeIf(t)
		}
		for _, of := range s.arrived[which] {
			of.factor.Free()
		}
	}
	freeIf(s.sums[1])
	freeIf(s.sums[2])
}

func freeIf(t torch.Tensor) {
	if t.Defined() {
		t.Free()
	}
}
