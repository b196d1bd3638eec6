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
