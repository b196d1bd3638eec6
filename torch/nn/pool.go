package nn

import "godarts/torch"

// MaxPool takes the largest element of each window.
type MaxPool torch.Pool2dOptions

// Forward implements Layer.
func (p MaxPool) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	return torch.MaxPool2d(x, torch.Pool2dOptions(p))
}

// Trace implements Layer. Where torch.MaxPool2d has loops for the windows the graph keeps a byte for each, else an int64
// and x.
func (p MaxPool) Trace(x *Value, t *Trace) *Value {
	bytes := 1
	if p.Kernel != 3 || p.Padding != 1 || p.Stride < 1 || p.Stride > 2 || x.Channels < 2 {
		bytes = 8
		t.Keep(x)
	}
	y := pooled(x, torch.Pool2dOptions(p))
	t.IndexBytes += bytes * y.Numel()
	return y
}

// AvgPool takes the mean of each window.
type AvgPool torch.Pool2dOptions

// Forward implements Layer.
func (p AvgPool) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	return torch.AvgPool2d(x, torch.Pool2dOptions(p))
}

// Trace implements Layer.
func (p AvgPool) Trace(x *Value, t *Trace) *Value {
	t.Keep(x)
	return pooled(x, torch.Pool2dOptions(p))
}

func pooled(x *Value, o torch.Pool2dOptions) *Value {
	y := &Value{Channels: x.Channels}
	y.Height, y.Width = o.Size(x.Height, x.Width)
	return y
}
