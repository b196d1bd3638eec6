package prune

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"godarts/nas/model"
	"godarts/torch"
)

// zero sets the smallest weights of convolutions and of the classifier to 0, until at most a share of the multiply-adds
// is by others. It returns what is left that is not 0.
func (n network) zero(share float64) (left Size) {
	type weight struct {
		tensor int
		at     int
		size   float64 // its magnitude
	}
	var tensors []torch.Tensor
	var values [][]float64
	var adds []float64 // of each weight of a tensor
	var all []weight
	total := 0.0
	sd := n.net.StateDict()
	of := n.perWeight(sd)
	for _, name := range sortedNames(sd) {
		if sd[name].Dim() < 2 || strings.HasPrefix(name, model.AuxiliaryHead) {
			continue
		}
		own := sd[name].Detach().Float64s()
		for at, v := range own {
			all = append(all, weight{len(tensors), at, math.Abs(v)})
		}
		tensors, values, adds = append(tensors, sd[name]), append(values, own), append(adds, of[name])
		total += float64(len(own)) * of[name]
	}
	slices.SortStableFunc(all, func(a, b weight) int { return cmp.Compare(a.size, b.size) })
	left = n.size(n.o, 0)
	rest := total
	for _, w := range all {
		if rest <= share*total {
			break
		}
		values[w.tensor][w.at] = 0
		rest -= adds[w.tensor]
		left.Parameters--
	}
	torch.NoGrad(func() {
		for i, t := range tensors {
			t.Copy_(torch.FromSlice(values[i], t.Shape()...))
		}
	})
	left.MultiplyAdds = int64(math.Round(rest))
	return left
}

// perWeight returns the multiply-adds of each weight of a tensor: the pixels that its layer computes. Of the two
// convolutions of a conv_7x1_1x7, which compute other numbers of them, it is the mean.
func (n network) perWeight(sd torch.StateDict) map[string]float64 {
	adds := map[string]float64{}
	for _, layer := range n.net.Cost().Layers {
		weights := 0
		var below []string
		for name, t := range sd {
			if t.Dim() > 1 && strings.HasPrefix(name, layer.Name+".") {
				below, weights = append(below, name), weights+t.Numel()
			}
		}
		for _, name := range below {
			adds[name] = float64(layer.MultiplyAdds) / float64(weights)
		}
	}
	return adds
}
