package prune

import (
	"context"

	"godarts/cells"
	"godarts/nas"
	"godarts/nas/images"
	"godarts/torch"
	"godarts/torch/nn"
)

// taylorBatches is the most training batches that the importance by Taylor is measured on.
const taylorBatches = 64

// scales returns Σ|γ| of each channel over the batch norms that give it.
func (n network) scales(groups []*cells.Group) (all [][]float64) {
	sd := n.net.StateDict()
	for _, g := range groups {
		sum := make([]float64, g.Size())
		for _, norm := range g.Norms {
			torch.Scoped(func() {
				for k, v := range sd[norm+".weight"].Detach().Abs().Float64s() {
					sum[k] += v
				}
			})
		}
		all = append(all, sum)
	}
	return all
}

// taylor returns the mean over training batches of (∂L/∂z)² for a factor z = 1 of each channel, which is what the loss
// changes by, to first order and squared, when the channel goes. The batch norms that give a channel are linear in
// their weight γ and bias β, and the identities and poolings that pass it on in z, so that
//
//	∂L/∂z = Σ γ·∂L/∂γ + β·∂L/∂β
//
// over these batch norms. L is the cross-entropy of the network as evaluation computes it. arXiv 1906.10771, sec. 3.
func (n network) taylor(ctx context.Context, groups []*cells.Group, r *nas.Run) (all [][]float64, err error) {
	for _, g := range groups {
		all = append(all, make([]float64, g.Size()))
	}
	feed := r.Feed.(*images.Feed)
	batches := min(feed.Train.Steps(), taylorBatches)
	for step := range batches {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		loaded := feed.Train.Load(0, step)
		if loaded.Err != nil {
			return nil, loaded.Err
		}
		if loaded.N == 0 {
			continue // none of its images could be read
		}
		torch.Scoped(func() { n.addSlopes(groups, images.ToBatch(loaded, r.Options()), all) })
	}
	for _, own := range all {
		for k := range own {
			own[k] /= float64(batches)
		}
	}
	return all, nil
}

// addSlopes adds (∂L/∂z)² of a batch.
func (n network) addSlopes(groups []*cells.Group, b nn.Batch, all [][]float64) {
	w := n.net.Weights()
	g := torch.Empty(w.W.Shape(), w.W.Options())
	w.Gradient(n.net.Forward(b, nn.Mode{}).Loss, g, nil)
	torch.NoGrad(func() {
		values, slopes := w.Views(w.W), w.Views(g)
		for i, group := range groups {
			sum := make([]float64, group.Size())
			for _, norm := range group.Norms {
				for _, name := range []string{norm + ".weight", norm + ".bias"} {
					for k, v := range values[name].Mul(slopes[name]).Float64s() {
						sum[k] += v
					}
				}
			}
			for k, slope := range sum {
				all[i][k] += slope * slope
			}
		}
	})
}
