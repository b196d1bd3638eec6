package darts

import (
	"godarts/cells"
	"godarts/torch"
	"godarts/torch/nn"
)

// RecurrentFast is the recurrent supernet of RecurrentPlain, the same function of the same
// weights, with gradients by formulas instead of autograd. cells.Language.Fast has what is
// around the cell; what makes the cell fast:
//
//   - A node is one pass over memory for all activations of all states before it
//     (torch.GatedMixture), behind one product of those states by the node's weight.
//   - The states of a time step lie one behind the other, so that those before a node are
//     its operand as they are.
//   - Columns of the batch are shared out to ranks, which meet at batch norms alone.
//   - A pass for α leaves out what only w needs.
//
// It runs on the CPU; on a GPU it is the plain form. Gradients equal RecurrentPlain's to
// rounding.
type RecurrentFast struct {
	*RecurrentPlain
}

var (
	_ Supernet = (*RecurrentFast)(nil)
	_ Hessian  = (*RecurrentFast)(nil)
)

// NewRecurrentFast makes a supernet as NewRecurrentPlain does, with the same first weights.
func NewRecurrentFast(o RecurrentOptions) (*RecurrentFast, error) {
	plain, err := NewRecurrentPlain(o)
	if err != nil {
		return nil, err
	}
	return &RecurrentFast{plain}, nil
}

// Gradients implements Supernet. It draws dropout masks.
func (s *RecurrentFast) Gradients(w torch.Tensor, b nn.Batch, need Need) (g Grad) {
	if w.Device().IsCUDA() {
		return s.RecurrentPlain.Gradients(w, b, need)
	}
	refuseOne(b.X.Size(1), b.X)
	torch.Scoped(func() {
		torch.NoGrad(func() {
			p := cells.FastPass{W: w, Batch: b, Training: true, Backward: need.Alphas, Regularised: need.Regularised, Logits: need.Logits}
			if need.W {
				p.Gradient = torch.Empty(w.Shape(), w.Options())
				g.W = torch.Keep(p.Gradient)
			}
			work := s.newRecurrentWork(p, need.FreezeStatistics)
			out := s.Fast(p, work.newCell)
			g.Loss, g.Hidden = torch.Keep(out.Loss), torch.Keep(out.Hidden)
			if need.Regularised {
				g.Penalty = torch.Keep(out.Penalty)
			}
			if need.Logits {
				g.Logits = torch.Keep(out.Logits)
			}
			if need.Alphas {
				g.Alphas = []torch.Tensor{torch.Keep(work.dAlpha())}
			}
		})
	})
	return g
}

// Eval implements Supernet. Logits are [T·B,tokens].
func (s *RecurrentFast) Eval(b nn.Batch) (out nn.Output) {
	if s.W().Device().IsCUDA() {
		return s.RecurrentPlain.Eval(b)
	}
	torch.Scoped(func() {
		torch.NoGrad(func() {
			p := cells.FastPass{W: s.W(), Batch: b, Logits: true}
			out = s.Fast(p, s.newRecurrentWork(p, true).newCell)
			for _, t := range []torch.Tensor{out.Loss, out.Logits, out.Hidden} {
				torch.Keep(t)
			}
		})
	})
	return out
}

// recurrentWork is one run: what the cells of all ranks read, and where they write to.
type recurrentWork struct {
	*RecurrentFast
	freeze          bool           // leave the running statistics as they are
	mix             torch.Tensor   // softmax(α) [edges,5]
	ofNode          []torch.Tensor // its rows of each node, without "none" [i+1,4]
	transposed      []torch.Tensor // of each node wᵀ [2H,H], rows contiguous; none if there is no backward pass
	dMix            torch.Tensor   // of every rank, without "none" [ranks,edges,4], float64
	mean, variance  torch.Tensor   // running statistics [H]
	products        torch.Tensor   // room for those of all ranks
	numbersOfColumn int            // of them, for each column of the batch
}

func (s *RecurrentFast) newRecurrentWork(p cells.FastPass, freeze bool) *recurrentWork {
	units, edges := s.Options().Units, RecurrentEdges(s.nodes)
	t := &recurrentWork{RecurrentFast: s, freeze: freeze, mix: s.architecture.mix()}
	for i := range s.nodes {
		t.ofNode = append(t.ofNode, t.mix.Narrow(0, RecurrentEdges(i), i+1).Narrow(1, 1, 4).Contiguous())
	}
	columns := p.Batch.X.Size(1)
	ranks := torch.RanksFor(columns, p.Batch.X.Device())
	t.dMix = torch.Zeros([]int{ranks, edges, 4}, torch.Options{Dtype: torch.Float64})
	stats := s.Weights().Stats // of the only batch norm
	t.mean, t.variance = stats.Narrow(0, 0, units), stats.Narrow(0, units, units)
	steps := p.Batch.X.Size(0)
	if !p.Needs() {
		steps = 1
	}
	t.numbersOfColumn = steps * edges * 2 * units
	t.products = torch.Empty([]int{columns * t.numbersOfColumn}, s.Options().Options)
	if p.Needs() { // behind products: before them they would lie where those of the last pass lay, which then no longer fit
		for _, w := range s.At(p.W).Ws {
			t.transposed = append(t.transposed, w.T().Contiguous())
		}
	}
	return t
}

// dAlpha is the gradient of α [edges,5] from that of the mixture, in which "none" has no
// part but its share of the softmax.
func (t *recurrentWork) dAlpha() torch.Tensor {
	dMix := t.dMix.SumDims([]int{0}, false)
	none := torch.Zeros([]int{dMix.Size(0), 1}, dMix.Options())
	d := softmaxBackward(t.mix.ToDtype(torch.Float64), torch.Cat([]torch.Tensor{none, dMix}, 1))
	return d.ToDtype(t.mix.Dtype())
}
