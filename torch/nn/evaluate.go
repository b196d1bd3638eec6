package nn

import "godarts/torch"

// Evaluation without a graph. There a 1x1 convolution and its batch norm are one product: with s = weight/√(var + ε) it
// is by s∘W, with the shift bias − mean·s. It is computed together with the ReLU or the depthwise convolution before it.

// Placer is a Layer that in evaluation can write its result to a place.
type Placer interface {
	Layer
	// Place writes the layer's result in evaluation to out, plus add unless that is the zero Tensor. It builds no
	// graph. out may be add, and a part of the channels of other images.
	Place(x, out, add torch.Tensor)
}

// Place implements Placer.
func (s Sequential) Place(x, out, add torch.Tensor) {
	torch.NoGrad(func() { torch.Scoped(func() { s.evaluate(x, torch.SeparableOptions{Out: out, Add: add}) }) })
}

// evaluate applies layers in evaluation without a graph. The last writes to o.Out, if that is defined, and adds o.Add.
func (s Sequential) evaluate(x torch.Tensor, o torch.SeparableOptions) torch.Tensor {
	for len(s) > 0 {
		before, norm, n := s.first()
		s = s[n:]
		switch {
		case norm == nil:
			x = before.Forward(x, Mode{})
		case len(s) > 0:
			x = norm.separable(x, before, torch.SeparableOptions{})
		default:
			return norm.separable(x, before, o)
		}
	}
	if o.Add.Defined() {
		x = x.Add(o.Add)
	}
	if o.Out.Defined() {
		return o.Out.Copy_(x)
	}
	return x
}

// first returns the layers that are computed first, together, and their number: a PointwiseNorm and the layer before
// it, if any; or without one a single layer.
func (s Sequential) first() (before Layer, norm *PointwiseNorm, n int) {
	if norm, ok := s[0].(*PointwiseNorm); ok {
		return nil, norm, 1
	}
	if len(s) > 1 {
		norm, _ = s[1].(*PointwiseNorm)
	}
	switch l := s[0].(type) {
	case *Depthwise:
	case ReLU:
		if l.InPlace {
			norm = nil // its input changes too
		}
	default:
		norm = nil
	}
	if norm == nil {
		return s[0], nil, 1
	}
	return s[0], norm, 2
}

// separable computes the layer in evaluation, after before: a Depthwise, a ReLU or nothing.
func (l *PointwiseNorm) separable(x torch.Tensor, before Layer, o torch.SeparableOptions) (y torch.Tensor) {
	w := torch.SeparableWeights{Outs: l.product.weight.sizes()[0]}
	switch b := before.(type) {
	case *Depthwise:
		w.Depthwise, o.DepthwiseOptions = b.weight.value(), b.o
	case ReLU:
		o.ReLU = true
	}
	o.Rectify = l.relu
	if l.folded.valid(l) {
		w.Matrix = l.folded.matrix
		return torch.Separable(x, w, o)
	}
	torch.Scoped(func() {
		w.Matrix = l.matrix()
		y = torch.Separable(x, w, o)
		if !o.Out.Defined() {
			torch.Keep(y)
		}
	})
	return y
}

// matrix computes the matrix of the product.
func (l *PointwiseNorm) matrix() (m torch.Tensor) {
	torch.Scoped(func() {
		scale, shift := l.norm.affine()
		m = torch.Keep(torch.FoldedMatrix(l.product.weight.value(), scale, shift))
	})
	return m
}

// foldedNorm is the matrix of a PointwiseNorm, and what it was computed from.
type foldedNorm struct {
	matrix             torch.Tensor
	weight, statistics int    // times that they had been written to
	moves              uint64 // of the statistics
}

// unfolded says what the matrix of l would be computed from now.
func (l *PointwiseNorm) unfolded() foldedNorm {
	mean := l.norm.runningMean
	return foldedNorm{weight: l.product.weight.value().Writes(), statistics: mean.value().Writes(), moves: mean.moves.Load()}
}

// valid tells whether the matrix is that of l as it is now.
func (f foldedNorm) valid(l *PointwiseNorm) bool {
	if !f.matrix.Defined() {
		return false
	}
	now := l.unfolded()
	now.matrix = f.matrix
	return now == f
}

// Fold computes what evaluation needs of each PointwiseNorm, unless its weights have not changed since the last time.
// Without it each pass does so. What it keeps has the life of W. Weights that an operator on them writes to count as
// changed, and statistics that a training pass moves. On a GPU, where nobody counts what a graph writes, it does nothing.
func (w *Weights) Fold() {
	if w.W.Device().GPUForm() {
		return
	}
	torch.NoGrad(func() {
		for _, l := range w.norms {
			l.fold()
		}
	})
}

func (l *PointwiseNorm) fold() {
	if l.folded.valid(l) {
		return
	}
	if l.folded.matrix.Defined() {
		l.folded.matrix.Free()
	}
	l.folded = l.unfolded()
	if l.folded.weight < 0 || l.folded.statistics < 0 {
		return // nobody counts what changes them
	}
	torch.Scoped(func() { l.folded.matrix = torch.KeepWith(l.matrix(), l.product.weight.Tensor) })
}
