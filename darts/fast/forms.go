package fast

import (
	"fmt"
	"slices"

	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/torch"
)

// What both forms of the convolutional supernet have in common.

// missing says what both forms have no formulas for among what o asks for. It is empty if there is nothing.
func missing(o darts.Options) string {
	if o.Partial > 1 || o.EdgeNormalisation || o.SkipDropout > 0 {
		return "the fast form has no partial channels, edge normalisation or skip dropout"
	}
	for _, ops := range slices.Concat(o.Normal, o.Reduce) {
		for _, op := range ops {
			if slices.Contains(genotype.Registered(), op) {
				return fmt.Sprintf("the fast form has no %s", op)
			}
		}
	}
	return ""
}

// oddSide says at which reduction images of that size, in pixels, have an odd side, for which there are no formulas.
// It is empty where there is none.
func oddSide(cells []*darts.SearchCell, height, width int) string {
	h, w := height, width
	for i, cell := range cells {
		if cell.Kind != genotype.Reduce {
			continue
		}
		if h%2 != 0 || w%2 != 0 {
			return fmt.Sprintf("images of %dx%d reach the reduction in cell %d as %dx%d, an odd side", height, width, i, h, w)
		}
		h, w = h/2, w/2
	}
	return ""
}

// finalPixels returns the number of pixels of the last cell's maps for images x [N,C,H,W]. The sides are even
// wherever they are halved, see oddSide.
func finalPixels(cells []*darts.SearchCell, x torch.Tensor) int {
	h, w := x.Size(2), x.Size(3)
	for _, cell := range cells {
		if cell.Kind == genotype.Reduce {
			h, w = h/2, w/2
		}
	}
	return x.Size(0) * h * w
}

// refuseSingleValue panics as torch.BatchNorm does if the smallest batch norm of a pass over x reads one value per
// channel, which has no variance.
func refuseSingleValue(values int, x torch.Tensor) {
	if values == 1 {
		torch.Misuse("batch_norm", "training needs more than one value per channel, images have shape %v", x.Shape())
	}
}

// lossGradient returns the gradient of the mean cross-entropy of that many images from their logits [n,classes] and
// targets y [n]: (softmax(logits) − onehot(y))/images.
func lossGradient(logits, y torch.Tensor, images int) torch.Tensor {
	ones := torch.Ones([]int{logits.Size(0), 1}, logits.Options())
	onehot := torch.Zeros(logits.Shape(), logits.Options()).Scatter_(1, y.Unsqueeze(1), ones)
	return logits.Softmax(1).Sub_(onehot).DivScalar_(float64(images))
}

// softmaxBackward returns the gradient of α from the gradient of mix = softmax(α): mix∘(dMix − Σ_row mix∘dMix).
func softmaxBackward(mix, dMix torch.Tensor) torch.Tensor {
	return dMix.Sub(mix.Mul(dMix).SumDims([]int{1}, true)).Mul_(mix)
}
