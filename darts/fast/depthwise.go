package fast

import "godarts/torch"

// kernel is a square depthwise kernel.
type kernel struct{ size, dilation int }

// padding returns the padding that keeps the size of an image at stride 1.
func (k kernel) padding() int { return k.dilation * (k.size - 1) / 2 }

// site is where a depthwise convolution reads: max(x, 0) or max(x·through, 0) of pixels x [M,c] of images in, by a kernel
// and a stride.
type site struct {
	x       torch.Tensor
	through torch.Tensor // [c,c], or the zero Tensor
	in      grid
	kernel  kernel
	stride  int
}

func (s site) options() torch.DepthwiseOptions {
	return torch.DepthwiseOptions{Stride: s.stride, Dilation: s.kernel.dilation, ReLU: true, Through: s.through}
}

// convolve convolves by weight [c,1,k,k], adds bias [c], and returns pixels y [M',c] of images out. It writes yᵀ·y to
// gram [c,c].
func (s site) convolve(gram, weight, bias torch.Tensor, out grid) (y torch.Tensor) {
	torch.Scoped(func() {
		y = torch.Keep(out.pixels(torch.DepthwiseGram(gram, s.in.image(s.x), weight, bias, s.options())))
	})
	return y
}

// arriving is the gradient of a depthwise convolution's result Y, dL/dY = g·A + Y·Q + shift. It is computed image by
// image, where it is used.
type arriving struct {
	g, a, y, q torch.Tensor // [M,c], [c,c], [M,c], [c,c]
	shift      torch.Tensor // [1,c], or the zero Tensor
}

// newTaps returns, for each tap of a kernel along one side of an image, which positions it reads in some place of the
// kernel: [k, side], 1 at s·y + d·a − p for every y in [0, side/s) and tap a; 0 elsewhere.
func newTaps(k kernel, side, stride int, d torch.Device) (t torch.Tensor) {
	o := torch.Options{Dtype: torch.Float64, Device: d}
	torch.Scoped(func() {
		at := torch.Arange(0, float64(side), 1, o).View(1, side)
		first := torch.Arange(0, float64(k.size), 1, o).MulScalar(float64(k.dilation)).AddScalar(float64(-k.padding())).View(k.size, 1)
		y := at.Sub(first).DivScalar(float64(stride)) // the place of the kernel, if whole
		inside := y.GeScalar(0).ToDtype(o.Dtype).Mul_(y.LtScalar(float64(side / stride)).ToDtype(o.Dtype))
		whole := y.Floor().Eq(y).ToDtype(o.Dtype)
		t = torch.Keep(inside.Mul_(whole))
	})
	return t
}

// sides are the taps along rows and columns.
type sides struct{ rows, columns torch.Tensor } // [k,h], [k,w]

// tapSums returns the sum of what each tap of a kernel reads of R = max(x, 0), over all places and images, [c,1,k,k]:
//
//	T[c,a,b] = Σ_{n,y,x} R[n, c, s·y + d·a − p, s·x + d·b − p]
//
// The depthwise convolution of R by w has the mean Σ_{a,b} w·T/M, which is thus known before the convolution. tapSums
// sums over images in x's type and over pixels in float64, the type of the result.
func tapSums(x torch.Tensor, g grid, s sides) (sums torch.Tensor) {
	torch.Scoped(func() {
		k := s.rows.Size(0)
		image := torch.ReLUSum(x.View(g.n, g.h*g.w*g.c)).View(g.h, g.w*g.c) // Σ_n
		byRow := s.rows.Mm(image.ToDtype(torch.Float64)).View(k, g.w, g.c)  // Σ_y: [a, column, c]
		byBoth := s.columns.Matmul(byRow)                                   // Σ_x: [a, b, c]
		sums = torch.Keep(byBoth.Permute(2, 0, 1).Contiguous().View(g.c, 1, k, k))
	})
	return sums
}
