package fast

import "godarts/torch"

// poolSaved is what the backward pass needs of the poolings of one or two states, and of their batch norm. The results
// of all poolings lie side by side, state by state: [M',states·poolings·c].
type poolSaved struct {
	state, states int
	in, out       grid // of the states, and of one pooling of all of them
	stride        int
	maxima        torch.Maxima
	norm          normalised
}

// forwardPools sets the columns of the poolings of states in a row, whose pixels x [M,states·c] lie side by side.
func (p *widePass) forwardPools(cell *wideCell, s *wideSaved, state, states int, in grid, x torch.Tensor) {
	if len(cell.pools) == 0 {
		return
	}
	saved := &poolSaved{state: state, states: states, in: in, out: grid{s.out.n, in.c, s.out.h, s.out.w}, stride: cell.kind.Stride(state)}
	all := saved.out.wide(len(cell.pools))
	torch.Scoped(func() {
		y := torch.Empty([]int{all.m(), all.c}, p.o)
		for k, which := range cell.pools {
			slot := saved.slot(y, k, cell)
			if which == maxPool {
				pooled, maxima := torch.MaxPool2dIndices(in.image(x), pool3x3(saved.stride))
				saved.maxima = maxima.KeepWith(p.w.flat)
				slot.Copy_(saved.byState(saved.out.pixels(pooled)))
				continue
			}
			// The mean of the pixels inside: a convolution by ones, divided by their number.
			sums := torch.Conv2d(in.image(x), p.onesKernel(in.c), torch.Tensor{}, torch.Conv2dOptions{Stride: saved.stride, Padding: 1, Groups: in.c})
			mulOut(slot, saved.byState(saved.out.pixels(sums)), p.inverseCounts(saved))
		}
		mean, variance := p.statistic(cell.poolNorms[max(0, state-1)])
		normal, n := batchNorm(all.image(y), torch.Tensor{}, torch.Tensor{}, mean, variance)
		saved.norm = n.keep(p.w.flat)
		saved.columns(s, s.table, cell).Copy_(all.pixels(normal).View(all.m(), states, len(cell.pools)*cell.c))
	})
	s.pools = append(s.pools, saved)
}

// byState views pixels [M',states·c] as [n,M'/n,states,c].
func (s *poolSaved) byState(x torch.Tensor) torch.Tensor {
	return x.View(s.out.n, s.out.h*s.out.w, s.states, s.out.c/s.states)
}

// slot views the results of pooling k in those of all, [n,M'/n,states,c].
func (s *poolSaved) slot(all torch.Tensor, k int, cell *wideCell) torch.Tensor {
	side, pools := s.out.h*s.out.w, len(cell.pools)
	row := s.states * pools * cell.c
	return all.AsStrided([]int{s.out.n, side, s.states, cell.c}, []int{side * row, row, pools * cell.c, 1}, k*cell.c)
}

// columns views the columns of the poolings in t, the table or its gradient, [M',states,poolings·c].
func (s *poolSaved) columns(of *wideSaved, t torch.Tensor, cell *wideCell) torch.Tensor {
	pools, features := len(cell.pools), cell.features(s.state)
	return t.AsStrided([]int{s.out.m(), s.states, pools * cell.c}, []int{cell.columns() * cell.c, features * cell.c, 1},
		(cell.column(s.state)+features-pools)*cell.c)
}

// backwardPools takes the gradients of the poolings' batch norm back to the states, and passes them to add, pixels
// [M,states·c] each.
func (p *widePass) backwardPools(cell *wideCell, of *wideSaved, s *poolSaved, add func(dx torch.Tensor)) {
	all := s.out.wide(len(cell.pools))
	torch.Scoped(func() {
		d := s.columns(of, of.d, cell).Contiguous().View(all.m(), all.c)
		dy, _, _ := s.norm.backward(all.image(d), false)
		pixels := all.pixels(dy)
		x := s.in.image(torch.Empty([]int{s.in.m(), s.in.c}, p.o)) // its shape counts
		for k, which := range cell.pools {
			slot := s.slot(pixels, k, cell)
			if which == maxPool {
				d := s.out.image(slot.Contiguous())
				add(s.in.pixels(torch.MaxPool2dBackward(d, x, s.maxima, pool3x3(s.stride))))
				continue
			}
			sums := s.out.image(slot.Mul(p.inverseCounts(s)))
			dx, _ := torch.Conv2dBackward(sums, x, p.onesKernel(s.in.c), torch.Conv2dOptions{Stride: s.stride, Padding: 1, Groups: s.in.c}, true, false)
			add(s.in.pixels(dx))
		}
	})
	s.maxima.Free()
	s.norm.free()
}

// onesKernel returns a depthwise kernel [c,1,3,3] of ones.
func (p *widePass) onesKernel(c int) torch.Tensor {
	return p.once(onesKernelOf(c), func() torch.Tensor { return torch.Ones([]int{c, 1, 3, 3}, p.o) })
}

// inverseCounts returns 1/(the number of pixels inside of the image) of each window, [1,M'/n,states,c].
func (p *widePass) inverseCounts(s *poolSaved) torch.Tensor {
	counts := p.once(countsOf(s.in, s.stride), func() torch.Tensor { return newInverseCounts(s.in, p.onesKernel(s.in.c), s.stride) })
	return counts.View(1, s.out.h*s.out.w, s.states, s.out.c/s.states)
}

// once returns the constant, which it builds when it is first asked for.
func (p *widePass) once(c constant, build func() torch.Tensor) torch.Tensor {
	if !p.constants[c].Defined() {
		p.constants[c] = p.keep(build())
	}
	return p.constants[c]
}
