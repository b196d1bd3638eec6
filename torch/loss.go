package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_cross_entropy
// #cgo noescape torch_mse_loss
// #cgo noescape torch_nll_loss
// #cgo nocallback torch_cross_entropy
// #cgo nocallback torch_mse_loss
// #cgo nocallback torch_nll_loss
import "C"

// Reduction says what a loss gives: the mean (the zero value), the sum, or each
// example's own.
type Reduction int

const (
	Mean Reduction = iota
	Sum
	None
)

// c is libtorch's number, at::Reduction.
func (r Reduction) c() C.int {
	numbers := [...]C.int{Mean: 1, Sum: 2, None: 0}
	if r < 0 || int(r) >= len(numbers) {
		misuse("reduction", "%d is none of Mean, Sum and None", int(r))
	}
	return numbers[r]
}

// CrossEntropyOptions: zero fields mean PyTorch's default.
type CrossEntropyOptions struct {
	Reduction      Reduction
	LabelSmoothing float64 // ε: the target is (1−ε)·onehot + ε/K
}

// CrossEntropy is −log softmax(x)[target].
//
//	x [N,K]   target [N] int64   result: no dimensions, or [N] for None
func CrossEntropy(x, target Tensor, o CrossEntropyOptions) Tensor {
	var r Tensor
	if e := C.torch_cross_entropy(x.h, target.h, o.Reduction.c(), C.double(o.LabelSmoothing), &r.h); e != nil {
		throw("cross_entropy", e, x, target)
	}
	return r
}

// NLLLoss is −x[target], for log-probabilities x; shapes as CrossEntropy.
func NLLLoss(x, target Tensor, reduction Reduction) Tensor {
	var r Tensor
	if e := C.torch_nll_loss(x.h, target.h, reduction.c(), &r.h); e != nil {
		throw("nll_loss", e, x, target)
	}
	return r
}

// MSELoss is (x − target)², of tensors of one shape.
func MSELoss(x, target Tensor, reduction Reduction) Tensor {
	var r Tensor
	if e := C.torch_mse_loss(x.h, target.h, reduction.c(), &r.h); e != nil {
		throw("mse_loss", e, x, target)
	}
	return r
}
