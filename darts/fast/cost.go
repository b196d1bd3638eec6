package fast

import (
	"fmt"

	"godarts/darts"
	"godarts/torch/nn"
)

// Cost counts the weights, multiply-adds and kept activations of this form for images of size pixels a side. Where
// FallbackReason says that the plain form runs it returns Plain's cost.
//
// Multiply-adds are those of an image's convolutions and matrix products, as forward runs them. They include the Gram
// matrices of batch norms, sums that are products with ones, and average poolings, which are convolutions. What
// depends only on weights is computed once for a batch and not counted.
//
// Kept activations are the tensors that forward leaves for backward and that grow with the batch. What the edges out
// of a state share has its own layer, such as "cells.0.states.1", and so has what a node keeps, such as
// "cells.0.nodes.1".
func (s *Supernet) Cost(inputChannels, size int) nn.Cost {
	if s.FallbackReason(size, size) != "" {
		return s.Plain.Cost(inputChannels, size)
	}
	var t nn.Trace
	s0 := t.Layer("stem", "", part(s.traceStem), &nn.Value{Channels: inputChannels, Height: size, Width: size})
	s1 := s0
	for i, cell := range s.cells {
		s0, s1 = s1, cell.trace(fmt.Sprintf("cells.%d", i), i == len(s.cells)-1, s0, s1, &t)
	}
	t.Layer("classifier", "", s.Classifier, &nn.Value{Channels: s1.Channels, Height: 1, Width: 1})
	return t.Cost(s.Weights)
}

// part follows the grid of one image through a part of forward and returns the grid of its result.
type part func(x grid, t *nn.Trace) grid

// Trace implements nn.Traced.
func (p part) Trace(x *nn.Value, t *nn.Trace) *nn.Value {
	y := p(grid{1, x.Channels, x.Height, x.Width}, t)
	return &nn.Value{Channels: y.c, Height: y.h, Width: y.w}
}

// keep counts a tensor of numel numbers for each image.
func keep(t *nn.Trace, numel int) { t.Keep(&nn.Value{Channels: numel, Height: 1, Width: 1}) }

// moments counts the mean and the Gram matrix of the columns of pixels.
func moments(t *nn.Trace, g grid) { t.MultiplyAdds += g.m()*g.c + g.m()*g.c*g.c }

// traceStem follows forwardStem.
func (s *Supernet) traceStem(x grid, t *nn.Trace) grid {
	y := grid{1, s.layout.stemScale.shape[0], x.h, x.w}
	keep(t, x.m()*x.c)
	keep(t, y.m()*y.c) // normalised
	keep(t, y.m()*y.c) // scaled, shifted, and what a ReLU leaves of that
	t.MultiplyAdds += y.m() * y.c * x.c * 9
	moments(t, y)
	return y
}

// trace follows forwardCell.
func (c *fastCell) trace(name string, isLast bool, s0, s1 *nn.Value, t *nn.Trace) *nn.Value {
	var states []*nn.Value
	add := func(x *nn.Value) {
		if j := len(states); j < len(c.states) {
			t.Layer(fmt.Sprintf("%s.states.%d", name, j), "", part(c.states[j].trace), x)
		}
		states = append(states, x)
	}
	for which, from := range []*nn.Value{s0, s1} {
		add(t.Layer(fmt.Sprintf("%s.preprocess%d", name, which), "", c.inputCost(which), from))
	}
	for i := range c.nodes {
		var y *nn.Value
		for j, x := range states {
			y = t.Layer(fmt.Sprintf("%s._ops.%d", name, darts.FirstEdge(i)+j), "", c.edgeCost(i, j), x)
		}
		add(t.Layer(fmt.Sprintf("%s.nodes.%d", name, i), "", c.nodeCost(i, isLast), y))
	}
	return t.Cat(states[2:])
}

// inputCost follows forwardInput.
func (c *fastCell) inputCost(which int) part {
	return func(x grid, t *nn.Trace) grid {
		y := grid{1, c.c, x.h, x.w}
		if c.reducedBefore && which == 0 {
			y = y.halved()
			keep(t, 2*y.m()*x.c) // even and odd pixels
		}
		keep(t, y.m()*y.c)
		t.MultiplyAdds += y.m() * y.c * x.c
		moments(t, y)
		return y
	}
}

// trace follows prepare.
func (s *fastState) trace(x grid, t *nn.Trace) grid {
	out := x
	if s.stride == 2 {
		out = x.halved()
	}
	for which, on := range s.pools {
		if !on {
			continue
		}
		keep(t, out.m()*out.c)
		moments(t, out)
		if which == maxPool {
			t.IndexBytes += s.indexBytes * out.m() * out.c
		} else {
			t.MultiplyAdds += out.m() * out.c * 9
		}
	}
	if s.reduction {
		both := grid{1, 2 * out.c, out.h, out.w}
		keep(t, both.m()*both.c)
		moments(t, both)
	}
	return out
}

// edgeCost follows what forwardNode computes for the edge from state j to node i.
func (c *fastCell) edgeCost(i, j int) part {
	return func(x grid, t *nn.Trace) grid {
		out := x
		if c.kind.Stride(j) == 2 {
			out = x.halved()
		}
		numel, product := out.m()*out.c, out.m()*out.c*out.c
		for _, g := range c.nodes[i].groups {
			// A depthwise convolution, its Gram matrix, and the product with a 1x1 convolution.
			half := numel*g.kernel.size*g.kernel.size + 2*product
			for range count(g.states, j) {
				keep(t, numel)
				t.MultiplyAdds += half
				if g.separable { // what lies between its halves is not kept
					keep(t, numel)
					t.MultiplyAdds += half
				}
			}
		}
		t.MultiplyAdds += count(c.nodes[i].reductions, j) * 2 * product // by two blocks, zeros included
		return out
	}
}

// count is how often xs has x.
func count(xs []int, x int) (n int) {
	for _, other := range xs {
		if other == x {
			n++
		}
	}
	return n
}

// nodeCost follows what forwardCell keeps of node i.
func (c *fastCell) nodeCost(i int, inLastCell bool) part {
	return func(x grid, t *nn.Trace) grid {
		if inLastCell || i < len(c.nodes)-1 {
			keep(t, x.m()*x.c)
		}
		if !inLastCell {
			keep(t, x.m()*x.c) // what a ReLU leaves of it, for the next cells
		}
		return x
	}
}
