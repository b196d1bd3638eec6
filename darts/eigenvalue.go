package darts

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// DominantEigenvalue is the largest eigenvalue, by sign, of
//
//	∇²α L(w, α) + decay·I
//
// of the loss over b, all tables of α in one vector: the curvature of what α is trained
// on, whose growth foretells cells that do badly (Zela et al., arXiv 1909.09656,
// sec. 4). It is at least decay, since the softmax does not change where all of a row
// moves alike. Batch norms take the batch's statistics, as in training; the running ones
// stay as they are, so that the search goes on as if it had not been measured; in that
// paper's code they move.
//
// It takes a pass over b and a product with the Hessian for each step of Lanczos'
// method, all on one graph of the plain form, which is in memory meanwhile.
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

// hessianOfAlpha gives the product of ∇²α L(w, α), which is [n,n], with vectors: the
// gradient is differentiated again. Its graph belongs to the present scope.
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
