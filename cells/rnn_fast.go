package cells

import (
	"godarts/cells/genotype"
	"godarts/torch"
)

// derivedCell is a derived cell of one rank's columns. Each node has one state before it and mixes only one
// activation.
type derivedCell struct {
	*Columns
	cell    genotype.Cell
	mix     []torch.Tensor // of each node [1,4]
	states  torch.Tensor   // [nodes+1,T,b,H]
	ch      torch.Tensor   // products [nodes,T,b,2H]: gate, candidate; their gradients after Backward
	dStates torch.Tensor   // [nodes+1,b,H], of one time step
	none    torch.Tensor   // room for the gradient of mix, which is not needed
}

func (n *RecurrentNetwork) newDerivedCell(c *Columns) FastCell {
	o, units, nodes := c.Options.Options, c.Options.Units, len(n.cell.Edges)
	d := &derivedCell{Columns: c, cell: n.cell}
	for _, e := range n.cell.Edges {
		d.mix = append(d.mix, oneActivation(e.Op, o))
	}
	steps := c.Steps
	if !c.Needs() {
		steps = 1 // nothing is looked at again
	}
	d.states = torch.Empty([]int{nodes + 1, steps, c.Own, units}, o)
	d.ch = torch.Empty([]int{nodes, steps, c.Own, 2 * units}, o)
	d.dStates = torch.Empty([]int{nodes + 1, c.Own, units}, o)
	d.none = torch.Zeros([]int{1, 4}, torch.Options{Dtype: torch.Float64})
	return d
}

// state returns state s of time step t [b,H].
func (d *derivedCell) state(s, t int) torch.Tensor { return d.at(d.states, s, t) }

// products returns the products of node i in time step t [b,2H].
func (d *derivedCell) products(i, t int) torch.Tensor { return d.at(d.ch, i, t) }

func (d *derivedCell) at(of torch.Tensor, i, t int) torch.Tensor {
	return of.Select(0, i).Select(0, t%of.Size(1))
}

// State0 implements FastCell.
func (d *derivedCell) State0(t int) torch.Tensor { return d.state(0, t) }

// Forward implements FastCell.
func (d *derivedCell) Forward(t int, out torch.Tensor) {
	for i, e := range d.cell.Edges {
		s, ch := d.state(e.From, t), d.products(i, t)
		WriteProduct(ch, masked(s, d.State), d.Weights.Ws[i])
		torch.GatedMixture(d.state(i+1, t), s.Unsqueeze(0), ch.Unsqueeze(0), d.mix[i])
	}
	out.Zero_()
	for _, s := range d.cell.Concat {
		out.AddScaled_(d.state(s, t), 1/float64(len(d.cell.Concat)))
	}
}

// Backward implements FastCell.
func (d *derivedCell) Backward(t int, dOut torch.Tensor) torch.Tensor {
	d.dStates.Zero_()
	for _, s := range d.cell.Concat {
		d.dStates.Select(0, s).AddScaled_(dOut, 1/float64(len(d.cell.Concat)))
	}
	for i := len(d.cell.Edges) - 1; i >= 0; i-- {
		from := d.cell.Edges[i].From
		ch, dFrom := d.products(i, t), d.dStates.Select(0, from)
		torch.GatedMixtureBackward(d.dStates.Select(0, i+1), d.state(from, t).Unsqueeze(0), ch.Unsqueeze(0), d.mix[i],
			dFrom.Unsqueeze(0), d.none)
		d.addBack(dFrom, ch, d.Weights.Ws[i])
	}
	return d.dStates.Select(0, 0)
}

// Finish implements FastCell. The gradient of a node's weight is one product over all time steps.
func (d *derivedCell) Finish() {
	if !d.Gradient.Defined() {
		return
	}
	for i, e := range d.cell.Edges {
		torch.Scoped(func() {
			s := masked(d.states.Select(0, e.From), d.State).View(-1, d.Options.Units)
			torch.Gram(d.DWeights.Ws[i], true, s, d.ch.Select(0, i).View(-1, 2*d.Options.Units))
		})
	}
}
