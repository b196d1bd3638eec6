package nn

import "godarts/torch"

// Pointwise is a 1x1 convolution without bias or padding, computed as a matrix product over the pixels of
// channels-last images. oneDNN's own kernel for it reads and writes beyond its tensors on processors without AVX-512
// where channels are no multiple of 8 (libtorch 2.11, weight gradient).
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
	if c.stride > 1 {
		x = x.Slice(2, 0, x.Size(2), c.stride).Slice(3, 0, x.Size(3), c.stride)
	}
	shape := x.Shape()
	if len(shape) != 4 {
		torch.Misuse("nn.Pointwise", "shape %v, wanted images [N,C,H,W]", shape)
	}
	n, in, h, w := shape[0], shape[1], shape[2], shape[3]
	out := c.weight.sizes()[0]
	pixels := x.Permute(0, 2, 3, 1).Reshape(n*h*w, in) // a view where x is channels last
	return pixels.Mm(c.weight.View(out, in).T()).View(n, h, w, out).Permute(0, 3, 1, 2)
}

// Trace implements Layer. Where images lie channels last a product keeps its input as it is. With a stride it keeps a
// copy of the pixels that it reads.
func (c *Pointwise) Trace(x *Value, t *Trace) *Value {
	if c.stride > 1 {
		x = &Value{Channels: x.Channels, Height: (x.Height + c.stride - 1) / c.stride, Width: (x.Width + c.stride - 1) / c.stride}
	}
	t.Keep(x)
	y := &Value{Channels: c.weight.sizes()[0], Height: x.Height, Width: x.Width}
	t.MultiplyAdds += y.Numel() * x.Channels
	return y
}

// PointwiseNorm is a 1x1 convolution, the batch norm of its result, and max(·, 0) of that with ReLU. It computes them
// together in training if the batch norm is affine, and in evaluation without a graph; else one after the other.
type PointwiseNorm struct {
	product Pointwise
	norm    BatchNorm2d
	relu    bool
	folded  foldedNorm // what Weights.Fold has left
}

// PointwiseNormOptions are the options of a PointwiseNorm.
type PointwiseNormOptions struct {
	Affine bool // the batch norm has weight and bias
	ReLU   bool
}

// NewPointwiseNorm makes a 1x1 convolution from in to out channels at the place product, and its batch norm at norm.
func NewPointwiseNorm(product, norm Path, in, out int, o PointwiseNormOptions) *PointwiseNorm {
	l := &PointwiseNorm{product: *NewPointwise(product, in, out, 1), norm: *NewBatchNorm2d(norm, out, o.Affine), relu: o.ReLU}
	norm.b.norms = append(norm.b.norms, l)
	return l
}

// Forward implements Layer. The result is channels last.
func (l *PointwiseNorm) Forward(x torch.Tensor, m Mode) torch.Tensor {
	switch {
	case m.Training && l.norm.weight != nil:
		return l.train(x, torch.Tensor{}, m)
	case !m.Training && !torch.GradEnabled():
		return l.separable(x, nil, torch.SeparableOptions{})
	}
	x = l.norm.Forward(l.product.Forward(x, m), m)
	if l.relu {
		x.ReLU_() // nobody else sees the batch norm's result, and its backward pass does not read it
	}
	return x
}

// Scaled implements Scaler.
func (l *PointwiseNorm) Scaled(x, factors torch.Tensor, m Mode) torch.Tensor {
	if m.Training && l.norm.weight != nil {
		return l.train(x, factors, m)
	}
	return scaled(l.Forward(x, m), factors)
}

// train computes the layer by the batch's statistics, and each image's result times its number of factors [N] if they
// are defined.
func (l *PointwiseNorm) train(x, factors torch.Tensor, m Mode) (y torch.Tensor) {
	torch.Scoped(func() {
		mean, variance := l.norm.statistics(m)
		y = torch.Keep(torch.PointwiseNorm(x, l.product.weight.value(), l.norm.weight.Tensor, l.norm.bias.Tensor, mean, variance,
			torch.PointwiseNormOptions{ReLU: l.relu, Factors: factors}))
	})
	return y
}

// Trace implements Layer.
func (l *PointwiseNorm) Trace(x *Value, t *Trace) *Value {
	y := l.norm.Trace(l.product.Trace(x, t), t)
	if l.relu {
		y = ReLU{InPlace: true}.Trace(y, t)
	}
	return y
}
