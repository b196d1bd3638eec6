package texts

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// MeanOver is the mean of what pass gives for each so many of all columns, from
// one on. Only one pass is in memory at a time.
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

// KeepState writes the state after some columns [1,b,H] over theirs in hidden.
func KeepState(hidden, after torch.Tensor, from int) {
	torch.NoGrad(func() { hidden.Narrow(1, from, after.Size(1)).Copy_(after) })
}

// Names of the states in checkpoints.
const (
	NameHidden      = "hidden"
	NameHiddenValid = "hidden_valid"
)

// ColumnsOf is columns from, from+1, ... of a batch, and of the states hidden
// [1,B,H] before it.
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
