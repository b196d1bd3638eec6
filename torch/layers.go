package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_batch_norm
// #cgo noescape torch_cross_entropy
// #cgo noescape torch_dropout
// #cgo noescape torch_embedding
// #cgo noescape torch_gated_mixture
// #cgo noescape torch_gated_mixture_backward
// #cgo noescape torch_relu_backward_
// #cgo noescape torch_relu_out
// #cgo noescape torch_softmax_cross_entropy
// #cgo nocallback torch_batch_norm
// #cgo nocallback torch_cross_entropy
// #cgo nocallback torch_dropout
// #cgo nocallback torch_embedding
// #cgo nocallback torch_gated_mixture
// #cgo nocallback torch_gated_mixture_backward
// #cgo nocallback torch_relu_backward_
// #cgo nocallback torch_relu_out
// #cgo nocallback torch_softmax_cross_entropy
import "C"

// ReLU is max(t, 0).
func (t Tensor) ReLU() Tensor { return t.unary(C.TORCH_unary_relu) }

// ReLU_ is ReLU in place.
func (t Tensor) ReLU_() Tensor { return t.unary_(C.TORCH_unary_relu_) }

// Sigmoid is 1/(1 + e^−t).
func (t Tensor) Sigmoid() Tensor { return t.unary(C.TORCH_unary_sigmoid) }

// Tanh is the hyperbolic tangent of t.
func (t Tensor) Tanh() Tensor { return t.unary(C.TORCH_unary_tanh) }

// Softmax is e^t / Σ e^t along dim.
func (t Tensor) Softmax(dim int) Tensor { return t.along(C.TORCH_along_softmax, dim) }

// LogSoftmax is the logarithm of Softmax, computed without overflow.
func (t Tensor) LogSoftmax(dim int) Tensor { return t.along(C.TORCH_along_log_softmax, dim) }

// ReLUOut writes max(x, 0) to out. It takes no part in autograd.
func ReLUOut(out, x Tensor) {
	if e := C.torch_relu_out(out.h, x.h); e != nil {
		throw("relu_out", e, out, x)
	}
}

// ReLUBackward_ turns t, the gradient of y = max(x, 0), into that of x, in place: it
// is 0 where y is. It takes no part in autograd. As aten::threshold_backward.
func (t Tensor) ReLUBackward_(y Tensor) Tensor {
	if e := C.torch_relu_backward_(t.h, y.h); e != nil {
		throw("threshold_backward", e, t, y)
	}
	return t
}

// BatchNormEps is what batch norms add to a variance: PyTorch's default.
const BatchNormEps = 1e-5

// BatchNormOptions: zero fields mean PyTorch's default.
type BatchNormOptions struct {
	Training bool    // normalise by the batch's statistics, and update the running ones
	Momentum float64 // of the running statistics; 0 is 0.1
	Eps      float64 // added to the variance; 0 is BatchNormEps
}

// BatchNorm normalises each channel: (x − mean)/√(var + Eps)·weight + bias.
//
//	x [N,C,...]   weight, bias [C] or none   runningMean, runningVar [C]
//
// In training mean and (biased) var are the batch's, and the running statistics
// move by Momentum towards mean and the unbiased variance, unless they are
// none. It panics with *Error if a channel has one value in training, as
// torch.nn.functional.batch_norm does.
func BatchNorm(x, weight, bias, runningMean, runningVar Tensor, o BatchNormOptions) Tensor {
	if o.Momentum == 0 {
		o.Momentum = 0.1
	}
	if o.Eps == 0 {
		o.Eps = BatchNormEps
	}
	if o.Training {
		if shape := x.shapeFor("batch_norm"); len(shape) > 1 && x.Numel() == shape[1] {
			misfit("batch_norm", []Tensor{x, weight, bias, runningMean, runningVar},
				"training needs more than one value per channel")
		}
	}
	var r Tensor
	if e := C.torch_batch_norm(x.h, weight.h, bias.h, runningMean.h, runningVar.h, flag(o.Training),
		C.double(o.Momentum), C.double(o.Eps), &r.h); e != nil {
		throw("batch_norm", e, x, weight, bias, runningMean, runningVar)
	}
	return r
}

// Dropout sets elements to zero with probability p and scales the others by
// 1/(1−p), in training; else it is the identity.
func Dropout(x Tensor, p float64, training bool) Tensor {
	var r Tensor
	if e := C.torch_dropout(x.h, C.double(p), flag(training), &r.h); e != nil {
		throw("dropout", e, x)
	}
	return r
}

// Embedding looks rows up: weight [V,E], indices int64 of any shape S, result
// [S,E].
func Embedding(weight, indices Tensor) Tensor {
	var r Tensor
	if e := C.torch_embedding(weight.h, indices.h, &r.h); e != nil {
		throw("embedding", e, weight, indices)
	}
	return r
}

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
	refuseNegative(x, target)
	var r Tensor
	if e := C.torch_cross_entropy(x.h, target.h, o.Reduction.c(), C.double(o.LabelSmoothing), &r.h); e != nil {
		throw("cross_entropy", e, x, target)
	}
	return r
}

// refuseNegative panics if a target on the CPU is below 0. On a GPU nobody waits for a look.
func refuseNegative(x, target Tensor) {
	const op = "cross_entropy"
	if target.info(op).device_type != 0 || target.Dtype().IsFloat() || target.Numel() == 0 {
		return
	}
	var least float64
	Scoped(func() { least = target.Detach().Amin(nil, false).item() })
	if least < 0 {
		misfit(op, []Tensor{x, target}, "a target is %g, wanted a class", least)
	}
}

// GatedMixture writes the node of a recurrent cell that mixes four activations of all
// states before it to out: each state s, with its gate and its candidate from products,
// passes on
//
//	q·s + σ(gate)∘(m − q·s),  m = Σ_k p_k·f_k(candidate),  q = Σ_k p_k
//
// f being tanh, ReLU, σ and identity, in this order, and p the state's row of mix.
//
//	states [n,rows,units]   products [n,rows,2·units]: gate, candidate   mix [n,4]
//	out [rows,units]
//
// Products are left with σ(gate) in the place of gates, as GatedMixtureBackward takes them.
// All have to be contiguous, of one type, float32 or float64, on the CPU. It takes no part
// in autograd.
func GatedMixture(out, states, products, mix Tensor) {
	if e := C.torch_gated_mixture(out.h, states.h, products.h, mix.h); e != nil {
		throw("gated_mixture", e, out, states, products, mix)
	}
}

// GatedMixtureBackward takes d [rows,units], the gradient of GatedMixture's out, back: it
// turns products into their gradient and adds those of states and mix to dStates, of the
// shape of states, and dMix [n,4], which is of float64.
func GatedMixtureBackward(d, states, products, mix, dStates, dMix Tensor) {
	if e := C.torch_gated_mixture_backward(d.h, states.h, products.h, mix.h, dStates.h, dMix.h); e != nil {
		throw("gated_mixture_backward", e, d, states, products, mix, dStates, dMix)
	}
}

// SoftmaxCrossEntropy_ turns logits, before bias is added, into the gradient of the sum of
// their rows' cross-entropies with labels, and adds that sum to loss:
//
//	logits := softmax(logits + bias) − onehot(labels)
//	loss   += Σ_row −log softmax(logits + bias)[label]
//
//	logits [rows,classes]   bias [classes], or the zero Tensor   labels [rows], int64
//	loss, of float64, without dimensions
//
// All have to be contiguous, logits float32 or float64, on the CPU. It takes no part in
// autograd.
func SoftmaxCrossEntropy_(logits, bias, labels, loss Tensor) {
	if e := C.torch_softmax_cross_entropy(logits.h, bias.h, labels.h, loss.h); e != nil {
		throw("softmax_cross_entropy", e, logits, bias, labels, loss)
	}
}
