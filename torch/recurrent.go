package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_gated_mixture
// #cgo noescape torch_gated_mixture_backward
// #cgo noescape torch_softmax_cross_entropy
// #cgo nocallback torch_gated_mixture
// #cgo nocallback torch_gated_mixture_backward
// #cgo nocallback torch_softmax_cross_entropy
import "C"

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
