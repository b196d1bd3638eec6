package nn

import "godarts/torch"

// Conv2d is a convolution without bias.
type Conv2d struct {
	weight *Parameter // [out, in/Groups, kH, kW]
	o      torch.Conv2dOptions

	dilatedDepthwise bool // torch.DilatedDepthwise computes it
}

// NewConv2d makes a convolution from in to out channels with a kernel of kH by kW.
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
	if c.dilatedDepthwise && !x.Device().GPUForm() {
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
