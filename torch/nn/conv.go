package nn

import "godarts/torch"

// Conv2d is a convolution without bias.
type Conv2d struct {
	weight *Parameter // [out, in/Groups, kH, kW]
	o      torch.Conv2dOptions
}

// NewConv2d makes a convolution from in to out channels with a kernel of kH by kW.
func NewConv2d(p Path, in, out int, kernel [2]int, o torch.Conv2dOptions) *Conv2d {
	shape := []int{out, in / max(o.Groups, 1), kernel[0], kernel[1]}
	return &Conv2d{weight: p.Parameter("weight", KaimingUniform(shape)), o: o}
}

// Forward implements Layer.
func (c *Conv2d) Forward(x torch.Tensor, _ Mode) torch.Tensor {
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

// Depthwise is a convolution of each channel by itself, without bias, of x or of max(x, 0). Its kernel is square, and
// its padding keeps the size at stride 1.
type Depthwise struct {
	weight *Parameter // [C, 1, k, k]
	o      torch.DepthwiseOptions
}

// NewDepthwise makes a depthwise convolution of c channels with a kernel of that size, an odd number.
func NewDepthwise(p Path, c, kernel int, o torch.DepthwiseOptions) *Depthwise {
	return &Depthwise{p.Parameter("weight", KaimingUniform([]int{c, 1, kernel, kernel})), o}
}

// Forward implements Layer.
func (d *Depthwise) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	return torch.Depthwise(x, d.weight.value(), torch.Tensor{}, d.o)
}

// Trace implements Layer. Where libtorch computes the convolution the graph keeps max(x, 0) in place of x.
func (d *Depthwise) Trace(x *Value, t *Trace) *Value {
	if d.o.ReLU && !d.fits() {
		x = ReLU{}.Trace(x, t)
	}
	t.Keep(x)
	return d.result(x, t)
}

// result is the size of the result. It adds the products to t.
func (d *Depthwise) result(x *Value, t *Trace) *Value {
	shape, stride := d.weight.sizes(), max(d.o.Stride, 1)
	y := &Value{Channels: shape[0], Height: (x.Height-1)/stride + 1, Width: (x.Width-1)/stride + 1}
	t.MultiplyAdds += y.Numel() * shape[2] * shape[3]
	return y
}

// fits tells whether torch.Depthwise has loops for the channels, the kernel, stride and dilation.
func (d *Depthwise) fits() bool {
	shape := d.weight.sizes()
	return shape[0]%4 == 0 && (shape[2] == 3 || shape[2] == 5) && d.o.Stride <= 2 && d.o.Dilation <= 2
}
