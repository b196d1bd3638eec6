package fast

import (
	"godarts/cells"
	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
)

// Recurrent is the recurrent supernet of RecurrentPlain, the same function of the same weights, with gradients by
// formulas instead of autograd. cells.Language.Fast computes what is around the cell. The cell is fast because:
//
//   - A node is one product of all states before it by the node's weight, then one pass over memory for all activations of
//     these states (torch.GatedMixture).
//   - The states of a time step are adjacent, so that those before a node are its operand without a copy.
//   - Ranks share the columns of the batch and wait for each other only at batch norms.
//   - A pass for α leaves out what only w needs.
//
// It runs on the CPU; on a GPU the plain form runs. Gradients equal RecurrentPlain's up to rounding.
type Recurrent struct {
	*darts.RecurrentPlain
}

var (
	_ darts.Supernet = (*Recurrent)(nil)
	_ darts.Hessian  = (*Recurrent)(nil)
)

// NewRecurrent makes a supernet as NewRecurrentPlain does, with the same first weights.
func NewRecurrent(o darts.RecurrentOptions) (*Recurrent, error) {
	plain, err := darts.NewRecurrentPlain(o)
	if err != nil {
		return nil, err
	}
	return &Recurrent{plain}, nil
}

// Gradients implements Supernet. It takes the dropout masks that b.Masks gives next.
func (s *Recurrent) Gradients(w torch.Tensor, b nn.Batch, need darts.Need) (g darts.Result) {
	if w.Device().GPUForm() {
		return s.RecurrentPlain.Gradients(w, b, need)
	}
	refuseSingleValue(b.X.Size(1), b.X)
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
func (s *Recurrent) Eval(b nn.Batch) (out nn.Output) {
	if s.W().Device().GPUForm() {
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

// recurrentWork is one run: what the cells of all ranks read, and where they write their results.
type recurrentWork struct {
	*Recurrent
	freeze          bool           // leave the running statistics as they are
	mix             torch.Tensor   // softmax(α) [edges,5]
	ofNode          []torch.Tensor // its rows of each node, without "none" [i+1,4]
	transposed      []torch.Tensor // of each node wᵀ [2H,H], rows contiguous; none if there is no backward pass
	dMix            torch.Tensor   // of every rank, without "none" [ranks,edges,4], float64
	mean, variance  torch.Tensor   // running statistics [H]
	products        torch.Tensor   // room for those of all ranks
	numbersOfColumn int            // of them, for each column of the batch
}

func (s *Recurrent) newRecurrentWork(p cells.FastPass, freeze bool) *recurrentWork {
	units, edges := s.Options().Units, darts.RecurrentEdges(s.Nodes)
	t := &recurrentWork{Recurrent: s, freeze: freeze, mix: s.Architecture.Mix()}
	for i := range s.Nodes {
		t.ofNode = append(t.ofNode, t.mix.Narrow(0, darts.RecurrentEdges(i), i+1).Narrow(1, 1, 4).Contiguous())
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
	if p.Needs() { // after products: allocated before, they would take the memory of the last pass's products, which then would not fit
		for _, w := range s.At(p.W).Ws {
			t.transposed = append(t.transposed, w.T().Contiguous())
		}
	}
	return t
}

// dAlpha returns the gradient of α [edges,5] from the gradient of the mixture. "none" has only its share of the
// softmax.
func (t *recurrentWork) dAlpha() torch.Tensor {
	dMix := t.dMix.SumDims([]int{0}, false)
	none := torch.Zeros([]int{dMix.Size(0), 1}, dMix.Options())
	d := softmaxBackward(t.mix.ToDtype(torch.Float64), torch.Cat([]torch.Tensor{none, dMix}, 1))
	return d.ToDtype(t.mix.Dtype())
}

// recurrentCell is the search cell of one rank's columns.
type recurrentCell struct {
	*cells.Columns
	*recurrentWork
	ones torch.Tensor   // [1,b]: a product by it sums over columns
	dMix []torch.Tensor // this rank's, of each node [i+1,4]

	// Of each time step; of one step only where no backward pass reads them.
	states   torch.Tensor     // [T,n+1,b,H], after their batch norms
	inverses torch.Tensor     // [T,n+1,H]: 1/√(var + ε)
	products [][]torch.Tensor // of each node [(i+1)·b,2H]: gate, candidate; their gradients after Backward

	// Of one time step.
	dropped   torch.Tensor // states with the mask of products [n+1,b,H]; the states themselves if there is none
	dStates   torch.Tensor // [n+1,b,H], but what comes through products of dropped states
	dProducts torch.Tensor // that [n+1,b,H], before the mask; the zero Tensor if there is none
}

func (t *recurrentWork) newCell(c *cells.Columns) cells.FastCell {
	o, n, units := c.Options.Options, t.Nodes, c.Options.Units
	r := &recurrentCell{Columns: c, recurrentWork: t, ones: torch.Ones([]int{1, c.Own}, o)}
	steps := c.Steps
	if !c.Needs() {
		steps = 1
	}
	r.states = torch.Empty([]int{steps, n + 1, c.Own, units}, o)
	r.inverses = torch.Empty([]int{steps, n + 1, units}, o)
	first, count := c.Share(c.All)
	room := t.recurrentRoom(first, count)
	at := 0
	for range steps {
		var of []torch.Tensor
		for i := range n {
			rows := (i + 1) * c.Own
			of = append(of, room.Narrow(0, at, rows*2*units).View(rows, 2*units))
			at += rows * 2 * units
		}
		r.products = append(r.products, of)
	}
	for i := range n {
		r.dMix = append(r.dMix, t.dMix.Select(0, c.Index).Narrow(0, darts.RecurrentEdges(i), i+1))
	}
	scratch := []int{n + 1, c.Own, units}
	r.dStates = torch.Empty(scratch, o)
	if c.State.Defined() {
		r.dropped, r.dProducts = torch.Empty(scratch, o), torch.Empty(scratch, o)
	}
	return r
}

// recurrentRoom returns the part of products for those columns.
func (t *recurrentWork) recurrentRoom(first, count int) torch.Tensor {
	return t.products.Narrow(0, first*t.numbersOfColumn, count*t.numbersOfColumn)
}

// of returns the states of time step t [n+1,b,H].
func (r *recurrentCell) of(t int) torch.Tensor { return r.states.Select(0, t%r.states.Size(0)) }

// State0 implements cells.FastCell.
func (r *recurrentCell) State0(t int) torch.Tensor { return r.of(t).Select(0, 0) }

// Forward implements cells.FastCell.
func (r *recurrentCell) Forward(t int, out torch.Tensor) {
	states, products := r.of(t), r.products[t%len(r.products)]
	r.complete(t, 0)
	for i, w := range r.Weights.Ws {
		torch.Scoped(func() {
			ch := products[i]
			cells.WriteProduct(ch, r.operand(states, i), w)
			torch.GatedMixture(states.Select(0, i+1), states.Narrow(0, 0, i+1), r.byState(ch, i), r.ofNode[i])
			r.complete(t, i+1)
		})
	}
	out.Copy_(states.Narrow(0, 1, r.Nodes).MeanDims([]int{0}, false))
}

// operand returns the states before node i, dropped, as rows [(i+1)·b,H].
func (r *recurrentCell) operand(states torch.Tensor, i int) torch.Tensor {
	if r.dropped.Defined() {
		states = r.dropped
	}
	return states.Narrow(0, 0, i+1).View((i+1)*r.Own, r.Options.Units)
}

// byState views products [(i+1)·b,2H] as [i+1,b,2H].
func (r *recurrentCell) byState(ch torch.Tensor, i int) torch.Tensor {
	return ch.View(i+1, r.Own, 2*r.Options.Units)
}

// complete applies the batch norm to state j of step t, and the mask for the products.
func (r *recurrentCell) complete(t, j int) {
	x := r.of(t).Select(0, j)
	if r.Training {
		r.normalise(x, r.inverses.Select(0, t%r.inverses.Size(0)).Select(0, j))
	} else {
		x.Sub_(r.mean).Mul_(r.variance.AddScalar(torch.BatchNormEps).Rsqrt_())
	}
	if r.dropped.Defined() {
		r.dropped.Select(0, j).Copy_(x.Mul(r.State))
	}
}

// sum returns the sum of x [b,H] over the columns of all ranks: [1,H].
func (r *recurrentCell) sum(x torch.Tensor) torch.Tensor { return r.AllReduce(r.ones.Mm(x)) }

// normalise replaces x [b,H] by its batch norm (x − μ)∘inv, writes inv = 1/√(var + ε) [H], and moves the running
// statistics.
func (r *recurrentCell) normalise(x, inv torch.Tensor) {
	torch.Scoped(func() {
		all := float64(r.All)
		mean := r.sum(x).DivScalar(all)
		x.Sub_(mean)
		variance := r.sum(x.Square()).DivScalar(all)
		inv.Copy_(variance.AddScalar(torch.BatchNormEps).Rsqrt_().View(-1))
		x.Mul_(inv)
		if r.Index == 0 && !r.freeze {
			r.mean.Lerp_(mean.View(-1), darts.StatisticsMomentum)
			r.variance.Lerp_(variance.MulScalar_(all/(all-1)).View(-1), darts.StatisticsMomentum)
		}
	})
}

// backwardNormalise replaces d [b,H], the gradient of y = normalise(x), by the gradient of x, in place:
//
//	inv∘(d − Σd/B − y∘Σ(d∘y)/B)
func (r *recurrentCell) backwardNormalise(d, y, inv torch.Tensor) {
	torch.Scoped(func() {
		own := torch.Empty([]int{2, y.Size(1)}, y.Options())
		torch.MmOut(own.Narrow(0, 0, 1), r.ones, d)
		torch.MmOut(own.Narrow(0, 1, 1), r.ones, d.Mul(y))
		means := r.AllReduce(own).DivScalar(float64(r.All))
		d.Sub_(means.Select(0, 0)).Addcmul_(y, means.Select(0, 1), -1).Mul_(inv)
	})
}

// Backward implements cells.FastCell.
func (r *recurrentCell) Backward(t int, d torch.Tensor) torch.Tensor {
	states, products := r.of(t), r.products[t]
	through := r.dStates // where products add to
	if r.dropped.Defined() {
		r.dropped.Copy_(states.Mul(r.State))
		through = r.dProducts.Zero_()
	}
	r.dStates.Select(0, 0).Zero_()
	r.dStates.Narrow(0, 1, r.Nodes).Copy_(d.DivScalar(float64(r.Nodes)))
	for i := r.Nodes - 1; i >= 0; i-- {
		torch.Scoped(func() {
			ch := products[i]
			torch.GatedMixtureBackward(r.backwardComplete(t, i+1), states.Narrow(0, 0, i+1), r.byState(ch, i), r.ofNode[i],
				r.dStates.Narrow(0, 0, i+1), r.dMix[i])
			cells.AddProduct(through.Narrow(0, 0, i+1).View(-1, r.Options.Units), ch, r.transposed[i])
			if r.Gradient.Defined() {
				torch.Gram(r.DWeights.Ws[i], true, r.operand(states, i), ch)
			}
		})
	}
	return r.backwardComplete(t, 0)
}

// backwardComplete returns the gradient [b,H] of state j of step t before its batch norm. All later nodes have added
// to the state's gradient by then.
func (r *recurrentCell) backwardComplete(t, j int) torch.Tensor {
	d := r.dStates.Select(0, j)
	if r.dropped.Defined() {
		d.Addcmul_(r.dProducts.Select(0, j), r.State, 1)
	}
	r.backwardNormalise(d, r.of(t).Select(0, j), r.inverses.Select(0, t).Select(0, j))
	return d
}

// Finish implements cells.FastCell. Nothing is left to do.
func (r *recurrentCell) Finish() {}
