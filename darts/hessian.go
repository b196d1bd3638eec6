package darts

import (
	"godarts/torch"
	"godarts/torch/nn"
)

var _ Hessian = (*Plain)(nil)

// StatisticsMomentum is the share by which a pass in training moves the running statistics towards the batch's:
// PyTorch's default.
const StatisticsMomentum = 0.1

// HessianVectorProduct implements Hessian exactly, up to rounding: it differentiates v·∇w L again.
//
// The running statistics move as in two passes over b at w, so that a search validates equally with either product:
// FiniteDifference takes two passes, near w.
func (s *Plain) HessianVectorProduct(v torch.Tensor, b nn.Batch) []torch.Tensor {
	return s.hessianVectorProduct(v, b, s.mixed)
}

// hessianVectorProduct is HessianVectorProduct with the mixtures that mix makes.
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

// repeatMove repeats a move of running statistics from before towards those of a batch, s. The first move gave s₁ =
// (1−m)·s₀ + m·s, hence
//
//	s₂ = (1−m)·s₁ + m·s = s₁ + (1−m)·(s₁ − s₀)
func repeatMove(stats, before torch.Tensor) {
	stats.AddScaled_(stats.Sub(before), 1-StatisticsMomentum)
}
