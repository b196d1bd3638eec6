// Package nn holds the layers of networks. Their weights have PyTorch's dotted names, draw their first values in
// PyTorch's order, and lie together in one flat tensor.
package nn

import "godarts/torch"

// Batch is the input of a network.
type Batch struct {
	X torch.Tensor // images [N,C,H,W], or tokens [T,B] int64
	Y torch.Tensor // targets int64: [N], or [T·B], time by time

	// Of recurrent networks: the state before the first token [1,B,H], the zero
	// Tensor for zeros.
	Hidden torch.Tensor
	// Masks gives the dropout masks of the next training pass, drawn ahead of it: a row of
	// cells.LanguageOptions.DrawMasks. Each pass calls it once; it may be nil where nothing is dropped.
	Masks func() torch.Tensor
}

// SameMasks returns b with the same masks for all of its passes: those that were next.
func (b Batch) SameMasks() Batch {
	if b.Masks == nil {
		return b
	}
	row := b.Masks()
	b.Masks = func() torch.Tensor { return row }
	return b
}

// Output is the result of a network for a batch.
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
	// LoadStateDict overwrites parameters and buffers. Its error names the first
	// entry that is missing, unknown or of another shape; nothing has changed then.
	LoadStateDict(torch.StateDict) error
}

// Mode says how a forward pass runs.
type Mode struct {
	Training         bool    // batch statistics instead of the running ones; dropout and drop-path
	FreezeStatistics bool    // in training: leave the running statistics as they are
	DropPath         float64 // probability of a path to be dropped in training

	// Paths gives the factors [N] of the next path of a pass that drops some: 0 where the path is dropped. Nil means
	// that the pass draws them itself, which a captured one must not.
	Paths func() torch.Tensor
}

// Layer maps images to images, [N,C,H,W] to [N,C',H',W'].
type Layer interface {
	Forward(x torch.Tensor, m Mode) torch.Tensor
	// Trace follows the sizes of one image through the layer and adds to t what a
	// training pass takes.
	Trace(x *Value, t *Trace) *Value
}

// Scaler is a Layer that can scale its results as it computes them.
type Scaler interface {
	Layer
	// Scaled is Forward with each image's result times its number of factors [N], which have no gradient.
	Scaled(x, factors torch.Tensor, m Mode) torch.Tensor
}

// Sequential applies layers one after the other.
type Sequential []Layer

// Forward implements Layer.
func (s Sequential) Forward(x torch.Tensor, m Mode) torch.Tensor {
	for _, l := range s {
		x = l.Forward(x, m)
	}
	return x
}

// Scaled implements Scaler.
func (s Sequential) Scaled(x, factors torch.Tensor, m Mode) torch.Tensor {
	if n := len(s); n > 0 {
		if last, ok := s[n-1].(Scaler); ok {
			return last.Scaled(s[:n-1].Forward(x, m), factors, m)
		}
	}
	return scaled(s.Forward(x, m), factors)
}

// scaled multiplies images x [N,C,H,W] by factors [N].
func scaled(x, factors torch.Tensor) torch.Tensor { return x.Mul(factors.View(-1, 1, 1, 1)) }

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

// Trace implements Layer. The backward pass reads the result.
func (r ReLU) Trace(x *Value, t *Trace) *Value {
	if !r.InPlace {
		x = &Value{Channels: x.Channels, Height: x.Height, Width: x.Width}
	}
	t.Keep(x)
	return x
}
