package nn

import "godarts/torch"

// Pointwise is a 1x1 convolution without bias or padding, computed as a matrix product over the pixels of
// channels-last images. oneDNN's own kernel for it reads and writes beyond its tensors on processors without AVX-512
// where channels are no multiple of 8 (libtorch 2.11, weight gradient).
type Pointwise struct {
	weight *Parameter // [out, in, 1, 1]
}

// NewPointwise makes a 1x1 convolution from in to out channels.
func NewPointwise(p Path, in, out int) *Pointwise {
	return &Pointwise{p.Parameter("weight", KaimingUniform([]int{out, in, 1, 1}))}
}

// Forward implements Layer. The result is channels last.
func (c *Pointwise) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	shape := x.Shape()
	if len(shape) != 4 {
		torch.Misuse("nn.Pointwise", "shape %v, wanted images [N,C,H,W]", shape)
	}
	n, in, h, w := shape[0], shape[1], shape[2], shape[3]
	out := c.weight.sizes()[0]
	pixels := x.Permute(0, 2, 3, 1).Reshape(n*h*w, in) // a view where x is channels last
	return pixels.Mm(c.weight.View(out, in).T()).View(n, h, w, out).Permute(0, 3, 1, 2)
}

// Trace implements Layer. Where images lie channels last a product keeps its input as it is.
func (c *Pointwise) Trace(x *Value, t *Trace) *Value {
	t.Keep(x)
	return c.result(x, t)
}

// result is the size of the result. It adds the products to t.
func (c *Pointwise) result(x *Value, t *Trace) *Value {
	y := &Value{Channels: c.weight.sizes()[0], Height: x.Height, Width: x.Width}
	t.MultiplyAdds += y.Numel() * x.Channels
	return y
}
