package fast

import "godarts/torch"

// What the wide form needs of libtorch beyond the typed functions of torch.

// columnsOf views count blocks of c columns of x [M,K], which owns its memory, as [count,M,c].
func columnsOf(x torch.Tensor, first, count, c int) torch.Tensor {
	shape := x.Shape()
	return x.AsStrided([]int{count, shape[0], c}, []int{c, shape[1], 1}, first*c)
}

// bmmOut writes the products of batches a [n,M,K] and b [n,K,N] to out [n,M,N].
func bmmOut(out, a, b torch.Tensor) { torch.Call("aten::bmm.out", a, b, out) }

// sumOut writes the sum over dimensions to out.
func sumOut(out, x torch.Tensor, dims ...int) {
	torch.Call("aten::sum.IntList_out", x, dims, false, nil, out)
}

// reluBackwardOut writes g where y = max(x, 0) is above 0, else 0, to out.
func reluBackwardOut(out, g, y torch.Tensor) {
	torch.Call("aten::threshold_backward.grad_input", g, y, 0.0, out)
}

// mulOut writes a·b to out.
func mulOut(out, a, b torch.Tensor) { torch.Call("aten::mul.out", a, b, out) }

// optional is t as an argument of Call.
func optional(t torch.Tensor) any {
	if t.Defined() {
		return t
	}
	return nil
}

// normalised is what the backward pass needs of a batch norm.
type normalised struct {
	x         torch.Tensor // what was normalised, images or pixels [M,C]
	scale     torch.Tensor // [C], or the zero Tensor for 1
	mean, inv torch.Tensor // [C]
}

// batchNorm returns the batch norm of x times scale plus shift, each of which may be the zero Tensor, and writes the
// batch's mean and unbiased variance to mean and variance [C].
func batchNorm(x, scale, shift, mean, variance torch.Tensor) (y torch.Tensor, n normalised) {
	const all = 1.0 // the momentum with which the running statistics are the batch's
	r := torch.Call("aten::native_batch_norm", x, optional(scale), optional(shift), mean, variance, true, all, torch.BatchNormEps)
	return r[0], normalised{x, scale, r[1], r[2]}
}

// backward takes g, the gradient of the result, back to x, and to scale and shift if params.
func (n normalised) backward(g torch.Tensor, params bool) (dx, dScale, dShift torch.Tensor) {
	mask := []int{1, 0, 0}
	if params {
		mask = []int{1, 1, 1}
	}
	r := torch.Call("aten::native_batch_norm_backward", g, n.x, optional(n.scale), nil, nil, n.mean, n.inv, true, torch.BatchNormEps, mask)
	return r[0], r[1], r[2]
}

// keep moves the tensors to the scope of owner.
func (n normalised) keep(owner torch.Tensor) normalised {
	torch.KeepWith(n.x, owner)
	torch.KeepWith(n.mean, owner)
	torch.KeepWith(n.inv, owner)
	return n
}

func (n normalised) free() {
	n.x.Free()
	n.mean.Free()
	n.inv.Free()
}
