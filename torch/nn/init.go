package nn

import (
	"math"

	"godarts/torch"
)

// KaimingUniform draws weights [O,C,...] uniformly from (−b, b), b =
// gain·√(3/fan), gain = √(2/(1+5)), fan = C·…: PyTorch's default for
// convolutions and linear layers. As torch.nn.init.kaiming_uniform_ with a = √5.
func KaimingUniform(shape []int) torch.Tensor {
	if len(shape) == 0 {
		torch.Misuse("nn.KaimingUniform", "a shape without dimensions")
	}
	a := math.Sqrt(5)
	gain := math.Sqrt(2 / (1 + a*a))
	std := gain / math.Sqrt(float64(product(shape[1:])))
	return Uniform(shape, math.Sqrt(3)*std)
}

// Uniform draws a tensor uniformly from (−bound, bound), in float32 on the CPU,
// whatever the network's type: one seed starts all of them alike.
func Uniform(shape []int, bound float64) torch.Tensor {
	return torch.Empty(shape, torch.Options{}).Uniform_(-bound, bound)
}
