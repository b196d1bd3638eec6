package optim

import (
	"math"

	"godarts/torch"
)

// ClipNorm scales grads in place by max/(norm + 1e-6) if that is below 1, where
// norm is the Euclidean norm of all their elements together. It returns norm, as
// it was before. If norm is infinite or not a number it leaves grads as they are:
// the caller stops. As torch.nn.utils.clip_grad_norm_, whose factor in that case
// would erase the gradients. It panics with *torch.Error if max is negative.
func ClipNorm(max float64, grads ...torch.Tensor) (norm float64) {
	if !(max >= 0) {
		misuse("ClipNorm", "the bound is %g, want 0 or more", max)
	}
	if len(grads) == 0 {
		return 0
	}
	torch.Scoped(func() {
		torch.NoGrad(func() {
			norm = globalNorm(grads)
			if math.IsInf(norm, 0) || math.IsNaN(norm) {
				return
			}
			if factor := max / (norm + 1e-6); factor < 1 {
				for _, g := range grads {
					g.MulScalar_(factor)
				}
			}
		})
	})
	return norm
}

// globalNorm waits for the device once, however many tensors there are.
func globalNorm(grads []torch.Tensor) float64 {
	if len(grads) == 1 {
		return grads[0].Norm().Item()
	}
	norms := make([]torch.Tensor, len(grads))
	for i, g := range grads {
		norms[i] = g.Norm()
	}
	sum := 0.0
	for _, n := range torch.Stack(norms, 0).Float64s() {
		sum += float64(n * n)
	}
	return math.Sqrt(sum)
}
