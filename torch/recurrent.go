package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_gated_mixture
// #cgo noescape torch_gated_mixture_backward
// #cgo nocallback torch_gated_mixture
// #cgo nocallback torch_gated_mixture_backward
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
