package texts

import (
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/replay"
)

// MeanOver calls pass for every group of columns, from its first column on, and returns the means of
// the tensors that pass returns. all is the number of columns, a multiple of columns. Only one pass is
// in memory at a time.
func MeanOver(all, columns int, pass func(from int) []torch.Tensor) (mean []torch.Tensor) {
	for from := 0; from < all; from += columns {
		torch.Scoped(func() {
			of := pass(from)
			if from == 0 {
				mean = of
				for _, t := range mean {
					torch.Keep(t)
				}
				return
			}
			torch.NoGrad(func() {
				for i, t := range of {
					mean[i].Add_(t)
				}
			})
		})
	}
	if parts := all / columns; parts > 1 {
		torch.NoGrad(func() {
			for _, t := range mean {
				t.DivScalar_(float64(parts))
			}
		})
	}
	return mean
}

// KeepState writes after, the state [1,b,H] of the columns from on, to their place in hidden.
func KeepState(hidden, after torch.Tensor, from int) {
	torch.NoGrad(func() { hidden.Narrow(1, from, after.Size(1)).Copy_(after) })
}

// EvalIn runs eval on b in the region, and returns the loss and the state after b: nobody needs the logits.
func EvalIn(region *replay.Region, b nn.Batch, eval func(nn.Batch) nn.Output) nn.Output {
	out := region.Run("evaluation", []torch.Tensor{b.X, b.Y, b.Hidden}, func(in []torch.Tensor) []torch.Tensor {
		out := eval(nn.Batch{X: in[0], Y: in[1], Hidden: in[2]})
		return []torch.Tensor{out.Loss, out.Hidden}
	})
	return nn.Output{Loss: out[0], Hidden: out[1]}
}

// Names of the hidden states in checkpoints.
const (
	NameHidden      = "hidden"
	NameHiddenValid = "hidden_valid"
)

// ColumnsOf returns the columns from to from+columns−1 of a batch and of hidden [1,B,H], the state
// before it.
func ColumnsOf(b nn.Batch, hidden torch.Tensor, from, columns int) nn.Batch {
	steps, all := b.X.Size(0), b.X.Size(1)
	b.Hidden = hidden
	if columns == all {
		return b
	}
	b.X = b.X.Narrow(1, from, columns)
	b.Y = b.Y.View(steps, all).Narrow(1, from, columns).Reshape(-1)
	b.Hidden = hidden.Narrow(1, from, columns)
	return b
}
