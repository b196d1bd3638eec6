package darts

import (
	"godarts/cells"
	"godarts/torch"
)

// recurrentCell is the search cell of one rank's columns.
type recurrentCell struct {
	*cells.Columns
	*recurrentWork
	ones torch.Tensor   // [1,b]: a product by it sums over columns
	dMix []torch.Tensor // this rank's, of each node [i+1,4]

	// Of each time step. What nothing looks at again has room for one alone.
	states   torch.Tensor     // [T,n+1,b,H], behind their batch norms
	inverses torch.Tensor     // [T,n+1,H]: 1/√(var + ε)
	products [][]torch.Tensor // of each node [(i+1)·b,2H]: gate, candidate; their gradients after Backward

	// Of one time step.
	dropped   torch.Tensor // states with the mask of products [n+1,b,H]; the states themselves if there is none
	dStates   torch.Tensor // [n+1,b,H], but what comes through products of dropped states
	dProducts torch.Tensor // that [n+1,b,H], before the mask; the zero Tensor if there is none
}

func (t *recurrentWork) newCell(c *cells.Columns) cells.FastCell {
	o, n, units := c.Options.Options, t.nodes, c.Options.Units
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
		r.dMix = append(r.dMix, t.dMix.Select(0, c.Index).Narrow(0, RecurrentEdges(i), i+1))
	}
	scratch := []int{n + 1, c.Own, units}
	r.dStates = torch.Empty(scratch, o)
	if c.State.Defined() {
		r.dropped, r.dProducts = torch.Empty(scratch, o), torch.Empty(scratch, o)
	}
	return r
}

// recurrentRoom is the part of products that belongs to those columns.
func (t *recurrentWork) recurrentRoom(first, count int) torch.Tensor {
	return t.products.Narrow(0, first*t.numbersOfColumn, count*t.numbersOfColumn)
}

// of are the states of time step t [n+1,b,H].
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
	out.Copy_(states.Narrow(0, 1, r.nodes).MeanDims([]int{0}, false))
}

// operand are the states before node i, dropped, as rows [(i+1)·b,H].
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

// complete takes state j of step t through its batch norm and drops it for the products.
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

// sum is the sum over the columns of all ranks, of x [b,H]: [1,H].
func (r *recurrentCell) sum(x torch.Tensor) torch.Tensor { return r.AllReduce(r.ones.Mm(x)) }

// normalise makes x [b,H] its batch norm (x − μ)∘inv in place, writes inv = 1/√(var + ε)
// [H], and moves the running statistics.
func (r *recurrentCell) normalise(x, inv torch.Tensor) {
	torch.Scoped(func() {
		all := float64(r.All)
		mean := r.sum(x).DivScalar(all)
		x.Sub_(mean)
		variance := r.sum(x.Square()).DivScalar(all)
		inv.Copy_(variance.AddScalar(torch.BatchNormEps).Rsqrt_().View(-1))
		x.Mul_(inv)
		if r.Index == 0 && !r.freeze {
			r.mean.Lerp_(mean.View(-1), statisticsMomentum)
			r.variance.Lerp_(variance.MulScalar_(all/(all-1)).View(-1), statisticsMomentum)
		}
	})
}

// backwardNormalise makes d [b,H], the gradient of y = normalise(x), that of x, in place:
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
	r.dStates.Narrow(0, 1, r.nodes).Copy_(d.DivScalar(float64(r.nodes)))
	for i := r.nodes - 1; i >= 0; i-- {
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

// backwardComplete gives the gradient [b,H] of state j of step t before its batch norm,
// when all nodes behind it have added to that of the state.
func (r *recurrentCell) backwardComplete(t, j int) torch.Tensor {
	d := r.dStates.Select(0, j)
	if r.dropped.Defined() {
		d.Addcmul_(r.dProducts.Select(0, j), r.State, 1)
	}
	r.backwardNormalise(d, r.of(t).Select(0, j), r.inverses.Select(0, t).Select(0, j))
	return d
}

// Finish implements cells.FastCell: all is done.
func (r *recurrentCell) Finish() {}
