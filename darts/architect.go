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

	// Hessian takes the product of the second order; it may be replaced at any
	// time. A Supernet that is a Hessian itself, as Plain is, takes it exactly.
	Hessian Hessian
}

// Hessian gives the mixed second derivatives of a supernet's loss in a direction.
type Hessian interface {
	// HessianVectorProduct is ∇²α,w L(w, α)·v of the loss over b, at the present w
	// and α, one tensor for each table. v is [P]. What it returns belongs to the
	// caller's scope.
	HessianVectorProduct(v torch.Tensor, b nn.Batch) []torch.Tensor
}

// NewArchitect makes an architect for net, whose weights w steps and whose α
// alpha steps. Its Hessian is the reference's FiniteDifference.
func NewArchitect(net Supernet, w *optim.SGD, alpha *optim.Adam) *Architect {
	return &Architect{net: net, w: w, alpha: alpha, Hessian: FiniteDifference{Net: net, Radius: Radius}}
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
	hvp := a.Hessian.HessianVectorProduct(unrolled.W, train)
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

// Radius is R in ε = R/‖v‖, the reach of the finite difference in weights, as the
// paper and the reference have it.
const Radius = 0.01

// FiniteDifference is a Hessian from two gradients of any supernet. Its error is
// large when ReLUs change sides between the two (see RATIONALE.md).
type FiniteDifference struct {
	Net    Supernet
	Radius float64 // R > 0: the two weights lie that far from w
}

// HessianVectorProduct is ∇²α,w L_train(w, α)·v, by
//
//	(∇α L_train(w⁺, α) − ∇α L_train(w⁻, α)) / 2ε,  w± = w ± ε·v,  ε = R/‖v‖      Eq. 8
//
// around w, not w'. Both passes move the running statistics. Reference
// cnn/architect.py _hessian_vector_product.
func (d FiniteDifference) HessianVectorProduct(v torch.Tensor, train nn.Batch) []torch.Tensor {
	eps := d.Radius / v.Norm().Item()
	at := func(eps float64) []torch.Tensor {
		var w torch.Tensor
		torch.NoGrad(func() { w = d.Net.W().AddScaled(v, eps) })
		defer w.Free()
		return d.Net.Gradients(w, train, Need{Alphas: true}).Alphas
	}
	plus, minus := at(eps), at(-eps)
	torch.NoGrad(func() {
		for i := range plus {
			plus[i].Sub_(minus[i]).DivScalar_(2 * eps)
		}
	})
	return plus
}
