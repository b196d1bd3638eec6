package darts

import (
	"godarts/torch"
)

// PC-DARTS: partial channel connections and edge normalisation (Xu et al., ICLR 2020,
// arXiv 1907.05737). Of the C channels of an edge's input the operations have the first
// C/k. The others pass by; then all are shuffled, so that the next edge's operations see
// others. Each edge ō(i,j) is multiplied by one number, softmax(β) over the edges of
// node j.

// split cuts x [N,C,H,W] into what the operations have, [N,C/k,H,W], and what passes by
// them; that is the zero Tensor if they have all.
func (edge mixedOp) split(x torch.Tensor) (active, bypass torch.Tensor) {
	if edge.partial == 1 {
		return x, torch.Tensor{}
	}
	all := x.Size(1)
	first := all / edge.partial
	return x.Narrow(1, 0, first), x.Narrow(1, first, all-first)
}

// join puts the channels that pass by behind the result of the operations, halved by max
// pooling if they have halved the image, and shuffles all.
func (edge mixedOp) join(sum, bypass torch.Tensor) torch.Tensor {
	if !bypass.Defined() {
		return sum
	}
	if sum.Size(2) != bypass.Size(2) {
		bypass = torch.MaxPool2d(bypass, torch.Pool2dOptions{Kernel: 2, Stride: 2})
	}
	return shuffle(torch.Cat([]torch.Tensor{sum, bypass}, 1), edge.partial)
}

// shuffle takes channels in turn from each of so many groups of them:
//
//	x, result [N,C,H,W]   result[i·groups + g] = x[g·C/groups + i]
func shuffle(x torch.Tensor, groups int) torch.Tensor {
	n, c, h, w := x.Size(0), x.Size(1), x.Size(2), x.Size(3)
	grouped := x.Permute(0, 2, 3, 1).Reshape(n, h, w, groups, c/groups) // channels last
	return grouped.Transpose(3, 4).Reshape(n, h, w, c).Permute(0, 3, 1, 2)
}

// drawBeta makes β, as draw does α.
func (a *Architecture) drawBeta(o torch.Options) {
	first := torch.Randn([]int{len(a.Ops)}, torch.Options{}).MulScalar_(alphaScale)
	a.beta = torch.Empty(first.Shape(), o).Copy_(first)
	first.Free()
	a.beta.RequiresGrad_(true)
}

// edgeWeights are softmax(β) over the edges of each node, as numbers [1]; nil without β.
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
