// Package optim holds the optimizers of the papers, each with PyTorch's
// arithmetic in PyTorch's order of operations, and what goes with them: the
// cosine schedule and clipping by norm.
//
// Parameters are few, most often one flat tensor, so gradients are arguments:
//
//	sgd := optim.NewSGD([]torch.Tensor{w}, optim.SGDOptions{LR: 0.025, Momentum: 0.9})
//	for each step {
//		optim.Clip(5, g)
//		sgd.Step(g)
//	}
//
// An optimizer's buffers belong to the scope it was made in; Step keeps no
// tensor beyond itself. Misuse (a gradient of another shape, a negative learning
// rate) panics with *torch.Error.
package optim
