package darts

import (
	"godarts/torch"
	"godarts/torch/nn"
)

var _ Hessian = (*Plain)(nil)

// StatisticsMomentum is how far a pass in training moves the running statistics
// towards those of its batch, PyTorch's default.
const StatisticsMomentum = 0.1

// HessianVectorProduct implements Hessian exactly, up to rounding: v·∇w L is
// differentiated again.
//
// The running statistics move as in two passes over b at w, so that a search
// validates alike with either product: FiniteDifference takes two passes, near w.
func (s *Plain) HessianVectorProduct(v torch.Tensor, b nn.Batch) []torch.Tensor {
	return s.hessianVectorProduct(v, b, s.mixed)
}

// hessianVectorProduct is HessianVectorProduct with other weights of the operations.
func (s *Plain) hessianVectorProduct(v torch.Tensor, b nn.Batch, mix func() mixtures) (hvp []torch.Tensor) {
	torch.Scoped(func() {
		before := s.Weights.Stats.Clone()
		logits := s.forward(b.X, mix(), nn.Mode{Training: true})
		loss := torch.CrossEntropy(logits, b.Y, torch.CrossEntropyOptions{})
		for _, product := range s.Weights.HessianVectorProduct(loss, v, s.Alphas()) {
			hvp = append(hvp, torch.Keep(product))
		}
		torch.NoGrad(func() { repeatMove(s.Weights.Stats, before) })
	})
	return hvp
}

// repeatMove repeats a move of running statistics from before towards those of a
// batch, s: the first gave s₁ = (1−m)·s₀ + m·s, hence
//
//	s₂ = (1−m)·s₁ + m·s = s₁ + (1−m)·(s₁ − s₀)
func repeatMove(stats, before torch.Tensor) {
	stats.AddScaled_(stats.Sub(before), 1-StatisticsMomentum)
}
