package nn

import "godarts/torch"

// Conv2d is a convolution without bias.
type Conv2d struct {
	weight *Parameter // [out, in/Groups, kH, kW]
	o      torch.Conv2dOptions
}

// NewConv2d makes a convolution from in to out channels with a kernel of kH by
// kW.
func NewConv2d(p Path, in, out int, kernel [2]int, o torch.Conv2dOptions) *Conv2d {
	shape := []int{out, in / max(o.Groups, 1), kernel[0], kernel[1]}
	return &Conv2d{p.Parameter("weight", KaimingUniform(shape)), o}
}

// Forward implements Layer.
func (c *Conv2d) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	return torch.Conv2d(x, c.weight.Tensor, torch.Tensor{}, c.o)
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
	if c.stride > 1 {
		x = x.Slice(2, 0, x.Size(2), c.stride).Slice(3, 0, x.Size(3), c.stride)
	}
	shape := x.Shape()
	n, in, h, w := shape[0], shape[1], shape[2], shape[3]
	out := c.weight.shape[0]
	pixels := x.Permute(0, 2, 3, 1).Reshape(n*h*w, in) // a view where x is channels last
	product := pixels.Mm(c.weight.View(out, in).T())   // [N·H·W, out]
	return product.View(n, h, w, out).Permute(0, 3, 1, 2)
}
