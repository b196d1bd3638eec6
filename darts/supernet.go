// Package darts is differentiable architecture search: the supernet, whose
// edges mix all operations, the bilevel optimisation of its weights w and its
// architecture α, and the derivation of a genotype from α.
//
// Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search, ICLR 2019,
// arXiv 1806.09055. "Reference" in comments is the authors' code.
package darts

import (
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// Supernet is a network of mixed operations. Its weights are one flat tensor, so that an optimizer's step, the
// unrolled step and w ± ε·v are vector arithmetic. Its architecture is a few more tensors.
type Supernet interface {
	nn.Module

	// W returns w [P], all weights.
	W() torch.Tensor

	// Alphas returns α before the softmax: one table [edges, operations] for each kind of cell, normal before
	// reduction, or the one table of a recurrent cell. With edge normalisation β [edges] of each kind follows.
	Alphas() []torch.Tensor

	// Gradients runs a forward and a backward pass over b in training mode, at the weights w: W() or another vector
	// of its length. The result belongs to the caller's scope.
	Gradients(w torch.Tensor, b nn.Batch, need Need) Result

	// Eval runs a forward pass over b with the running statistics.
	Eval(b nn.Batch) nn.Output

	// Genotype derives the cells of the present α.
	Genotype() genotype.Genotype
}

// Need says which gradients Gradients computes. It always computes the loss, and the logits of images.
type Need struct {
	W, Alphas        bool
	FreezeStatistics bool // leave the running statistics of batch norms as they are
	BFloat16         bool // convolutions and matrix products in bfloat16, by torch.Autocast
	TF32             bool // those of float32 as torch.WithTF32 has them, on a GPU

	// For PathGradients: compute the operations outside of the architecture, too, so that their running statistics
	// move. FreezeStatistics comes first.
	AllStatistics bool

	// For recurrent supernets: take the gradients of Loss + Penalty, not of Loss.
	Regularised bool
	// For recurrent supernets: return the logits.
	Logits bool
}

// InTF32 runs a pass that needs n in torch.WithTF32, which n.TF32 asks for. What the pass gets as need asks no more.
func (n Need) InTF32(pass func(need Need) Result) (g Result) {
	torch.NeedFunction("darts.InTF32", pass == nil)
	n.TF32 = false
	torch.WithTF32(func() { g = pass(n) })
	return g
}

// Result is the outcome of a pass: the output of its forward half, without a graph, and the gradients.
type Result struct {
	nn.Output
	W      torch.Tensor   // ∇w Loss [P], if needed
	Alphas []torch.Tensor // ∇α Loss, if needed
}

// each returns a Result of fn(t) for each tensor t of g.
func (g Result) each(fn func(torch.Tensor) torch.Tensor) Result {
	for _, t := range []*torch.Tensor{&g.Loss, &g.Logits, &g.Hidden, &g.Penalty, &g.W} {
		if t.Defined() {
			*t = fn(*t)
		}
	}
	g.Alphas = slices.Clone(g.Alphas)
	for i, dAlpha := range g.Alphas {
		g.Alphas[i] = fn(dAlpha)
	}
	return g
}

// differentiate keeps those gradients of loss in g that need asks for.
func (g *Result) differentiate(loss torch.Tensor, w *nn.Weights, alphas []torch.Tensor, need Need) {
	if !need.Alphas {
		alphas = nil
	}
	if need.W {
		g.W = torch.Keep(torch.Empty(w.W.Shape(), w.W.Options()))
	}
	if need.W || need.Alphas {
		for _, dAlpha := range w.Gradient(loss, g.W, alphas) {
			g.Alphas = append(g.Alphas, torch.Keep(dAlpha))
		}
	}
}

// Options are the sizes of a convolutional supernet.
type Options struct {
	Channels       int // of the first cell, even; doubled by each reduction
	Layers         int // cells, at least 3; those at Layers/3 and 2·Layers/3 reduce
	Nodes          int // intermediate nodes of a cell
	Classes        int
	InputChannels  int // of the images
	StemMultiplier int // the stem has StemMultiplier·Channels channels

	// Operations of each edge of normal and reduction cells, node by node, by
	// input; nil means all of genotype.Primitives on every edge. Edge e mixes
	// Normal[e] by the first columns of α's row e.
	Normal, Reduce [][]genotype.Op

	// Partial is k of PC-DARTS: operations read 1/k of an edge's channels, the others pass by; 0 means 1. Channels are
	// a multiple of 2k. See partial.go.
	Partial           int
	EdgeNormalisation bool // edges are multiplied by softmax(β), see partial.go

	// SkipDropout is the dropout rate of skip connections that are identities, in training, until SetSkipDropout; 0
	// makes a network without such dropout.
	SkipDropout float64

	torch.Options // type and device
}

// ops returns the operations of cells of that kind.
func (o Options) ops(kind genotype.Kind) [][]genotype.Op {
	if kind == genotype.Reduce {
		return o.Reduce
	}
	return o.Normal
}
