package cells

import "godarts/torch"

// DropPath sets whole images of x [N,C,H,W] to zero with probability p and
// scales the others by 1/(1−p). The masks come from libtorch's generator of x's
// device. Reference cnn/utils.py drop_path.
func DropPath(x torch.Tensor, p float64) torch.Tensor {
	if p == 0 {
		return x
	}
	keep := 1 - p
	mask := torch.Empty([]int{x.Size(0), 1, 1, 1}, x.Options()).Bernoulli_(keep)
	return x.Mul(mask.DivScalar_(keep))
}
