package cells

import (
	"fmt"

	"godarts/torch/nn"
)

// Cost counts weights, multiply-adds and kept activations of the network from the sizes of its layers.
//
// Multiply-adds are counted for convolutions and linear layers; a product and its sum count as one. Batch norms,
// ReLUs, poolings and sums count nothing. With 48 channels and 14 layers at 224x224 DARTS_V2 has 529.9 million. arXiv
// 1806.09055 says 574 and does not say how it counts; PyTorch's counter gives the same 529.9 for the same network,
// and others who counted the authors' network came to between 523 and 545 (github.com/quark0/darts, issue 46). The
// published 564 million of NASNet-A and 555 of AmoebaNet-A belong to networks with other stems, channels and last
// layers; as cells of this network they have 604.0 and 526.7.
//
// Kept activations are the tensors that the backward pass reads: the input of convolutions, batch norms and average
// poolings, the result of ReLUs, the indices of max poolings, but of a separable convolution only images and the input
// of its batch norms. For DARTS_V2 at those sizes they take 29.2 MB an image in float32, where PyTorch keeps 54.3.
// Weights, gradients, the optimizer and temporary tensors are not included.
func (n *Network) Cost() nn.Cost {
	var t nn.Trace
	s0 := t.Layer(n.stemName(0), "", n.stems[0], &nn.Value{Channels: n.o.InputChannels, Height: n.o.Size, Width: n.o.Size})
	s1 := s0
	if n.o.ImageNet {
		s1 = t.Layer(n.stemName(1), "", n.stems[1], s0)
	}
	for layer, cell := range n.cells {
		s0, s1 = s1, cell.trace(fmt.Sprintf("cells.%d", layer), s0, s1, &t)
		if layer == auxiliaryLayer(len(n.cells)) && n.auxiliary != nil {
			features := t.Layer("auxiliary_head.features", "", n.auxiliary.features, s1)
			t.Layer("auxiliary_head.classifier", "", n.auxiliary.classifier, features)
		}
	}
	t.Layer("classifier", "", n.classifier, n.pool.Trace(s1, &t))
	return t.Cost(n.weights)
}

// stemName returns the name of a stem in state dicts.
func (n *Network) stemName(i int) string {
	if n.o.ImageNet {
		return fmt.Sprintf("stem%d", i)
	}
	return "stem"
}

// trace follows the sizes of one image through the cell, as forward does.
func (c *networkCell) trace(name string, s0, s1 *nn.Value, t *nn.Trace) *nn.Value {
	states := []*nn.Value{
		t.Layer(name+".preprocess0", "", c.preprocess0, s0),
		t.Layer(name+".preprocess1", "", c.preprocess1, s1),
	}
	edge := func(i int) *nn.Value {
		e := c.edges[i]
		return t.Layer(fmt.Sprintf("%s._ops.%d", name, i), string(e.name), e.op, states[e.from])
	}
	for i := 0; i < len(c.edges); i += 2 {
		states = append(states, t.Sum(edge(i), edge(i+1)))
	}
	var joined []*nn.Value
	for _, state := range c.concat {
		joined = append(joined, states[state])
	}
	return t.Cat(joined)
}
