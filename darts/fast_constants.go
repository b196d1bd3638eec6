package darts

import "godarts/torch"

// constant names a tensor of a pass that hangs on sizes alone.
type constant struct {
	what         string
	n            int // its length or channels
	kernel       kernel
	h, w, stride int
}

func onesOf(n int) constant       { return constant{what: "ones", n: n} }
func onesKernelOf(c int) constant { return constant{what: "kernel of ones", n: c} }

func tapsOf(k kernel, side, tail, stride int) constant {
	return constant{what: "taps", kernel: k, h: side, w: tail, stride: stride}
}

func countsOf(in grid, stride int) constant {
	return constant{what: "inverse counts", n: in.c, h: in.h, w: in.w, stride: stride}
}

// ones is a row [1,n] of ones: a product by it sums.
func (p *pass) ones(n int) torch.Tensor { return p.constants[onesOf(n)] }

// onesKernel is a depthwise kernel [c,1,3,3] of ones.
func (p *pass) onesKernel(c int) torch.Tensor { return p.constants[onesKernelOf(c)] }

// sides are the taps of k on padded images of that grid.
func (p *pass) sides(k kernel, in grid, stride int) sides {
	return sides{p.constants[tapsOf(k, in.h, 0, stride)], p.constants[tapsOf(k, in.w, margin, stride)]}
}

// inverseCounts is, for each place of a 3x3 window on images in, 1/(its pixels
// inside of the image), once for each channel: [1, h'·w'·c].
func (p *pass) inverseCounts(in grid, stride int) torch.Tensor {
	return p.constants[countsOf(in, stride)]
}

// newConstants makes what the cells need for images x [N,C,H,W].
func newConstants(cells []*fastCell, x torch.Tensor, o torch.Options) map[constant]torch.Tensor {
	made := map[constant]torch.Tensor{}
	once := func(c constant, build func() torch.Tensor) {
		if _, ok := made[c]; !ok {
			made[c] = build()
		}
	}
	taps := func(k kernel, in grid, stride int) {
		once(tapsOf(k, in.h, 0, stride), func() torch.Tensor { return newTaps(k, in.h, 0, stride, o.Device) })
		once(tapsOf(k, in.w, margin, stride), func() torch.Tensor { return newTaps(k, in.w, margin, stride, o.Device) })
	}
	state := func(in grid, stride int) {
		taps(kernel{5, 1}, in, stride)
		taps(kernel{5, 2}, in, 1)
		once(onesKernelOf(in.c), func() torch.Tensor { return torch.Ones([]int{in.c, 1, 3, 3}, o) })
		once(countsOf(in, stride), func() torch.Tensor { return newInverseCounts(in, made[onesKernelOf(in.c)], stride) })
	}
	g := grid{n: x.Size(0), h: x.Size(2), w: x.Size(3)}
	made[onesOf(g.n)] = torch.Ones([]int{1, g.n}, o)
	for _, cell := range cells {
		g.c = cell.c
		state(g, cell.stride(0))
		if cell.reduce {
			g = g.halved()
		}
		state(g, 1)
	}
	return made
}

func newInverseCounts(in grid, onesKernel torch.Tensor, stride int) (inverse torch.Tensor) {
	torch.Scoped(func() {
		image := torch.Ones([]int{1, in.c, in.h, in.w}, onesKernel.Options()).ChannelsLast()
		counts := torch.Conv2d(image, onesKernel, torch.Tensor{}, torch.Conv2dOptions{Stride: stride, Padding: 1, Groups: in.c})
		inverse = torch.Keep(counts.ChannelsLast().Permute(0, 2, 3, 1).Reshape(1, -1).Reciprocal_())
	})
	return inverse
}
