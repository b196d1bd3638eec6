package nn

import (
	"strings"

	"godarts/torch"
)

// Value has the sizes of one image as it passes between layers.
type Value struct {
	Channels, Height, Width int

	kept bool // for the backward pass
}

// Numel is the number of elements.
func (v *Value) Numel() int { return v.Channels * v.Height * v.Width }

// Trace adds up what one image costs, from the sizes of layers and of Values. It computes no tensor.
type Trace struct {
	// MultiplyAdds are the products of convolutions and linear layers, each with
	// the sum it goes into. Batch norms, ReLUs, poolings and sums count nothing.
	MultiplyAdds int
	// Kept is the number of elements that training keeps until the backward pass,
	// a tensor that several operators keep counted once. IndexBytes are what the
	// places of max poolings take besides.
	Kept, IndexBytes int

	layers []LayerCost
}

// Traced is a Layer, or a part of a network with other inputs than a Layer.
type Traced interface {
	Trace(x *Value, t *Trace) *Value
}

// Layer traces l. It notes the cost under l's name and, if there is one, the name of its operation.
func (t *Trace) Layer(name, op string, l Traced, x *Value) *Value {
	before := *t
	y := l.Trace(x, t)
	t.layers = append(t.layers, LayerCost{
		Name: name, Op: op, Channels: y.Channels, Height: y.Height, Width: y.Width,
		MultiplyAdds: t.MultiplyAdds - before.MultiplyAdds,
		kept:         t.Kept - before.Kept, indexBytes: t.IndexBytes - before.IndexBytes,
	})
	return y
}

// Sum is a + b, of one size.
func (t *Trace) Sum(a, b *Value) *Value {
	return &Value{Channels: a.Channels, Height: a.Height, Width: b.Width}
}

// Cat joins channels.
func (t *Trace) Cat(parts []*Value) *Value {
	if len(parts) == 0 {
		torch.Misuse("nn.Trace", "nothing to join")
	}
	y := &Value{Height: parts[0].Height, Width: parts[0].Width}
	for _, p := range parts {
		y.Channels += p.Channels
	}
	return y
}

// Keep counts v among what is kept, unless it is already.
func (t *Trace) Keep(v *Value) {
	if !v.kept {
		v.kept = true
		t.Kept += v.Numel()
	}
}

// Cost is what a network takes in weights, products and memory.
type Cost struct {
	Parameters   int // weights
	MultiplyAdds int // of one image, see Trace
	KeptBytes    int // that training keeps of one image for the backward pass
	// Auxiliary is the part in layers whose name begins with "auxiliary", which
	// evaluation does not use.
	Auxiliary struct{ Parameters, MultiplyAdds, KeptBytes int }
	Layers    []LayerCost
}

// LayerCost is what one layer takes.
type LayerCost struct {
	Name                     string // in state dicts
	Op                       string // its operation, or empty
	Channels, Height, Width  int    // of its result
	Parameters, MultiplyAdds int
	KeptBytes                int

	kept, indexBytes int
}

// Cost adds up the layers of t, with the weights below their names in w. Elements
// have the type of w.
func (t *Trace) Cost(w *Weights) (c Cost) {
	for _, l := range t.layers {
		l.Parameters = w.CountBelow(l.Name)
		l.KeptBytes = l.kept*w.W.Dtype().Size() + l.indexBytes
		c.Layers = append(c.Layers, l)
		c.Parameters += l.Parameters
		c.MultiplyAdds += l.MultiplyAdds
		c.KeptBytes += l.KeptBytes
		if strings.HasPrefix(l.Name, "auxiliary") {
			c.Auxiliary.Parameters += l.Parameters
			c.Auxiliary.MultiplyAdds += l.MultiplyAdds
			c.Auxiliary.KeptBytes += l.KeptBytes
		}
	}
	return c
}
