package cells

import "godarts/torch"

// DropPath sets whole images of x [N,C,H,W] to zero with probability p and
// scales the others by 1/(1−p). The masks come from libtorch's generator of x's
// device. Reference cnn/utils.py drop_path.
func DropPath(x torch.Tensor, p float64) torch.Tensor {
	if p == 0 {
		return x
	}
	return x.Mul(dropPathFactors(x, p).View(-1, 1, 1, 1))
}

// dropPathFactors draws the factors [N] of DropPath.
func dropPathFactors(x torch.Tensor, p float64) torch.Tensor {
	keep := 1 - p
	return torch.Empty([]int{x.Size(0)}, x.Options()).Bernoulli_(keep).DivScalar_(keep)
}
