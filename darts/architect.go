package darts

import (
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// Architect takes the outer step of the bilevel problem, Eq. 3: it moves α along
// the gradient of the validation loss, with w either held fixed (first order) or
// one virtual step ahead of α (second order). Reference cnn/architect.py.
type Architect struct {
	net   Supernet
	w     *optim.SGD  // read only: its momentum and weight decay are part of the virtual step
	alpha *optim.Adam // steps α
}

// NewArchitect makes an architect for net, whose weights w steps and whose α
// alpha steps.
func NewArchitect(net Supernet, w *optim.SGD, alpha *optim.Adam) *Architect {
	return &Architect{net: net, w: w, alpha: alpha}
}

// Step moves α by one step of Adam. xi is ξ, the learning rate of the virtual
// step of w; 0 means first order. It leaves w as it is.
func (a *Architect) Step(train, valid nn.Batch, xi float64) {
	torch.Scoped(func() {
		a.alpha.Step(a.Gradient(train, valid, xi)...)
	})
}

// Gradient is the gradient with respect to α that Step hands to Adam, one tensor
// for each table:
//
//	ξ = 0: ∇α L_val(w, α)
//	ξ > 0: ∇α L_val(w', α) − ξ ∇²α,w L_train(w, α)·∇w' L_val(w', α)      Eq. 7
func (a *Architect) Gradient(train, valid nn.Batch, xi float64) []torch.Tensor {
	if xi == 0 {
		return a.net.Gradients(a.net.W(), valid, Need{Alphas: true}).Alphas
	}
	wPrime := a.virtualStep(train, xi)
	// The reference takes this gradient on a copy of the network, so that its
	// running statistics do not move.
	unrolled := a.net.Gradients(wPrime, valid, Need{W: true, Alphas: true, FreezeStatistics: true})
	hvp := a.hessianVectorProduct(unrolled.W, train)
	torch.NoGrad(func() {
		for i, dAlpha := range unrolled.Alphas {
			dAlpha.AddScaled_(hvp[i], -xi)
		}
	})
	return unrolled.Alphas
}

// virtualStep is w' = w − ξ(μ·buf + ∇w L_train(w, α) + wd·w): the step that the
// optimizer of w would take, without clipping. The paper's w' has neither
// momentum nor decay; the reference has both. Reference cnn/architect.py
// _compute_unrolled_model.
func (a *Architect) virtualStep(train nn.Batch, xi float64) torch.Tensor {
	w := a.net.W()
	d := a.net.Gradients(w, train, Need{W: true}).W
	var wPrime torch.Tensor
	torch.NoGrad(func() {
		o := a.w.Options()
		d.AddScaled_(w, o.WeightDecay)
		if buffers := a.w.Momentum(); len(buffers) > 0 {
			d.AddScaled_(buffers[0], o.Momentum)
		}
		wPrime = w.AddScaled(d, -xi)
	})
	return wPrime
}

// hvpRadius times 1/‖v‖ is ε, the reach of the finite difference.
const hvpRadius = 0.01

// hessianVectorProduct is ∇²α,w L_train(w, α)·v, by the finite difference
//
//	(∇α L_train(w⁺, α) − ∇α L_train(w⁻, α)) / 2ε,  w± = w ± ε·v,  ε = 0.01/‖v‖      Eq. 8
//
// around w, not w'. Reference cnn/architect.py _hessian_vector_product.
func (a *Architect) hessianVectorProduct(v torch.Tensor, train nn.Batch) []torch.Tensor {
	eps := hvpRadius / v.Norm().Item()
	at := func(eps float64) []torch.Tensor {
		var w torch.Tensor
		torch.NoGrad(func() { w = a.net.W().AddScaled(v, eps) })
		defer w.Free()
		return a.net.Gradients(w, train, Need{Alphas: true}).Alphas
	}
	plus, minus := at(eps), at(-eps)
	torch.NoGrad(func() {
		for i := range plus {
			plus[i].Sub_(minus[i]).DivScalar_(2 * eps)
		}
	})
	return plus
}
