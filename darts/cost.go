package darts

import (
	"fmt"

	"godarts/torch/nn"
)

// Cost counts the supernet's weights, multiply-adds and kept activations for images of size pixels a side, as
// cells.Network.Cost does. In this form training also keeps every operation's result, because its product with a
// weight of the mixture is differentiated.
func (s *Plain) Cost(inputChannels, size int) nn.Cost {
	var t nn.Trace
	s0 := t.Layer("stem", "", s.stem, &nn.Value{Channels: inputChannels, Height: size, Width: size})
	s1 := s0
	for layer, cell := range s.Cells {
		s0, s1 = s1, cell.trace(fmt.Sprintf("cells.%d", layer), s0, s1, &t)
	}
	t.Layer("classifier", "", s.Classifier, &nn.Value{Channels: s1.Channels, Height: 1, Width: 1})
	return t.Cost(s.Weights)
}

// trace follows the sizes of one image through the cell, as forward does.
func (c *SearchCell) trace(name string, s0, s1 *nn.Value, t *nn.Trace) *nn.Value {
	states := []*nn.Value{
		t.Layer(name+".preprocess0", "", c.preprocess0, s0),
		t.Layer(name+".preprocess1", "", c.preprocess1, s1),
	}
	for i := range c.Nodes {
		var node *nn.Value
		for j, state := range states {
			e := FirstEdge(i) + j
			node = t.Layer(fmt.Sprintf("%s._ops.%d", name, e), "", c.edges[e], state)
		}
		states = append(states, t.Sum(node, node))
	}
	return t.Cat(states[2:])
}

// Trace implements nn.Layer, which Cost needs.
func (edge mixedOp) Trace(x *nn.Value, t *nn.Trace) *nn.Value {
	active := x
	if edge.partial > 1 {
		active = &nn.Value{Channels: x.Channels / edge.partial, Height: x.Height, Width: x.Width}
	}
	var y *nn.Value
	for _, op := range edge.ops {
		y = op.Trace(active, t)
		t.Keep(y)
	}
	if edge.partial > 1 {
		y = t.Cat([]*nn.Value{y, {Channels: x.Channels - active.Channels, Height: y.Height, Width: y.Width}})
	}
	return t.Sum(y, y)
}
