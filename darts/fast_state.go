package darts

import "godarts/torch"

// stateSaved is an input of a cell or a node with all that its outgoing edges
// share, and the gradients that come back through them.
type stateSaved struct {
	*fastState
	in, out grid         // of the state, and of an edge's result
	x       torch.Tensor // [M,c]

	relu    padded          // max(x, 0)
	even    padded          // every second pixel of it: on them a kernel of dilation 2 and stride 2 has neither
	sums    [3]torch.Tensor // tapSums for 5x5 kernels, by dilation
	pooled  [2]torch.Tensor // [M',c], centred
	indices torch.Tensor    // of the maxima
	inv     [2]torch.Tensor // [c]: the batch norm behind a pooling is pooled·inv
	pixels  torch.Tensor    // [M',2c]: [even | odd] pixels of max(x, 0), centred, for factorized reductions
	gram    torch.Tensor    // [gramSplit,2c,2c] of them
	means   torch.Tensor    // [1,2c] before they were centred

	// Gradients; zero Tensors until something comes in.
	split   padded          // relu by parities
	dReLU   torch.Tensor    // [M,c]
	dEven   torch.Tensor    // [M',c]
	dPooled [2]torch.Tensor // [M',c], of the batch norm's result
	k       [2]torch.Tensor // [c] = Σ dPooled∘normalised
	dPixels torch.Tensor    // [M',2c]
}

// prepare computes what the outgoing edges of x [M,c] share.
func (p *pass) prepare(of *fastState, x torch.Tensor, in grid) *stateSaved {
	s := &stateSaved{fastState: of, in: in, out: in, x: x}
	if of.stride == 2 {
		s.out = in.halved()
	}
	if of.relu {
		s.relu = paddedReLU(x, in)
	}
	p.prepareConvolutions(s)
	for which, on := range of.pools {
		if on {
			p.preparePool(s, which)
		}
	}
	if of.reduction {
		p.prepareReduction(s)
	}
	return s
}

// prepareConvolutions sums what the taps of depthwise kernels meet.
func (p *pass) prepareConvolutions(s *stateSaved) {
	if s.dilated[1] {
		s.sums[1] = tapSums(s.relu, p.sides(kernel{5, 1}, s.in, s.stride), p.ones(s.in.n))
	}
	if s.dilated[2] && s.stride == 2 {
		s.even = s.relu.even()
		s.sums[2] = tapSums(s.even, p.sides(kernel{5, 1}, s.out, 1), p.ones(s.in.n))
	} else if s.dilated[2] {
		s.sums[2] = tapSums(s.relu, p.sides(kernel{5, 2}, s.in, 1), p.ones(s.in.n))
	}
}

// site is where a depthwise convolution of the state takes place.
func (s *stateSaved) site(k kernel) site {
	if s.stride == 2 && k.dilation == 2 {
		return site{s.even, kernel{k.size, 1}, 1, s.sums[2]}
	}
	return site{s.relu, k, s.stride, s.sums[k.dilation]}
}

// pool3x3 are both poolings' sizes.
func pool3x3(stride int) torch.Pool2dOptions {
	return torch.Pool2dOptions{Kernel: 3, Stride: stride, Padding: 1}
}

// preparePool pools x and takes the statistics of the batch norm behind it.
func (p *pass) preparePool(s *stateSaved, which int) {
	torch.Scoped(func() {
		x := s.in.image(s.x)
		if which == maxPool {
			y, indices := torch.MaxPool2dIndices(x, pool3x3(s.stride))
			s.pooled[which], s.indices = s.out.pixels(y), torch.Keep(indices)
		} else {
			// The mean of the pixels inside: a convolution by ones, divided by their number.
			y := s.out.pixels(torch.Conv2d(x, p.onesKernel(s.in.c), torch.Tensor{},
				torch.Conv2dOptions{Stride: s.stride, Padding: 1, Groups: s.in.c}))
			p.divideByCount(y, s)
			s.pooled[which] = y
		}
		y := torch.Keep(s.pooled[which])
		m := s.out.m()
		mean := centre(y, s.out, p.ones(s.in.n))
		squares := torch.Empty([]int{gramSplit, s.in.c, s.in.c}, p.o)
		gram(squares, y, y)
		variance := squares.SumDims([]int{0}, false).Diagonal(0, 0, 1).DivScalar(float64(m))
		s.inv[which] = torch.Keep(variance.AddScalar(epsilon).Rsqrt_())
		p.put(s.poolNorms[which], mean, variance.MulScalar_(float64(m)/float64(m-1)))
	})
}

// prepareReduction lays even and odd pixels beside each other: a factorized
// reduction is then one matrix product by a weight of two blocks.
func (p *pass) prepareReduction(s *stateSaved) {
	n, c, h, w := s.out.n, s.out.c, s.out.h, s.out.w
	s.pixels = torch.Empty([]int{s.out.m(), 2 * c}, p.o)
	s.gram = torch.Empty([]int{gramSplit, 2 * c, 2 * c}, p.o)
	torch.Scoped(func() {
		both := s.pixels.View(n, h, w, 2*c)
		for which := range 2 {
			both.Narrow(3, which*c, c).Copy_(s.relu.everySecond(which).Permute(0, 2, 3, 1))
		}
		s.means = torch.Keep(centre(s.pixels, grid{n, 2 * c, h, w}, p.ones(n)))
		gram(s.gram, s.pixels, s.pixels)
	})
}

// accumulate adds d, of the present scope, to *sum, which belongs to the
// enclosing one; the zero Tensor is nothing yet.
func accumulate(sum *torch.Tensor, d torch.Tensor) {
	if !sum.Defined() {
		*sum = torch.Keep(d)
		return
	}
	sum.Add_(d)
	d.Free()
}

// backwardState turns the gradients of all that the outgoing edges share into
// that of x and adds it to dx [M,c].
func (p *pass) backwardState(s *stateSaved, dx *torch.Tensor) {
	if s.fastState.relu {
		p.backwardReLU(s)
		if dx.Defined() {
			dx.Add_(s.dReLU)
		} else {
			*dx, s.dReLU = s.dReLU, torch.Tensor{}
		}
	}
	torch.Scoped(func() {
		if s.pools[maxPool] {
			d := s.out.image(p.backwardPoolNorm(s, maxPool))
			accumulate(dx, s.in.pixels(torch.MaxPool2dBackward(d, s.in.image(s.x), s.indices, pool3x3(s.stride))))
		}
		if s.pools[avgPool] {
			accumulate(dx, p.backwardAverage(s))
		}
	})
}

// backwardAverage is backward of the average pooling: the convolution by ones
// turned round.
func (p *pass) backwardAverage(s *stateSaved) (dx torch.Tensor) {
	torch.Scoped(func() {
		d := p.backwardPoolNorm(s, avgPool)
		p.divideByCount(d, s)
		ones := p.onesKernel(s.in.c)
		if s.stride == 1 {
			dx = torch.Keep(depthwiseInput(d, s.in, ones, kernel{3, 1}))
			return
		}
		dx = torch.Keep(depthwiseInputStride2(d, s.x, s.in, ones, kernel{3, 1}))
	})
	return dx
}

// backwardReLU joins the gradients of max(x, 0) in dReLU and turns it into that
// of x.
func (p *pass) backwardReLU(s *stateSaved) {
	if !s.dReLU.Defined() {
		s.dReLU = torch.Zeros([]int{s.in.m(), s.in.c}, p.o)
	}
	torch.Scoped(func() {
		d, out := s.dReLU, s.out
		if s.dEven.Defined() {
			s.in.viewEverySecond(d, 0).Add_(s.dEven.View(out.n, out.h, out.w, out.c))
		}
		if s.dPixels.Defined() {
			both := s.dPixels.View(out.n, out.h, out.w, 2*out.c)
			for which := range 2 {
				s.in.viewEverySecond(d, which).Add_(both.Narrow(3, which*out.c, out.c))
			}
		}
		s.in.image(d).ReLUBackward_(s.relu.inside())
	})
}

// backwardPoolNorm is the gradient [M',c] of a pooling's result from that of the
// batch norm behind it, V = dPooled, whose columns are centred: with
// k = Σ V∘normalised
//
//	inv·V − inv·(k/M)·normalised,  normalised = pooled·inv
func (p *pass) backwardPoolNorm(s *stateSaved, which int) (d torch.Tensor) {
	torch.Scoped(func() {
		inv := s.inv[which]
		d = torch.Keep(s.dPooled[which].Mm(inv.DiagEmbed()))
		share := inv.Square().Mul_(s.k[which]).DivScalar_(-float64(s.out.m()))
		d.Addmm_(s.pooled[which], share.DiagEmbed(), 1, 1)
	})
	return d
}

// divideByCount divides the windows' sums y [M',c] of an average pooling by the
// number of pixels of each window inside of the image.
func (p *pass) divideByCount(y torch.Tensor, s *stateSaved) {
	torch.Scoped(func() { y.View(s.out.n, s.out.h*s.out.w*s.out.c).Mul_(p.inverseCounts(s.in, s.stride)) })
}

func (s *stateSaved) free() {
	for _, t := range []torch.Tensor{s.x, s.relu.flat, s.even.flat, s.indices, s.pixels, s.gram, s.means, s.split.flat,
		s.dReLU, s.dEven, s.dPixels} {
		freeIf(t)
	}
	for which := range 2 {
		for _, t := range []torch.Tensor{s.pooled[which], s.inv[which], s.dPooled[which], s.k[which]} {
			freeIf(t)
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
