package nn

import "godarts/torch"

// Evaluation without a graph. There a 1x1 convolution and its batch norm are one product: with s = weight/√(var + ε) it
// is by s∘W, with the shift bias − mean·s. It is computed together with what comes before it in its stage.

// Placer is a Layer that in evaluation can write its result to a place.
type Placer interface {
	Layer
	// Place writes the layer's result in evaluation to out, plus add unless that is the zero Tensor. It builds no
	// graph. out may be add, and a part of the channels of other images.
	Place(x, out, add torch.Tensor)
}

// Folder is a Layer that can keep what evaluation needs of its weights.
type Folder interface {
	Layer
	// Fold computes that, unless the weights have not changed since the last time. Without it each pass does so.
	// What it keeps has the life of the weights. Weights that an operator on them writes to count as changed, and
	// statistics that a training pass moves. On a GPU, where nobody counts what a graph writes, it does nothing.
	Fold()
}

// Place implements Placer.
func (l Separable) Place(x, out, add torch.Tensor) {
	l.affine()
	if len(l) == 0 {
		torch.Misuse("nn.Separable", "no stages")
	}
	torch.NoGrad(func() { torch.Scoped(func() { l.evaluate(x, torch.FoldedOptions{Out: out, Add: add}) }) })
}

// evaluate computes the stages without a graph, the last with o.
func (l Separable) evaluate(x torch.Tensor, o torch.FoldedOptions) torch.Tensor {
	for i, s := range l {
		if i < len(l)-1 {
			x = s.evaluate(x, torch.FoldedOptions{})
		} else {
			x = s.evaluate(x, o)
		}
	}
	return x
}

// evaluate computes the stage without a graph.
func (s Stage) evaluate(x torch.Tensor, o torch.FoldedOptions) (y torch.Tensor) {
	w := torch.FoldedWeights{Outs: s.Pointwise.weight.sizes()[0]}
	o.ReLU = s.ReLU
	if d := s.Depthwise; d != nil {
		w.Depthwise, o.DepthwiseOptions = d.weight.value(), d.o
	}
	if f := s.Norm.folded; f.valid(s) {
		w.Matrix = f.matrix
		return torch.Folded(x, w, o)
	}
	torch.Scoped(func() {
		w.Matrix = s.matrix()
		y = torch.Folded(x, w, o)
		if !o.Out.Defined() {
			torch.Keep(y)
		}
	})
	return y
}

// matrix computes the matrix of the product.
func (s Stage) matrix() (m torch.Tensor) {
	torch.Scoped(func() {
		scale, shift := s.Norm.affine()
		m = torch.Keep(torch.FoldedMatrix(s.Pointwise.weight.value(), scale, shift))
	})
	return m
}

// foldedNorm is the matrix of a stage, kept with its batch norm, and what it was computed from.
type foldedNorm struct {
	matrix             torch.Tensor
	product            *Parameter
	weight, statistics int    // times that they had been written to
	moves              uint64 // of the statistics
}

// unfolded says what the matrix of s would be computed from now.
func (s Stage) unfolded() foldedNorm {
	weight, mean := s.Pointwise.weight, s.Norm.runningMean
	return foldedNorm{product: weight, weight: weight.value().Writes(), statistics: mean.value().Writes(), moves: mean.moves.Load()}
}

// valid tells whether the matrix is that of s as it is now.
func (f foldedNorm) valid(s Stage) bool {
	if !f.matrix.Defined() {
		return false
	}
	now := s.unfolded()
	now.matrix = f.matrix
	return now == f
}

// Fold implements Folder.
func (l Separable) Fold() {
	l.affine()
	torch.NoGrad(func() {
		for _, s := range l {
			s.fold()
		}
	})
}

func (s Stage) fold() {
	weight, n := s.Pointwise.weight.value(), s.Norm
	if n.folded.valid(s) || weight.Device().GPUForm() {
		return
	}
	if n.folded.matrix.Defined() {
		n.folded.matrix.Free()
	}
	n.folded = s.unfolded()
	if n.folded.weight < 0 || n.folded.statistics < 0 {
		return // nobody counts what changes them
	}
	torch.Scoped(func() { n.folded.matrix = torch.KeepWith(s.matrix(), weight) })
}
