// Package nn holds what networks are built from: layers whose weights carry
// PyTorch's dotted names, draw their first values in PyTorch's order, and lie
// together in one flat tensor.
package nn

import (
	"math/rand/v2"

	"godarts/torch"
)

// Batch is the input of a network.
type Batch struct {
	X torch.Tensor // images [N,C,H,W], or tokens [T,B] int64
	Y torch.Tensor // targets int64: [N], or [T·B], time by time

	// Of recurrent networks: the state before the first token [1,B,H], the zero
	// Tensor for zeros.
	Hidden torch.Tensor
	// Masks gives the generator of a training pass's dropout masks. Each pass calls
	// it once; it may be nil where nothing is dropped.
	Masks func() *rand.Rand
}

// SameMasks is b with one draw of masks for all of its passes. It takes two
// numbers from b's generator.
func (b Batch) SameMasks() Batch {
	if b.Masks == nil {
		return b
	}
	r := b.Masks()
	first, second := r.Uint64(), r.Uint64()
	b.Masks = func() *rand.Rand { return rand.New(rand.NewPCG(first, second)) }
	return b
}

// Output is what a network makes of a batch.
type Output struct {
	Loss    torch.Tensor // no dimensions
	Logits  torch.Tensor // [N,classes]; [T·B,tokens] of recurrent networks, where they are computed as a whole
	Hidden  torch.Tensor // of recurrent networks: the state after the last token [1,B,H], detached
	Penalty torch.Tensor // of recurrent networks in training: what regularisation adds to Loss, no dimensions
}

// Module is any network.
type Module interface {
	// StateDict names parameters and buffers as PyTorch would. The tensors are
	// views: they change with the network.
	StateDict() torch.StateDict
	// LoadStateDict overwrites parameters and buffers. It returns an error that
	// names the first entry which is missing, unknown or of another shape, and
	// then has changed nothing.
	LoadStateDict(torch.StateDict) error
}

// Mode says how a forward pass runs.
type Mode struct {
	Training         bool    // batch statistics instead of the running ones; dropout and drop-path
	FreezeStatistics bool    // in training: leave the running statistics as they are
	DropPath         float64 // probability of a path to be dropped in training
}

// Layer maps images to images, [N,C,H,W] to [N,C',H',W'].
type Layer interface {
	Forward(x torch.Tensor, m Mode) torch.Tensor
	// Trace follows the sizes of one image through the layer and adds to t what a
	// training pass takes.
	Trace(x *Value, t *Trace) *Value
}

// Sequential applies layers one after the other.
type Sequential []Layer

// Forward implements Layer. An affine batch norm in training, and each in evaluation without
// a graph, is computed together with the 1x1 convolution before it and the ReLU behind it.
// The ReLU behind another batch norm works in place: nobody else sees the batch norm's
// result, nor does its backward pass look at it.
func (s Sequential) Forward(x torch.Tensor, m Mode) torch.Tensor {
	return s.Scaled(x, torch.Tensor{}, m)
}

// Scaled is Forward, with each image's result times its number of factors [N], which have
// no gradient; the zero Tensor for none.
func (s Sequential) Scaled(x, factors torch.Tensor, m Mode) torch.Tensor {
	own := false // x is a batch norm's result, which nobody else sees
	for i := 0; i < len(s); i++ {
		if own && isReLU(s[i]) {
			x, own = x.ReLU_(), false
			continue
		}
		product, norm := s.fused(i, m)
		if product == nil {
			_, own = s[i].(*BatchNorm2d)
			x = s[i].Forward(x, m)
			continue
		}
		i++
		relu := i+1 < len(s) && isReLU(s[i+1])
		if relu {
			i++
		}
		var last torch.Tensor
		if m.Training && i+1 == len(s) {
			last, factors = factors, last
		}
		x, own = product.normalised(x, norm, relu, last, m), false
	}
	if factors.Defined() {
		x = x.Mul(factors.View(-1, 1, 1, 1))
	}
	return x
}

// fused are layers i and i+1 if they are computed together, else nil.
func (s Sequential) fused(i int, m Mode) (*Pointwise, *BatchNorm2d) {
	if i+1 == len(s) || !m.Training && torch.GradEnabled() {
		return nil, nil
	}
	product, isProduct := s[i].(*Pointwise)
	norm, isNorm := s[i+1].(*BatchNorm2d)
	if !isProduct || !isNorm || m.Training && norm.weight == nil {
		return nil, nil
	}
	return product, norm
}

func isReLU(l Layer) bool {
	_, ok := l.(ReLU)
	return ok
}

// Trace implements Layer.
func (s Sequential) Trace(x *Value, t *Trace) *Value {
	for _, l := range s {
		x = l.Trace(x, t)
	}
	return x
}

// ReLU is max(x, 0). In place it changes its input too.
type ReLU struct{ InPlace bool }

// Forward implements Layer.
func (r ReLU) Forward(x torch.Tensor, _ Mode) torch.Tensor {
	if r.InPlace {
		return x.ReLU_()
	}
	return x.ReLU()
}

// Trace implements Layer. The backward pass looks at the result.
func (r ReLU) Trace(x *Value, t *Trace) *Value {
	if !r.InPlace {
		x = &Value{Channels: x.Channels, Height: x.Height, Width: x.Width}
	}
	t.Keep(x)
	return x
}
