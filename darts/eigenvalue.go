package darts

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// DominantEigenvalue returns the largest eigenvalue, by sign, of
//
//	∇²α L(w, α) + decay·I
//
// of the loss over b, with all tables of α in one vector. This is the curvature of the loss that α is trained on; its
// growth predicts cells that perform badly (Zela et al., arXiv 1909.09656, sec. 4). It is at least decay, since the
// softmax does not change when all entries of a row move equally. Batch norms use the batch's statistics, as in
// training. The running statistics stay as they are, so that the measurement does not change the search; in that
// paper's code they move.
//
// Each step of Lanczos' method takes a product with the Hessian. All steps use one graph of the plain form, which
// stays in memory meanwhile.
func (s *Plain) DominantEigenvalue(b nn.Batch, decay float64) (largest float64) {
	torch.Scoped(func() {
		n, product := s.hessianOfAlpha(b)
		largest = largestEigenvalue(n, func(v []float64) []float64 {
			hv := product(v)
			addScaled(hv, v, decay)
			return hv
		})
	})
	return largest
}

// hessianOfAlpha returns the product of ∇²α L(w, α), which is [n,n], with vectors. It differentiates the gradient
// again. The graph belongs to the present scope.
func (s *Plain) hessianOfAlpha(b nn.Batch) (n int, product func(v []float64) []float64) {
	logits := s.forward(b.X, s.mixed(), nn.Mode{Training: true, FreezeStatistics: true})
	loss := torch.CrossEntropy(logits, b.Y, torch.CrossEntropyOptions{})
	alphas := s.Alphas()
	gradient := torch.Grad([]torch.Tensor{loss}, alphas, torch.GradOptions{CreateGraph: true})
	for _, alpha := range alphas {
		n += alpha.Numel()
	}
	return n, func(v []float64) (hv []float64) {
		torch.Scoped(func() {
			var directions []torch.Tensor
			for _, alpha := range alphas {
				directions = append(directions, torch.FromSliceTo(v[:alpha.Numel()], alpha.Shape(), alpha.Options()))
				v = v[alpha.Numel():]
			}
			o := torch.GradOptions{GradOutputs: directions, RetainGraph: true}
			for _, part := range torch.Grad(gradient, alphas, o) {
				hv = append(hv, part.Float64s()...)
			}
		})
		return hv
	}
}
