package fast

import "godarts/torch"

// grid is the shape of an image tensor [n,c,h,w] that lies channels last. As a matrix of pixels it is [n·h·w, c],
// without a copy.
type grid struct{ n, c, h, w int }

// m returns the number of pixels.
func (g grid) m() int { return g.n * g.h * g.w }

// halved returns the grid after an operation of stride 2.
func (g grid) halved() grid { return grid{g.n, g.c, g.h / 2, g.w / 2} }

// image views the matrix of pixels x [M,c] as images [n,c,h,w].
func (g grid) image(x torch.Tensor) torch.Tensor {
	return x.AsStrided([]int{g.n, g.c, g.h, g.w}, []int{g.h * g.w * g.c, 1, g.w * g.c, g.c}, 0)
}

// pixels views images x [n,c,h,w] as a matrix [M,c]. It copies images that libtorch returned in another layout.
func (g grid) pixels(x torch.Tensor) (y torch.Tensor) {
	torch.Scoped(func() {
		y = torch.Keep(x.ChannelsLast().AsStrided([]int{g.m(), g.c}, []int{g.c, 1}, 0))
	})
	return y
}

// margin is the number of zero pixels in front of a padded image and to the right of each of its rows.
const margin = 2

// padded is a flat batch of images with zeros around: margin pixels in front of all and to the right of each row, and
// above rows over and under each image. Shifted by up to margin pixels it is again a contiguous channels-last tensor.
// So convolutions find their padding in place and have shapes for which libtorch's kernels are fast.
type padded struct {
	grid
	above int
	flat  torch.Tensor // [(margin + n·(h+2·above)·(w+margin))·c]
}

func (p padded) row() int   { return (p.w + margin) * p.c }         // numbers in a row
func (p padded) lines() int { return p.h + 2*p.above }              // rows of an image, with those above and below
func (p padded) first() int { return margin*p.c + p.above*p.row() } // where the first image begins

// perImage returns how many numbers of flat an image takes.
func (p padded) perImage() int { return p.lines() * p.row() }

// surrounded returns how images lie among zeros, without a tensor.
func surrounded(g grid) padded {
	p := padded{grid: g}
	// oneDNN's kernels for the gradient of a depthwise weight leave images that are
	// lower than a 5x5 kernel to a fallback thirty times as slow.
	if g.h < 5 {
		p.above = 1
	}
	return p
}

// newPadded makes the zeros; it does not set the images.
func newPadded(g grid, o torch.Options) padded {
	p := surrounded(g)
	p.flat = torch.Empty([]int{margin*g.c + g.n*p.perImage()}, o)
	torch.Scoped(func() {
		if p.above > 0 {
			p.flat.Zero_()
			return
		}
		p.flat.Narrow(0, 0, margin*g.c).Zero_()
		p.flat.AsStrided([]int{g.n * g.h, margin * g.c}, []int{p.row(), 1}, (margin+g.w)*g.c).Zero_()
	})
	return p
}

// inside views the images [n,c,h,w] without the zeros.
func (p padded) inside() torch.Tensor {
	return p.flat.AsStrided([]int{p.n, p.c, p.h, p.w}, []int{p.lines() * p.row(), 1, p.row(), p.c}, p.first())
}

// shifted views all rows, of w+margin pixels that begin offset pixels from the images: -1 gives one column of zeros
// on both sides.
func (p padded) shifted(offset int) torch.Tensor {
	return p.flat.AsStrided([]int{p.n, p.c, p.lines(), p.w + margin}, []int{p.lines() * p.row(), 1, p.row(), p.c}, (margin+offset)*p.c)
}

// paddedReLU returns max(x, 0) of the pixels x [M,c].
func paddedReLU(x torch.Tensor, g grid) padded {
	p := newPadded(g, x.Options())
	torch.Scoped(func() { torch.ReLUOut(p.inside(), g.image(x)) })
	return p
}

// even copies every second pixel of every second row of the images.
func (p padded) even() padded {
	q := newPadded(p.halved(), p.flat.Options())
	torch.Scoped(func() { q.inside().Copy_(p.everySecond(0)) })
	return q
}

// everySecond views every second row and column, from the first: [n,c,h/2,w/2].
func (p padded) everySecond(first int) torch.Tensor {
	h, w := p.h/2, p.w/2
	return p.flat.AsStrided([]int{p.n, p.c, h, w}, []int{p.lines() * p.row(), 1, 2 * p.row(), 2 * p.c},
		p.first()+first*(p.row()+p.c))
}

// parities splits the images [n,c,h,w] into four, by the parity of row and column. Rows of one parity become an
// image, and two columns become one pixel of 2c channels: [2n, 2c, h/2, w/2]. There a dilation of 2 is a dilation of
// 1.
func (p padded) parities() padded {
	q := newPadded(grid{2 * p.n, 2 * p.c, p.h / 2, p.w / 2}, p.flat.Options())
	torch.Scoped(func() {
		h, w := p.h/2, p.w*p.c       // rows of a parity, numbers in a row
		shape := []int{p.n, 2, h, w} // image, parity, row, numbers
		from := []int{p.lines() * p.row(), p.row(), 2 * p.row(), 1}
		to := []int{2 * q.lines() * q.row(), q.lines() * q.row(), q.row(), 1}
		q.flat.AsStrided(shape, to, q.first()).Copy_(p.flat.AsStrided(shape, from, p.first()))
	})
	return q
}

// parities is padded.parities of the pixels x [M,c], without zeros around: images [2n, 2c, h/2, w/2].
func (g grid) parities(x torch.Tensor) (y torch.Tensor) {
	torch.Scoped(func() {
		rows := x.View(g.n, g.h/2, 2, g.w*g.c).Transpose(1, 2).Contiguous() // [n, parity, h/2, w·c]
		y = torch.Keep(grid{2 * g.n, 2 * g.c, g.h / 2, g.w / 2}.image(rows))
	})
	return y
}
