package darts

import (
	"math"

	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// Architect takes the outer step of the bilevel problem, Eq. 3: it moves α along the gradient of the validation loss.
// w is either fixed (first order) or one unrolled step ahead (second order). Reference cnn/architect.py.
type Architect struct {
	net   Supernet
	w     *optim.SGD  // read only: its momentum and weight decay are part of the unrolled step
	alpha *optim.Adam // steps α
	xi    *optim.Rate // ξ of the last Gradient

	// Hessian computes the product of the second order. It may be replaced at any time. A Supernet that implements
	// Hessian, as Plain does, computes the product exactly.
	Hessian Hessian

	// Clip is the norm that training clips the gradient of w to; the unrolled step clips it, too. 0 means no
	// clipping. The recurrent reference clips, the convolutional one does not.
	Clip float64

	// Cost, unless nil, adds its gradient to the gradient of α. It has none in w, so that the rest stays as it is.
	Cost *CostTerm

	// Corrected makes the second order the gradient of L_val(w'(α), α), where w' is the step that training would
	// take. Without it the recurrent search follows its reference (rnn/architect.py), which gave its results:
	//
	//   - The implicit part is scaled by k = Clip/(‖∇w L_train‖ + 1e-6) even if k is above 1, where w' is not; and ∇w' L_val is
	//     clipped, too.
	//   - The tied matrix does not move in w', since the reference's state dict has it twice and loading writes the old one
	//     last.
	//   - Each pass over the training batch has its own dropout masks; so do the two passes of the finite difference.
	//
	// Without clipping, tied weights and dropout both are the same.
	Corrected bool
}

// tied is a supernet with one matrix in two places. The reference does not move that matrix in the unrolled step.
type tied interface {
	// Tied views that matrix in a vector like w.
	Tied(w torch.Tensor) torch.Tensor
}

// Hessian computes the mixed second derivatives of a supernet's loss in a direction.
type Hessian interface {
	// HessianVectorProduct returns ∇²α,w L(w, α)·v of the loss over b, at the present w and α, one tensor for each
	// table. v is [P]. The result belongs to the caller's scope.
	HessianVectorProduct(v torch.Tensor, b nn.Batch) []torch.Tensor
}

// NewArchitect makes an architect for net. w is the optimizer of its weights, alpha the optimizer of α. The Hessian
// is the reference's FiniteDifference.
func NewArchitect(net Supernet, w *optim.SGD, alpha *optim.Adam) *Architect {
	return &Architect{net: net, w: w, alpha: alpha, xi: optim.NewRate(0, net.W()), Hessian: FiniteDifference{Net: net, Radius: Radius}}
}

// SetXi sets ξ ahead of Step, which may then run in work that is captured with the same ξ: the work reads the number that
// SetXi gave last. Whether it is 0 belongs to what is captured.
func (a *Architect) SetXi(xi float64) { a.xi.Set(xi) }

// TrainMasks is how many of the masks of its batch train Gradient takes for ξ: nn.Batch.Masks has to have as many. Of
// valid it takes one. The product by FiniteDifference has two passes, every other one.
func (a *Architect) TrainMasks(xi float64) int {
	switch _, difference := a.Hessian.(FiniteDifference); {
	case xi == 0:
		return 0
	case a.Corrected:
		return 1
	case difference:
		return 3
	}
	return 2
}

// Step moves α by one step of Adam and leaves w as it is. xi is ξ, the learning rate of the unrolled step of w; 0
// means first order. Step returns Gradient's result without the gradient of w: the loss over valid, the gradients that
// Adam took, and of a recurrent supernet the state after valid.
func (a *Architect) Step(train, valid nn.Batch, xi float64) (out Result) {
	torch.Scoped(func() {
		g := a.Gradient(train, valid, xi)
		a.alpha.Step(g.Alphas...)
		out = Result{Output: g.Output, Alphas: g.Alphas}.each(torch.Keep)
	})
	return out
}

// Gradient runs the pass over valid and returns the gradients of α that Step gives to Adam, one tensor for each
// table:
//
//	ξ = 0: ∇α L_val(w, α)
//	ξ > 0: ∇α L_val(w', α) − ξ ∇²α,w L_train(w, α)·∇w' L_val(w', α)      Eq. 7
//
// and the gradient of Cost. The loss is L_val without the term of Cost. Gradient panics with *torch.Error if ξ is negative or not finite, or if Clip is negative or not a number.
func (a *Architect) Gradient(train, valid nn.Batch, xi float64) Result {
	if !(xi >= 0 && xi <= math.MaxFloat64) {
		torch.Misuse("architect", "xi is %g, want 0 or more", xi)
	}
	a.xi.Set(xi)
	if !(a.Clip >= 0) {
		torch.Misuse("architect", "Clip is %g, want 0 or more", a.Clip)
	}
	if xi == 0 {
		return a.withCost(a.net.Gradients(a.net.W(), valid, Need{Alphas: true}))
	}
	if a.Corrected {
		train = train.SameMasks()
	}
	step := a.unroll(train)
	// The reference takes this gradient on a copy of the network, so that its
	// running statistics do not move.
	outer := a.net.Gradients(step.w, valid, Need{W: true, Alphas: true, FreezeStatistics: true})
	v, k := step.throughClip(outer.W)
	hvp := a.Hessian.HessianVectorProduct(v, train)
	torch.NoGrad(func() {
		for i, dAlpha := range outer.Alphas {
			dAlpha.Addcmul_(hvp[i], a.xi.Tensor().Mul(k).To(dAlpha.Options()), -1)
		}
	})
	return a.withCost(outer)
}

// withCost adds the gradient of the cost to those of α.
func (a *Architect) withCost(r Result) Result {
	if a.Cost != nil {
		a.Cost.AddGradient(r.Alphas, a.net.Alphas())
	}
	return r
}

// unrolled is w' = w − ξ(μ·buf + clip(∇w L_train(w, α)) + wd·w), the step that the optimizer of w would take. The
// paper's w' has neither momentum nor decay; the reference has both. Reference cnn/architect.py
// _compute_unrolled_model.
type unrolled struct {
	*Architect
	w    torch.Tensor // w'
	g    torch.Tensor // ∇w L_train before clipping; defined if that is needed again
	norm torch.Tensor // ‖g‖, a float64 without dimensions, if there is clipping
}

// clipEps is what clipping adds to norms, as torch.nn.utils.clip_grad_norm_ does.
const clipEps = 1e-6

// unroll computes the unrolled step over train.
func (a *Architect) unroll(train nn.Batch) unrolled {
	w := a.net.W()
	d := a.net.Gradients(w, train, Need{W: true}).W
	s := unrolled{Architect: a}
	torch.NoGrad(func() {
		if a.Clip > 0 {
			if a.Corrected {
				s.g = d.Clone()
			}
			s.norm = optim.Clip(a.Clip, d)
		}
		o := a.w.Options()
		d.AddScaled_(w, o.WeightDecay)
		if buffers := a.w.Momentum(); len(buffers) > 0 {
			d.AddScaled_(buffers[0], o.Momentum)
		}
		s.w = w.Clone().Addcmul_(d, a.xi.Beside(w), -1)
		if net, ok := a.net.(tied); ok && !a.Corrected {
			net.Tied(s.w).Copy_(net.Tied(w))
		}
	})
	return s
}

// throughClip takes v = ∇w' L_val back through the clipping of the unrolled step. The implicit gradient is −ξ·k·∇²α,w
// L_train·direction.
//
// With k = Clip/(‖g‖ + 1e-6) below 1 the derivative of k·g in the direction v is
//
//	k·(v − g·(g·v)/(‖g‖·(‖g‖ + 1e-6)))
//
// k is a float64 without dimensions, as the numbers that it is made of: the host reads none of them.
func (s unrolled) throughClip(v torch.Tensor) (direction, k torch.Tensor) {
	o := s.xi.Tensor().Options()
	torch.NoGrad(func() {
		if s.Clip == 0 {
			direction, k = v, torch.Scalar(1, o)
			return
		}
		raised := s.norm.AddScalar(clipEps)
		k = torch.Scalar(s.Clip, o).Div(raised)
		if !s.Corrected {
			optim.Clip(s.Clip, v)
			direction = v
			return
		}
		along := torch.Where(k.LtScalar(1), s.g.Dot(v).To(o).Div(s.norm.Mul(raised)), torch.Scalar(0, o))
		direction = v.Clone().Addcmul_(s.g, along.To(v.Options()), -1)
		k = k.Clamp(math.Inf(-1), 1)
	})
	return direction, k
}

// Radius is R in ε = R/‖v‖, the length of the finite difference's step in weights. The paper and the reference have
// this value.
const Radius = 0.01

// FiniteDifference computes the product from two gradients of any supernet. Its error is large where ReLUs change
// sides between the two (see RATIONALE.md).
type FiniteDifference struct {
	Net    Supernet
	Radius float64 // R > 0: the distance of both weights from w
}

// HessianVectorProduct computes ∇²α,w L_train(w, α)·v by
//
//	(∇α L_train(w⁺, α) − ∇α L_train(w⁻, α)) / 2ε,  w± = w ± ε·v,  ε = R/‖v‖      Eq. 8
//
// around w, not w'. Both passes move the running statistics. Reference cnn/architect.py _hessian_vector_product. It
// panics with *torch.Error for a Radius that is not above 0.
func (d FiniteDifference) HessianVectorProduct(v torch.Tensor, train nn.Batch) []torch.Tensor {
	if !(d.Radius > 0 && d.Radius <= math.MaxFloat64) {
		torch.Misuse("darts.FiniteDifference", "Radius is %g, want a number above 0", d.Radius)
	}
	var eps torch.Tensor // no dimensions
	torch.NoGrad(func() {
		norm := v.Norm().To(torch.Options{Dtype: torch.Float64, Device: v.Device()})
		eps = torch.Scalar(d.Radius, norm.Options()).Div(norm)
	})
	at := func(sign float64) []torch.Tensor {
		var w torch.Tensor
		torch.NoGrad(func() { w = d.Net.W().Clone().Addcmul_(v, eps.To(v.Options()), sign) })
		defer w.Free()
		return d.Net.Gradients(w, train, Need{Alphas: true}).Alphas
	}
	plus, minus := at(1), at(-1)
	torch.NoGrad(func() {
		for i := range plus {
			plus[i] = plus[i].Sub_(minus[i]).Div(eps.MulScalar(2).To(v.Options()))
		}
	})
	return plus
}
