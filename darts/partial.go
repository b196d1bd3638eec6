package darts

import (
	"godarts/torch"
)

// PC-DARTS: partial channel connections and edge normalisation (Xu et al., ICLR 2020, arXiv 1907.05737). The operations
// of an edge read the first C/k of its input's C channels; the others pass by. Then all channels are shuffled, so that
// the operations of the next edge read other channels. Each edge ō(i,j) is multiplied by one number, softmax(β) over the
// edges of node j.

// split cuts x [N,C,H,W] into the channels that the operations read, [N,C/k,H,W], and the channels that pass by. The
// latter are the zero Tensor if the operations read all.
func (edge mixedOp) split(x torch.Tensor) (active, bypass torch.Tensor) {
	if edge.partial == 1 {
		return x, torch.Tensor{}
	}
	all := x.Size(1)
	first := all / edge.partial
	return x.Narrow(1, 0, first), x.Narrow(1, first, all-first)
}

// join appends the channels that pass by to the result of the operations and shuffles all. It max-pools them where
// the operations halve the image.
func (edge mixedOp) join(sum, bypass torch.Tensor) torch.Tensor {
	if !bypass.Defined() {
		return sum
	}
	if sum.Size(2) != bypass.Size(2) {
		bypass = torch.MaxPool2d(bypass, torch.Pool2dOptions{Kernel: 2, Stride: 2})
	}
	return shuffle(torch.Cat([]torch.Tensor{sum, bypass}, 1), edge.partial)
}

// shuffle takes channels in turn from each of the groups:
//
//	x, result [N,C,H,W]   result[i·groups + g] = x[g·C/groups + i]
func shuffle(x torch.Tensor, groups int) torch.Tensor {
	n, c, h, w := x.Size(0), x.Size(1), x.Size(2), x.Size(3)
	grouped := x.Permute(0, 2, 3, 1).Reshape(n, h, w, groups, c/groups) // channels last
	return grouped.Transpose(3, 4).Reshape(n, h, w, c).Permute(0, 3, 1, 2)
}

// drawBeta draws β, as draw draws α.
func (a *Architecture) drawBeta(o torch.Options) {
	first := torch.Randn([]int{len(a.Ops)}, torch.Options{}).MulScalar_(alphaScale)
	a.beta = torch.Empty(first.Shape(), o).Copy_(first)
	first.Free()
	a.beta.RequiresGrad_(true)
}

// edgeWeights returns softmax(β) over the edges of each node, as numbers [1]; nil without β.
func (a *Architecture) edgeWeights() (weights []torch.Tensor) {
	if !a.beta.Defined() {
		return nil
	}
	for i := 0; FirstEdge(i) < len(a.Ops); i++ {
		from, to := FirstEdge(i), FirstEdge(i+1)
		weights = append(weights, a.beta.Narrow(0, from, to-from).Softmax(0).Chunk(to-from, 0)...)
	}
	return weights
}
