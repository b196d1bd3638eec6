package cells

import (
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// Operation makes the layer of op from c to c channels. With stride 2 it halves the image. An affine batch norm has
// weight and bias; those of the search network have none. RegisterOp adds operations.
//
// It panics with *torch.Error if op is no operation of a convolutional cell: genotypes are validated before. Reference
// cnn/operations.py OPS.
func Operation(p nn.Path, op genotype.Op, c, stride int, affine bool) nn.Layer {
	return operation(p, op, unpruned(c), stride, affine)
}

// operation is Operation with channels that pruning may have left.
func operation(p nn.Path, op genotype.Op, c channels, stride int, affine bool) nn.Layer {
	if stride < 1 {
		torch.Misuse("cells.Operation", "a stride of %d", stride)
	}
	switch op {
	case genotype.None:
		return zero(stride)
	case genotype.MaxPool3x3:
		return nn.MaxPool{Kernel: 3, Stride: stride, Padding: 1}
	case genotype.AvgPool3x3:
		return nn.AvgPool{Kernel: 3, Stride: stride, Padding: 1, ExcludePad: true}
	case genotype.SkipConnect:
		if stride == 1 {
			return Identity{}
		}
		return reduction(p, c.in, c.out, affine)
	case genotype.SepConv3x3:
		return sepConv(p, c, 3, stride, affine)
	case genotype.SepConv5x5:
		return sepConv(p, c, 5, stride, affine)
	case genotype.SepConv7x7:
		return sepConv(p, c, 7, stride, affine)
	case genotype.DilConv3x3:
		return dilConv(p, c, 3, stride, affine)
	case genotype.DilConv5x5:
		return dilConv(p, c, 5, stride, affine)
	case genotype.Conv7x1_1x7:
		return conv7x1(p, c, stride, affine)
	}
	if o, ok := RegisteredOp(op); ok {
		return o.New(p, c.of, stride, affine)
	}
	torch.Misuse("cells.Operation", "%q is no operation of a convolutional cell", op)
	return nil
}

// Identity is the skip connection of stride 1. Drop-path does not drop it.
type Identity struct{}

// Forward implements nn.Layer.
func (Identity) Forward(x torch.Tensor, _ nn.Mode) torch.Tensor { return x }

// Trace implements nn.Layer.
func (Identity) Trace(x *nn.Value, _ *nn.Trace) *nn.Value { return x }

// zero is the operation "none" of a stride. With stride 2 it takes every second row and column, times 0.
type zero int

// Forward implements nn.Layer.
func (stride zero) Forward(x torch.Tensor, _ nn.Mode) torch.Tensor {
	if stride > 1 {
		x = x.Slice(2, 0, x.Size(2), int(stride)).Slice(3, 0, x.Size(3), int(stride))
	}
	return x.MulScalar(0)
}

// Trace implements nn.Layer.
func (stride zero) Trace(x *nn.Value, _ *nn.Trace) *nn.Value {
	n := int(stride)
	return &nn.Value{Channels: x.Channels, Height: (x.Height + n - 1) / n, Width: (x.Width + n - 1) / n}
}

// sepConv makes [ReLU, depthwise, pointwise, batch norm] twice; the first depthwise convolution has the stride.
// Reference cnn/operations.py SepConv.
func sepConv(p nn.Path, c channels, kernel, stride int, affine bool) nn.Layer {
	op := p.At("op")
	return nn.Separable{
		{
			Depthwise: nn.NewDepthwise(op.Index(1), c.in, kernel, torch.DepthwiseOptions{Stride: stride, ReLU: true}),
			Pointwise: nn.NewPointwise(op.Index(2), c.in, c.inner),
			Norm:      nn.NewBatchNorm2d(op.Index(3), c.inner, affine),
		},
		{
			Depthwise: nn.NewDepthwise(op.Index(5), c.inner, kernel, torch.DepthwiseOptions{ReLU: true}),
			Pointwise: nn.NewPointwise(op.Index(6), c.inner, total(c.out)),
			Norm:      nn.NewBatchNorm2d(op.Index(7), total(c.out), affine),
		},
	}
}

// dilConv makes [ReLU, depthwise of dilation 2, pointwise, batch norm]. Reference cnn/operations.py DilConv.
func dilConv(p nn.Path, c channels, kernel, stride int, affine bool) nn.Layer {
	op, out := p.At("op"), total(c.out)
	return nn.Separable{{
		Depthwise: nn.NewDepthwise(op.Index(1), c.in, kernel, torch.DepthwiseOptions{Stride: stride, Dilation: 2, ReLU: true}),
		Pointwise: nn.NewPointwise(op.Index(2), c.in, out),
		Norm:      nn.NewBatchNorm2d(op.Index(3), out, affine),
	}}
}

// conv7x1 makes [ReLU, 1x7 convolution, 7x1 convolution, batch norm]. The first convolution has the stride on the
// columns, the second on the rows. Reference cnn/operations.py OPS conv_7x1_1x7.
func conv7x1(p nn.Path, c channels, stride int, affine bool) nn.Layer {
	out := total(c.out)
	return nn.Sequential{
		nn.ReLU{},
		nn.NewConv2d(p.Index(1), c.in, c.inner, [2]int{1, 7}, torch.Conv2dOptions{StrideHW: [2]int{1, stride}, PaddingHW: [2]int{0, 3}}),
		nn.NewConv2d(p.Index(2), c.inner, out, [2]int{7, 1}, torch.Conv2dOptions{StrideHW: [2]int{stride, 1}, PaddingHW: [2]int{3, 0}}),
		nn.NewBatchNorm2d(p.Index(3), out, affine),
	}
}

// ReLUConvBN makes [ReLU, 1x1 convolution, batch norm] from in to out channels. Reference cnn/operations.py
// ReLUConvBN.
func ReLUConvBN(p nn.Path, in, out int, affine bool) nn.Layer {
	op := p.At("op")
	return nn.Separable{{
		ReLU:      true,
		Pointwise: nn.NewPointwise(op.Index(1), in, out),
		Norm:      nn.NewBatchNorm2d(op.Index(2), out, affine),
	}}
}

// factorizedReduce halves the image by two 1x1 convolutions of stride 2 after a ReLU. The second reads the image
// shifted by one row and one column.
type factorizedReduce struct {
	conv1, conv2, bn nn.Layer
}

// FactorizedReduce makes a layer that maps [N,in,H,W] to [N,out,H/2,W/2]; out, H and W are even. Reference
// cnn/operations.py FactorizedReduce.
func FactorizedReduce(p nn.Path, in, out int, affine bool) nn.Layer {
	return reduction(p, in, halves(out), affine)
}

// reduction is FactorizedReduce with the channels of each convolution.
func reduction(p nn.Path, in int, out [2]int, affine bool) nn.Layer {
	return &factorizedReduce{
		conv1: nn.NewPointwise(p.At("conv_1"), in, out[0]),
		conv2: nn.NewPointwise(p.At("conv_2"), in, out[1]),
		bn:    nn.NewBatchNorm2d(p.At("bn"), total(out), affine),
	}
}

// Forward implements nn.Layer.
func (f *factorizedReduce) Forward(x torch.Tensor, m nn.Mode) torch.Tensor {
	x = x.ReLU()
	quarter := func(first int) torch.Tensor {
		return x.Slice(2, first, x.Size(2), 2).Slice(3, first, x.Size(3), 2)
	}
	return f.bn.Forward(torch.Cat([]torch.Tensor{f.conv1.Forward(quarter(0), m), f.conv2.Forward(quarter(1), m)}, 1), m)
}

// Trace implements nn.Layer. A product keeps a copy of the pixels that it reads.
func (f *factorizedReduce) Trace(x *nn.Value, t *nn.Trace) *nn.Value {
	x = nn.ReLU{}.Trace(x, t)
	quarter := func() *nn.Value {
		return &nn.Value{Channels: x.Channels, Height: (x.Height + 1) / 2, Width: (x.Width + 1) / 2}
	}
	y := *f.conv1.Trace(quarter(), t)
	y.Channels += f.conv2.Trace(quarter(), t).Channels
	return f.bn.Trace(&y, t)
}
