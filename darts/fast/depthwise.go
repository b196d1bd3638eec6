package fast

import "godarts/torch"

// Depthwise convolutions, forward and backward, on padded images. Their gradients are convolutions of other shapes:
// libtorch's own backward is many times slower on CPUs. docs/performance.md has figures for each.

// kernel is a square depthwise kernel.
type kernel struct{ size, dilation int }

// padding returns the padding that keeps the size of an image at stride 1.
func (k kernel) padding() int { return k.dilation * (k.size - 1) / 2 }

// depthwise convolves max(x, 0), which p holds, by weight [c,1,k,k], adds bias [c], and returns pixels [M',c].
func depthwise(p padded, weight, bias torch.Tensor, k kernel, stride int) (y torch.Tensor) {
	torch.Scoped(func() {
		out := p.grid
		if stride == 2 {
			out = p.halved()
		}
		y = torch.Keep(out.pixels(torch.Conv2d(p.shifted(-1), weight, bias, torch.Conv2dOptions{
			Stride: stride, PaddingHW: [2]int{k.padding() - p.above, k.padding() - 1}, Dilation: k.dilation, Groups: p.c,
		})))
	})
	return y
}

// depthwiseInput returns the gradient of max(x, 0) from dy, for stride 1: the convolution of dy by the weight rotated
// by 180°. Both are pixels [M,c].
func depthwiseInput(dy torch.Tensor, g grid, weight torch.Tensor, k kernel) (dx torch.Tensor) {
	torch.Scoped(func() {
		dx = torch.Keep(g.pixels(torch.Conv2d(g.image(dy), weight.Flip(2, 3), torch.Tensor{}, torch.Conv2dOptions{
			Padding: k.padding(), Dilation: k.dilation, Groups: g.c,
		})))
	})
	return dx
}

// depthwiseInputStride2 is depthwiseInput for stride 2 without dilation. Only the shape of x, pixels of grid g, is
// used.
func depthwiseInputStride2(dy, x torch.Tensor, g grid, weight torch.Tensor, k kernel) (dx torch.Tensor) {
	torch.Scoped(func() {
		d, _ := torch.Conv2dBackward(g.halved().image(dy), g.image(x), weight, torch.Conv2dOptions{
			Stride: 2, Padding: k.padding(), Groups: g.c,
		}, true, false)
		dx = torch.Keep(g.pixels(d))
	})
	return dx
}

// depthwiseWeight writes the gradient of an undilated kernel's weight to dWeight
// [c,1,k,k], from dy, images [n,c,h',w'].
func depthwiseWeight(dWeight torch.Tensor, p padded, dy torch.Tensor, k kernel, stride int) {
	torch.Scoped(func() {
		if k.size == 3 {
			dWeight.Copy_(weightOf3Columns(p, dy, -1, k, stride))
			return
		}
		// Two kernels of three columns, side by side: columns 0 to 2, then 2 to 4.
		dWeight.Narrow(3, 0, 3).Copy_(weightOf3Columns(p, dy, -2, k, stride))
		dWeight.Narrow(3, 3, 2).Copy_(weightOf3Columns(p, dy, 0, k, stride).Narrow(3, 1, 2))
	})
}

// weightOf3Columns returns the gradient of a kernel [k,3] over the images shifted by offset. The zeros on both sides
// of the images are the columns' padding.
func weightOf3Columns(p padded, dy torch.Tensor, offset int, k kernel, stride int) torch.Tensor {
	shape := torch.Empty([]int{p.c, 1, k.size, 3}, p.flat.Options())
	_, dWeight := torch.Conv2dBackward(dy, p.shifted(offset), shape, torch.Conv2dOptions{
		PaddingHW: [2]int{k.padding() - p.above, 0}, StrideHW: [2]int{stride, stride}, Groups: p.c,
	}, false, true)
	return dWeight
}

// dilatedWeight writes the gradient of a weight of dilation 2 and stride 1 to dWeight [c,1,k,k], from dy [M,c].
// Images split by parity need no dilation, and a channel's gradient is the sum of those of its two columns. split is
// p.parities().
func dilatedWeight(dWeight torch.Tensor, split padded, dy torch.Tensor, g grid, k kernel) {
	torch.Scoped(func() {
		both := torch.Empty([]int{2 * g.c, 1, k.size, k.size}, dy.Options())
		depthwiseWeight(both, split, g.parities(dy), kernel{k.size, 1}, 1)
		dWeight.Copy_(both.Narrow(0, 0, g.c).Add(both.Narrow(0, g.c, g.c)))
	})
}

// dilatedWeightOdd is dilatedWeight for images with an odd side, by libtorch's own operator.
func dilatedWeightOdd(dWeight torch.Tensor, p padded, dy torch.Tensor, k kernel) {
	torch.Scoped(func() {
		_, d := torch.Conv2dBackward(p.image(dy), p.shifted(-1), dWeight, torch.Conv2dOptions{
			PaddingHW: [2]int{k.padding() - p.above, k.padding() - 1}, Dilation: k.dilation, Groups: p.c,
		}, false, true)
		dWeight.Copy_(d)
	})
}

// newTaps returns, for each tap of a kernel along one side of an image, which positions it reads in some place of the
// kernel: [k, side+tail], 1 at s·y + d·a − p for every y in [0, side/s) and tap a; 0 elsewhere and in the tail.
func newTaps(k kernel, side, tail, stride int, d torch.Device) (t torch.Tensor) {
	o := torch.Options{Dtype: torch.Float64, Device: d}
	torch.Scoped(func() {
		at := torch.Arange(0, float64(side+tail), 1, o).View(1, side+tail)
		first := torch.Arange(0, float64(k.size), 1, o).MulScalar(float64(k.dilation)).AddScalar(float64(-k.padding())).View(k.size, 1)
		y := at.Sub(first).DivScalar(float64(stride)) // the place of the kernel, if whole
		inside := y.GeScalar(0).ToDtype(o.Dtype).Mul_(y.LtScalar(float64(side / stride)).ToDtype(o.Dtype))
		whole := y.Floor().Eq(y).ToDtype(o.Dtype)
		onImage := at.LtScalar(float64(side)).ToDtype(o.Dtype)
		t = torch.Keep(inside.Mul_(whole).Mul_(onImage))
	})
	return t
}

// sides are the taps along rows and columns.
type sides struct{ rows, columns torch.Tensor } // [k,h], [k,w+margin]

// tapSums returns the sum of what each tap of a kernel reads, over all places and images, [c,1,k,k]:
//
//	T[c,a,b] = Σ_{n,y,x} R[n, c, s·y + d·a − p, s·x + d·b − p]
//
// The depthwise convolution of R by w has the mean Σ_{a,b} w·T/M, which is thus known before the convolution. ones is
// [1,n]. tapSums sums over images in p's type and over pixels in float64, the type of the result.
func tapSums(p padded, s sides, ones torch.Tensor) (sums torch.Tensor) {
	torch.Scoped(func() {
		k := s.rows.Size(0)
		rows := p.flat.Narrow(0, margin*p.c, p.n*p.lines()*p.row()).View(p.n, p.lines()*p.row())
		image := ones.Mm(rows).View(p.lines(), p.row()).Narrow(0, p.above, p.h)   // Σ_n
		byRow := s.rows.Mm(image.ToDtype(torch.Float64)).View(k, p.w+margin, p.c) // Σ_y: [a, column, c]
		byBoth := s.columns.Matmul(byRow)                                         // Σ_x: [a, b, c]
		sums = torch.Keep(byBoth.Permute(2, 0, 1).Contiguous().View(p.c, 1, k, k))
	})
	return sums
}
