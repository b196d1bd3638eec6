package quantise

import "godarts/torch"

// LastQuantum returns the most that a logit changes when each element of the classifier's input changes by one
// integer.
func (n *Network) LastQuantum() (most float64) {
	torch.Scoped(func() {
		last := n.graph.Nodes[len(n.graph.Nodes)-1]
		most = n.layers[last.Inputs[1]].weight.Detach().Abs().SumDims([]int{1}, false).Amax(nil, false).Item() * float64(n.readScales()[n.groups[last.Inputs[0]]].Scale)
	})
	return most
}

// FloatLogits is Logits in floating-point numbers.
func (n *Network) FloatLogits(x torch.Tensor) torch.Tensor { return n.shared(x, nil) }
