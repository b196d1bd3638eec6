package nn

// Value is what passes between layers, of one image: its sizes alone.
type Value struct {
	Channels, Height, Width int

	kept bool // for the backward pass
}

// Numel is the number of elements.
func (v *Value) Numel() int { return v.Channels * v.Height * v.Width }

// Trace adds up what one image costs, from the sizes of layers and of what
// passes between them: nothing is computed.
type Trace struct {
	// MultiplyAdds are the products of convolutions and linear layers, each with
	// the sum it goes into. Batch norms, ReLUs, poolings and sums count nothing.
	MultiplyAdds int
	// Kept is the number of elements that training keeps until the backward pass,
	// a tensor that several operators keep counted once. Indices are those of max
	// poolings, 8 bytes each.
	Kept, Indices int
}

// Keep counts v among what is kept, unless it is already.
func (t *Trace) Keep(v *Value) {
	if !v.kept {
		v.kept = true
		t.Kept += v.Numel()
	}
}

// Bytes is the memory of what is kept, with elements of that size in bytes.
func (t *Trace) Bytes(element int) int { return t.Kept*element + t.Indices*8 }
