// Package fast has the forms of the supernets that compute gradients by formulas, without a graph. They are the same
// functions as darts.Plain and darts.RecurrentPlain, with which tests compare them.
package fast

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
)

// Supernet is the supernet of Plain, the same function of the same weights, with gradients by formulas instead of
// autograd. It is fast because:
//
//   - Images lie channels last, and a 1x1 convolution is a matrix product on their pixels [M,C], M = N·H·W.
//   - What depends only on a state is computed once for all edges out of it: both poolings, their statistics, the sums
//     of what depthwise kernels read (state.go).
//   - The batch norm after a 1x1 convolution is folded into its weight (norm.go), so that a mixed operation is a sum of
//     products: α scales weights, not images.
//   - Depthwise convolutions compute the ReLU before them on the way, and both of their gradients at once
//     (torch.Depthwise).
//   - "none" adds only its share of the softmax, and a pass for α only leaves out what w needs.
//   - On the CPU as many ranks as an operator would have threads share the images of a batch. They wait for each other where
//     a sum is over all images (pass.sum), not at the end of every operator.
//
// network.go has the two passes. Gradients equal Plain's up to rounding.
type Supernet struct {
	*darts.Plain
	layout *layout
	cells  []*fastCell
}

var _ darts.Supernet = (*Supernet)(nil)

// New makes a supernet as NewPlain does, with the same first weights. It returns an error where the fast form has no
// formulas: for partial channels, edge normalisation, dropout of skip connections, and registered operations.
func New(o darts.Options) (*Supernet, error) {
	if why := missing(o); why != "" {
		return nil, fmt.Errorf("darts: supernet: %s", why)
	}
	plain, err := darts.NewPlain(o)
	if err != nil {
		return nil, err
	}
	s := &Supernet{Plain: plain}
	torch.Scoped(func() {
		b := newLayoutBuilder(plain.Weights)
		s.layout = b.layout
		b.stem()
		for i, cell := range plain.Cells {
			s.cells = append(s.cells, b.cell(i, cell, plain.Architecture(cell.Kind)))
		}
		b.classifier()
		b.build(o.Device)
	})
	return s, nil
}

// FallbackReason says why Gradients runs in the plain form on images of that size, in pixels. It is empty where
// the fast form runs.
func (s *Supernet) FallbackReason(height, width int) string {
	return oddSide(s.Plain.Cells, height, width)
}

// Gradients implements Supernet. In bfloat16 it runs in the plain form, whose operators libtorch casts.
func (s *Supernet) Gradients(w torch.Tensor, b nn.Batch, need darts.Need) (g darts.Result) {
	if need.TF32 {
		return need.InTF32(func(n darts.Need) darts.Result { return s.Gradients(w, b, n) })
	}
	if need.BFloat16 || s.FallbackReason(b.X.Size(2), b.X.Size(3)) != "" {
		return s.Plain.Gradients(w, b, need)
	}
	refuseSingleValue(finalPixels(s.Plain.Cells, b.X), b.X)
	torch.Scoped(func() {
		torch.NoGrad(func() {
			work := s.newBatchwork(w, b, need)
			torch.Parallel(torch.RanksFor(b.X.Size(0), b.X.Device()), func(r *torch.Rank) { torch.Inference(func() { work.run(r) }) })
			g.Loss, g.Logits = torch.Keep(work.loss.Clone()), torch.Keep(work.logits)
			if !need.FreezeStatistics {
				s.layout.moveStatistics(s.Weights.Stats, work.statistics)
			}
			if need.W {
				g.W = torch.Keep(s.layout.registered(work.gradient))
			}
			if need.Alphas {
				for i, mix := range work.mix {
					g.Alphas = append(g.Alphas, torch.Keep(softmaxBackward(mix, work.dMix[i])))
				}
			}
		})
	})
	return g
}

// batchwork is one run of Gradients: what all ranks read, and where they write their results.
type batchwork struct {
	*Supernet
	batch  nn.Batch
	images int
	need   darts.Need
	w      torch.Tensor                              // in the order of layout
	mix    [genotype.ConvolutionalKinds]torch.Tensor // softmax(α) by kind of cell [edges, operations]

	loss, logits torch.Tensor
	statistics   torch.Tensor // the batch's means and unbiased variances, in the order of layout
	gradient     torch.Tensor // ∇w, in the same order; zero unless needed
	dMix         [genotype.ConvolutionalKinds]torch.Tensor
}

func (s *Supernet) newBatchwork(w torch.Tensor, b nn.Batch, need darts.Need) *batchwork {
	t := &batchwork{Supernet: s, batch: b, images: b.X.Size(0), need: need, w: s.layout.gathered(w)}
	for kind := range genotype.ConvolutionalKinds {
		t.mix[kind] = s.Architecture(kind).Mix()
	}
	t.logits = torch.Empty([]int{t.images, s.layout.classifierBias.shape[0]}, w.Options())
	return t
}

// run computes the rank's images. Its results belong to the scope around Parallel.
func (t *batchwork) run(r *torch.Rank) {
	first, count := r.Share(t.images)
	x, y := t.batch.X.Narrow(0, first, count), t.batch.Y.Narrow(0, first, count)

	p := t.newPass(r, x)
	loss, logits := p.forward(x, y)
	t.logits.Narrow(0, first, count).Copy_(logits)
	loss = p.sum(loss)
	if t.need.W || t.need.Alphas {
		p.backward(logits, y)
	}
	var gradient torch.Tensor
	if t.need.W {
		gradient = p.sum(p.gradient.flat)
	}
	if r.Index > 0 {
		return
	}
	t.loss, t.statistics = torch.Keep(loss), torch.Keep(p.statistics.flat)
	if t.need.W {
		t.gradient = torch.Keep(gradient)
	}
	for i, d := range p.dMix {
		t.dMix[i] = torch.Keep(d)
	}
}

// pass is one rank's part of a run of Gradients.
type pass struct {
	*Supernet
	*torch.Rank
	need       darts.Need
	images     int                                       // of all ranks
	w          segments                                  // w in the order of layout
	gradient   segments                                  // this rank's part of ∇w, in the same order; zero unless needed
	statistics segments                                  // the batch's means and unbiased variances
	mix, dMix  [genotype.ConvolutionalKinds]torch.Tensor // softmax(α) by kind of cell [edges, operations], and its gradient
	o          torch.Options

	outputs []output // of the stem and of each cell
	stem    stemSaved
	saved   []*cellSaved
	pooled  torch.Tensor // [n, nodes·C]

	constants map[constant]torch.Tensor
}

// sum returns the sum over all ranks of what each has computed for its own images.
func (p *pass) sum(own torch.Tensor) torch.Tensor { return p.AllReduce(own) }

// m returns the number of pixels M of all ranks, where one rank's images have grid g. Batch norms take their means
// over M.
func (p *pass) m(g grid) int { return p.images * g.h * g.w }

// output is the result of a cell or of the stem: max(x, 0) of the pixels of each of its nodes. Nothing else of it is
// used.
type output struct {
	grid
	nodes []torch.Tensor // [M,c] each
	d     []torch.Tensor // their gradients so far; zero Tensors at first
}

func (t *batchwork) newPass(r *torch.Rank, x torch.Tensor) *pass {
	p := &pass{Supernet: t.Supernet, Rank: r, need: t.need, images: t.images, w: segments{t.w}, mix: t.mix}
	p.o = p.w.flat.Options()
	p.statistics = segments{torch.Zeros([]int{t.layout.statistics}, p.o)}
	if t.need.W {
		p.gradient = segments{torch.Zeros(p.w.flat.Shape(), p.o)}
	}
	for i, mix := range p.mix {
		p.dMix[i] = torch.Zeros(mix.Shape(), p.o)
	}
	p.constants = newConstants(t.cells, x, p.o)
	return p
}

// ones returns a row [1,n] of ones: a product by it sums.
func (p *pass) ones(n int) torch.Tensor { return p.constants[onesOf(n)] }

// onesKernel returns a depthwise kernel [c,1,3,3] of ones.
func (p *pass) onesKernel(c int) torch.Tensor { return p.constants[onesKernelOf(c)] }

// sides returns the taps of k on images of that grid.
func (p *pass) sides(k kernel, in grid, stride int) sides {
	return sides{p.constants[tapsOf(k, in.h, stride)], p.constants[tapsOf(k, in.w, stride)]}
}

// inverseCounts returns, for each place of a 3x3 window on images in, 1/(the number of its pixels inside of the
// image), once for each channel: [1, h'·w'·c].
func (p *pass) inverseCounts(in grid, stride int) torch.Tensor {
	return p.constants[countsOf(in, stride)]
}
