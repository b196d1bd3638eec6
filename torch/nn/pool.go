package nn

import "godarts/torch"

// MaxPool takes the largest element of each window.
type MaxPool torch.Pool2dOptions

// Forward implements Layer.
func (p MaxPool) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	return torch.MaxPool2d(x, torch.Pool2dOptions(p))
}

// Trace implements Layer.
func (p MaxPool) Trace(x *Value, t *Trace) *Value {
	y := pooled(x, t, torch.Pool2dOptions(p))
	t.IndexBytes += 8 * y.Numel() // int64, as autograd keeps them
	return y
}

// AvgPool takes the mean of each window.
type AvgPool torch.Pool2dOptions

// Forward implements Layer.
func (p AvgPool) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	return torch.AvgPool2d(x, torch.Pool2dOptions(p))
}

// Trace implements Layer.
func (p AvgPool) Trace(x *Value, t *Trace) *Value { return pooled(x, t, torch.Pool2dOptions(p)) }

func pooled(x *Value, t *Trace, o torch.Pool2dOptions) *Value {
	t.Keep(x)
	y := &Value{Channels: x.Channels}
	y.Height, y.Width = o.Size(x.Height, x.Width)
	return y
}
