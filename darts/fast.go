package darts

import (
	"fmt"

	"godarts/torch"
	"godarts/torch/nn"
)

// Fast is the supernet of Plain, the same function of the same weights, with
// gradients by formulas instead of autograd. What makes it fast:
//
//   - Images lie channels last, and a 1x1 convolution is a matrix product on
//     their pixels [M,C], M = N·H·W.
//   - What hangs on a node alone is computed once for all of its edges: its
//     ReLU, both poolings, their statistics (state.go).
//   - The batch norm behind a 1x1 convolution is folded into its weight (fold.go),
//     so that a mixed operation is a sum of products: α scales weights, not images.
//   - The gradients of depthwise convolutions are convolutions of shapes for which
//     libtorch's kernels are fast (depthwise.go, padded.go).
//   - "none" adds nothing but its share of the softmax; a pass for α alone leaves
//     out what only w needs.
//
// fast_forward.go and fast_backward.go are the two passes. Gradients equal
// Plain's to rounding.
type Fast struct {
	*Plain
	layout *layout
	cells  []*fastCell
}

var _ Supernet = (*Fast)(nil)

// NewFast makes a supernet as NewPlain does, with the same first weights.
func NewFast(o Options) (*Fast, error) {
	plain, err := NewPlain(o)
	if err != nil {
		return nil, err
	}
	s := &Fast{Plain: plain}
	torch.Scoped(func() {
		b := newLayoutBuilder(plain.weights)
		s.layout = b.layout
		b.stem()
		for i, cell := range plain.cells {
			s.cells = append(s.cells, b.cell(i, cell, plain.architecture(cell.reduce)))
		}
		b.classifier()
		b.build(o.Device)
	})
	return s, nil
}

// Why tells what keeps Gradients from running in the fast form on images of that
// size, in pixels: it then runs in the plain form. It is empty if nothing does.
func (s *Fast) Why(height, width int) string {
	h, w := height, width
	for i, cell := range s.cells {
		if !cell.reduce {
			continue
		}
		if h%2 != 0 || w%2 != 0 {
			return fmt.Sprintf("images of %dx%d reach the reduction in cell %d as %dx%d", height, width, i, h, w)
		}
		h, w = h/2, w/2
	}
	return ""
}

// Gradients implements Supernet. In bfloat16 it runs in the plain form, whose
// operators libtorch casts.
func (s *Fast) Gradients(w torch.Tensor, b nn.Batch, need Need) (g Grad) {
	if need.BFloat16 || s.Why(b.X.Size(2), b.X.Size(3)) != "" {
		return s.Plain.Gradients(w, b, need)
	}
	torch.Scoped(func() {
		torch.NoGrad(func() {
			p := s.newPass(w, b, need)
			loss, logits := p.forward(b.X, b.Y)
			g.Loss, g.Logits = torch.Keep(loss), torch.Keep(logits)
			if !need.FreezeStatistics {
				s.layout.moveStatistics(s.weights.Stats, p.statistics.flat)
			}
			if !need.W && !need.Alphas {
				return
			}
			dMix := p.backward(logits, b.Y)
			if need.W {
				g.W = torch.Keep(s.layout.registered(p.gradient.flat))
			}
			if need.Alphas {
				for i, mix := range p.mix {
					g.Alphas = append(g.Alphas, torch.Keep(softmaxBackward(mix, dMix[i])))
				}
			}
		})
	})
	return g
}

// softmaxBackward is the gradient of α from that of mix = softmax(α):
// mix∘(dMix − Σ_row mix∘dMix).
func softmaxBackward(mix, dMix torch.Tensor) torch.Tensor {
	return dMix.Sub(mix.Mul(dMix).SumDims([]int{1}, true)).Mul_(mix)
}

// pass is one run of Gradients.
type pass struct {
	*Fast
	need       Need
	w          segments        // w in the order of layout
	gradient   segments        // ∇w, likewise; zero unless needed
	statistics segments        // the batch's means and unbiased variances
	mix        [2]torch.Tensor // softmax(α) of normal and reduction cells [edges, operations]
	dMix       [2]torch.Tensor
	o          torch.Options

	outputs []output // of the stem and of each cell
	stem    stemSaved
	saved   []*cellSaved
	pooled  torch.Tensor // [N, nodes·C]

	constants map[constant]torch.Tensor
}

// output is what a cell, or the stem, hands on: max(x, 0) of the pixels of each
// of its nodes. Nothing else of it is ever used.
type output struct {
	grid
	nodes []torch.Tensor // [M,c] each
	d     []torch.Tensor // their gradients, as far as they have come in; zero before
}

func (s *Fast) newPass(w torch.Tensor, b nn.Batch, need Need) *pass {
	p := &pass{Fast: s, need: need, o: w.Options()}
	p.w = segments{flat: s.layout.gathered(w)}
	p.statistics = segments{flat: torch.Zeros([]int{s.layout.statistics}, p.o)}
	if need.W {
		p.gradient = segments{flat: torch.Zeros(w.Shape(), p.o)}
	}
	for i, a := range []*architecture{s.normal, s.reduce} {
		p.mix[i] = a.mix()
		p.dMix[i] = torch.Zeros(p.mix[i].Shape(), p.o)
	}
	p.constants = newConstants(s.cells, b.X, p.o)
	return p
}
