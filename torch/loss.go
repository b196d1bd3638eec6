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
		Misuse("reduction", "%d is none of Mean, Sum and None", int(r))
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
//
// It panics with *Error for a target that is none of 0 to K−1, on the CPU also for −100, which
// PyTorch leaves out of the loss.
func CrossEntropy(x, target Tensor, o CrossEntropyOptions) Tensor {
	refuseNegative("cross_entropy", x, target)
	var r Tensor
	if e := C.torch_cross_entropy(x.h, target.h, o.Reduction.c(), C.double(o.LabelSmoothing), &r.h); e != nil {
		throw("cross_entropy", e, x, target)
	}
	return r
}

// refuseNegative panics if a target on the CPU is below 0. On a GPU nobody waits for a look.
func refuseNegative(op string, x, target Tensor) {
	if target.info(op).device_type != 0 || target.Dtype().IsFloat() || target.Numel() == 0 {
		return
	}
	var least float64
	Scoped(func() { least = target.Detach().Amin(nil, false).Item() })
	if least < 0 {
		misfit(op, []Tensor{x, target}, "a target is %g, wanted a class", least)
	}
}

// NLLLoss is −x[target], for log-probabilities x; shapes and errors as CrossEntropy.
func NLLLoss(x, target Tensor, reduction Reduction) Tensor {
	refuseNegative("nll_loss", x, target)
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
