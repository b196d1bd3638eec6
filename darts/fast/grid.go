package fast

import "godarts/torch"

// grid is the shape of an image tensor [n,c,h,w] that lies channels last. As a matrix of pixels it is [n·h·w, c],
// without a copy.
type grid struct{ n, c, h, w int }

// m returns the number of pixels.
func (g grid) m() int { return g.n * g.h * g.w }

// halved returns the grid after an operation of stride 2.
func (g grid) halved() grid { return grid{g.n, g.c, g.h / 2, g.w / 2} }

// image views the matrix of pixels x [M,c] as images [n,c,h,w]. The image of the zero Tensor is zero.
func (g grid) image(x torch.Tensor) torch.Tensor {
	if !x.Defined() {
		return x
	}
	return x.AsStrided([]int{g.n, g.c, g.h, g.w}, []int{g.h * g.w * g.c, 1, g.w * g.c, g.c}, 0)
}

// pixels views images x [n,c,h,w] as a matrix [M,c]. It copies images that libtorch returned in another layout.
func (g grid) pixels(x torch.Tensor) (y torch.Tensor) {
	torch.Scoped(func() {
		y = torch.Keep(x.ChannelsLast().AsStrided([]int{g.m(), g.c}, []int{g.c, 1}, 0))
	})
	return y
}
