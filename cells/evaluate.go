package cells

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// imagesAtOnce returns how many of a rank's own images pass through a network together: on a CPU so few that what a cell
// computes stays in a core's cache, on a GPU all.
func imagesAtOnce(d torch.Device, own int) int {
	if d.GPUForm() {
		return own
	}
	return min(own, 2)
}

// fold keeps what evaluation needs of the cell's weights.
func (c *networkCell) fold() {
	layers := []nn.Layer{c.preprocess0, c.preprocess1}
	for _, e := range c.edges {
		layers = append(layers, e.op)
	}
	for _, l := range layers {
		if f, ok := l.(nn.Folder); ok {
			f.Fold()
		}
	}
}

// evaluate is forward in evaluation without a graph. Each node is written to its channels of the cell's output.
func (c *networkCell) evaluate(s0, s1 torch.Tensor) (out torch.Tensor) {
	torch.Scoped(func() {
		states := []torch.Tensor{c.preprocess0.Forward(s0, nn.Mode{}), c.preprocess1.Forward(s1, nn.Mode{})}
		n, h, w := states[1].Size(0), states[1].Size(2), states[1].Size(3)
		h, w = (h+c.stride-1)/c.stride, (w+c.stride-1)/c.stride
		room := func(channels int) torch.Tensor {
			return torch.Empty([]int{n, h, w, channels}, states[1].Options()).Permute(0, 3, 1, 2)
		}
		joined := 0
		for _, state := range c.concat {
			joined += c.channels[state]
		}
		out = torch.Keep(room(joined))
		places := make([]torch.Tensor, len(c.channels))
		first := 0
		for _, state := range c.concat {
			places[state] = out.Narrow(1, first, c.channels[state])
			if first += c.channels[state]; state < len(states) {
				places[state].Copy_(states[state])
			}
		}
		for i := 0; i < len(c.edges); i += 2 {
			node := places[len(states)]
			if !node.Defined() {
				node = room(c.channels[len(states)])
			}
			torch.Scoped(func() { place(node, states, c.edges[i], c.edges[i+1]) })
			states = append(states, node)
		}
	})
	return out
}

// place writes the sum of two edges to out.
func place(out torch.Tensor, states []torch.Tensor, a, b networkEdge) {
	to, ok := a.op.(nn.Placer)
	if !ok {
		a, b = b, a
		to, ok = a.op.(nn.Placer)
	}
	if !ok {
		out.Copy_(a.evaluate(states).Add(b.evaluate(states)))
		return
	}
	add := out
	if other, both := b.op.(nn.Placer); both {
		other.Place(states[b.from], out, torch.Tensor{})
	} else {
		add = b.evaluate(states)
	}
	to.Place(states[a.from], out, add)
}

// evaluate computes the operation in evaluation. Other operations than a Placer and the identity get images that lie
// together.
func (e networkEdge) evaluate(states []torch.Tensor) torch.Tensor {
	x := states[e.from]
	if _, identity := e.op.(Identity); identity {
		return x
	}
	return e.op.Forward(x.ChannelsLast(), nn.Mode{})
}
