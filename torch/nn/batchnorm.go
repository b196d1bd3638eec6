package nn

import "godarts/torch"

// BatchNorm2d normalises channels, with PyTorch's momentum 0.1 and ε 1e-5.
type BatchNorm2d struct {
	weight, bias            *Parameter // [C]; nil if not affine
	runningMean, runningVar *Parameter // [C]
	folded                  foldedNorm // what Fold of its stage has left
}

// NewBatchNorm2d makes a batch norm over c channels; an affine one has weight
// and bias.
func NewBatchNorm2d(p Path, c int, affine bool) *BatchNorm2d {
	b := &BatchNorm2d{}
	if affine {
		b.weight = p.Parameter("weight", torch.Ones([]int{c}, torch.Options{}))
		b.bias = p.Parameter("bias", torch.Zeros([]int{c}, torch.Options{}))
	}
	b.runningMean = p.Buffer("running_mean", torch.Zeros([]int{c}, torch.Options{}))
	b.runningVar = p.Buffer("running_var", torch.Ones([]int{c}, torch.Options{}))
	return b
}

// Forward implements Layer.
func (b *BatchNorm2d) Forward(x torch.Tensor, m Mode) torch.Tensor {
	var weight, bias torch.Tensor
	if b.weight != nil {
		weight, bias = b.weight.Tensor, b.bias.Tensor
	}
	mean, variance := b.statistics(m)
	return torch.BatchNorm(x, weight, bias, mean, variance, torch.BatchNormOptions{Training: m.Training})
}

// statistics are the running ones, or none if they are to stay as they are.
func (b *BatchNorm2d) statistics(m Mode) (mean, variance torch.Tensor) {
	if !m.Training || !m.FreezeStatistics {
		mean, variance = b.runningMean.value(), b.runningVar.value()
	}
	if m.Training && !m.FreezeStatistics {
		b.runningMean.moves.Add(1)
	}
	return mean, variance
}

// affine is the batch norm by the running statistics as scale·x + shift, [C] each.
func (b *BatchNorm2d) affine() (scale, shift torch.Tensor) {
	scale = b.runningVar.value().AddScalar(torch.BatchNormEps).Rsqrt_()
	if b.weight == nil {
		return scale, b.runningMean.Mul(scale).Neg_()
	}
	scale.Mul_(b.weight.Tensor)
	return scale, b.bias.Sub(b.runningMean.Mul(scale))
}

// Trace implements Layer.
func (b *BatchNorm2d) Trace(x *Value, t *Trace) *Value {
	t.Keep(x)
	return &Value{Channels: x.Channels, Height: x.Height, Width: x.Width}
}
