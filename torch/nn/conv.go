package nn

import "godarts/torch"

// Conv2d is a convolution without bias.
type Conv2d struct {
	weight *Parameter // [out, in/Groups, kH, kW]
	o      torch.Conv2dOptions

	dilatedDepthwise bool // it is one that torch.DilatedDepthwise computes
}

// NewConv2d makes a convolution from in to out channels with a kernel of kH by
// kW.
func NewConv2d(p Path, in, out int, kernel [2]int, o torch.Conv2dOptions) *Conv2d {
	shape := []int{out, in / max(o.Groups, 1), kernel[0], kernel[1]}
	special := torch.Conv2dOptions{Padding: kernel[0] - 1, Dilation: 2, Groups: in}
	same := o
	same.Stride = 0
	return &Conv2d{
		weight: p.Parameter("weight", KaimingUniform(shape)), o: o,
		dilatedDepthwise: same == special && o.Stride <= 1 && out == in && kernel[0] == kernel[1] && kernel[0]%2 == 1,
	}
}

// Forward implements Layer.
func (c *Conv2d) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	if c.dilatedDepthwise && !x.Device().IsCUDA() {
		return torch.DilatedDepthwise(x, c.weight.Tensor)
	}
	return torch.Conv2d(x, c.weight.value(), torch.Tensor{}, c.o)
}

// Trace implements Layer.
func (c *Conv2d) Trace(x *Value, t *Trace) *Value {
	t.Keep(x)
	shape := c.weight.sizes()
	out, perGroup, kernel := shape[0], shape[1], [2]int(shape[2:])
	y := &Value{Channels: out}
	y.Height, y.Width = c.o.Size(x.Height, x.Width, kernel)
	t.MultiplyAdds += y.Numel() * perGroup * kernel[0] * kernel[1]
	return y
}

// Pointwise is a 1x1 convolution without bias or padding, as a matrix product
// over the pixels of channels-last images. oneDNN's own kernel for it reads and
// writes beyond its tensors on processors without AVX-512 where channels are no
// multiple of 8 (libtorch 2.11, weight gradient).
type Pointwise struct {
	weight *Parameter // [out, in, 1, 1]
	stride int
}

// NewPointwise makes a 1x1 convolution from in to out channels.
func NewPointwise(p Path, in, out, stride int) *Pointwise {
	return &Pointwise{p.Parameter("weight", KaimingUniform([]int{out, in, 1, 1})), stride}
}

// Forward implements Layer. The result is channels last.
func (c *Pointwise) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	x = c.strided(x)
	shape := x.Shape()
	if len(shape) != 4 {
		torch.Misuse("nn.Pointwise", "shape %v, wanted images [N,C,H,W]", shape)
	}
	n, in, h, w := shape[0], shape[1], shape[2], shape[3]
	out := c.weight.sizes()[0]
	pixels := x.Permute(0, 2, 3, 1).Reshape(n*h*w, in) // a view where x is channels last
	return pixels.Mm(c.weight.View(out, in).T()).View(n, h, w, out).Permute(0, 3, 1, 2)
}

// strided is what of x the convolution looks at.
func (c *Pointwise) strided(x torch.Tensor) torch.Tensor {
	if c.stride > 1 {
		x = x.Slice(2, 0, x.Size(2), c.stride).Slice(3, 0, x.Size(3), c.stride)
	}
	return x
}

// normalised is the convolution with b behind it, then max(·, 0) with relu, then images times
// factors if any. In evaluation b goes by its running statistics, without a graph: with
// s = weight/√(var + ε), one product with s∘W and the bias  bias − mean·s.
func (c *Pointwise) normalised(x torch.Tensor, b *BatchNorm2d, relu bool, factors torch.Tensor, m Mode) (y torch.Tensor) {
	torch.Scoped(func() {
		x = c.strided(x)
		if m.Training {
			mean, variance := b.statistics(m)
			y = torch.Keep(torch.PointwiseNorm(x, c.weight.value(), b.weight.Tensor, b.bias.Tensor, mean, variance,
				torch.PointwiseNormOptions{ReLU: relu, Factors: factors}))
			return
		}
		scale, shift := b.affine()
		y = torch.Keep(torch.Pointwise(x, c.weight.value().Mul(scale.View(-1, 1, 1, 1)), shift, relu))
	})
	return y
}

// Trace implements Layer. Where images lie channels last a product keeps its
// input as it is, with a stride the copy of the pixels in use.
func (c *Pointwise) Trace(x *Value, t *Trace) *Value {
	if c.stride > 1 {
		x = &Value{Channels: x.Channels, Height: (x.Height + c.stride - 1) / c.stride, Width: (x.Width + c.stride - 1) / c.stride}
	}
	t.Keep(x)
	y := &Value{Channels: c.weight.sizes()[0], Height: x.Height, Width: x.Width}
	t.MultiplyAdds += y.Numel() * x.Channels
	return y
}
