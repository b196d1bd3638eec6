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
	clip(max, grads, func(n torch.Tensor) { norm = n.Item() })
	return norm
}

// Clip is ClipNorm that returns norm as a tensor, a float64 without dimensions: the
// host does not wait for a GPU, where the factor is computed and stays. Without
// grads it returns the zero Tensor.
func Clip(max float64, grads ...torch.Tensor) (norm torch.Tensor) {
	clip(max, grads, func(n torch.Tensor) { norm = torch.Keep(n) })
	return norm
}

// Norm returns the Euclidean norm of all elements of grads together, as Clip does.
func Norm(grads ...torch.Tensor) (norm torch.Tensor) {
	if len(grads) == 0 {
		return norm
	}
	torch.Scoped(func() {
		torch.NoGrad(func() { norm = torch.Keep(globalNorm(grads)) })
	})
	return norm
}

// clip shows the norm, a float64 without dimensions, to see.
func clip(max float64, grads []torch.Tensor, see func(norm torch.Tensor)) {
	if !(max >= 0) {
		misuse("ClipNorm", "the bound is %g, want 0 or more", max)
	}
	if len(grads) == 0 {
		return
	}
	o := torch.Options{Dtype: torch.Float64, Device: grads[0].Device()}
	torch.Scoped(func() {
		torch.NoGrad(func() {
			norm := globalNorm(grads)
			factor := torch.Scalar(max, o).Div(norm.AddScalar(1e-6)).Clamp(math.Inf(-1), 1)
			factor = torch.Where(norm.IsFinite(), factor, torch.OnesLike(factor))
			for _, g := range grads {
				g.Mul_(factor)
			}
			see(norm)
		})
	})
}

func globalNorm(grads []torch.Tensor) torch.Tensor {
	norm := grads[0].Norm().ToDtype(torch.Float64)
	if len(grads) == 1 {
		return norm
	}
	sum := norm.Square()
	for _, g := range grads[1:] {
		sum = sum.Add(g.Norm().ToDtype(torch.Float64).Square())
	}
	return sum.Sqrt()
}
