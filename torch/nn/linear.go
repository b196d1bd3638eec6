package nn

import (
	"math"

	"godarts/torch"
)

// Linear is x·weightᵀ + bias.
type Linear struct {
	weight *Parameter // [out, in]
	bias   *Parameter // [out]
}

// NewLinear makes a linear layer with bias, drawn from (−1/√in, 1/√in).
func NewLinear(p Path, in, out int) *Linear {
	weight := p.Parameter("weight", KaimingUniform([]int{out, in}))
	return &Linear{weight, p.Parameter("bias", Uniform([]int{out}, 1/math.Sqrt(float64(in))))}
}

// Forward maps x [N,in] to [N,out].
func (l *Linear) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	return torch.Linear(x, l.weight.value(), l.bias.value())
}

// Trace counts the layer for an input of in elements.
func (l *Linear) Trace(x *Value, t *Trace) *Value {
	t.Keep(x)
	y := &Value{Channels: l.weight.sizes()[0], Height: 1, Width: 1}
	t.MultiplyAdds += y.Channels * x.Numel()
	return y
}
