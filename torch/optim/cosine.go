package optim

import "math"

// Cosine is the learning rate of an epoch, 0 to epochs−1, on the cosine from max
// down to min:
//
//	min + (max − min)·(1 + cos(π·epoch/epochs))/2
//
// Epoch 0 has max; min would come at epoch epochs, after the last. This is the
// closed form of torch.optim.lr_scheduler.CosineAnnealingLR (arXiv 1608.03983,
// without restarts). It is max where there are no epochs.
func Cosine(max, min float64, epoch, epochs int) float64 {
	if epochs < 1 {
		return max
	}
	angle := math.Pi * float64(epoch) / float64(epochs)
	return min + float64((max-min)*(1+math.Cos(angle))/2)
}

// CosineRestarts is the learning rate of an epoch on cosines from max down to min, each
// factor times as long as the one before, the first of length epochs (SGDR, arXiv
// 1608.03983). A length or a factor below 1 counts as 1.
func CosineRestarts(max, min float64, epoch, length, factor int) float64 {
	length, factor = atLeastOne(length), atLeastOne(factor)
	if factor == 1 {
		return Cosine(max, min, epoch%length, length)
	}
	for epoch >= length {
		epoch -= length
		if length > math.MaxInt/factor {
			length = math.MaxInt
		} else {
			length *= factor
		}
	}
	return Cosine(max, min, epoch, length)
}

func atLeastOne(n int) int {
	if n < 1 {
		return 1
	}
	return n
}
