package darts

import "godarts/torch"

// gram writes aᵀ·b, the sum over a rank's pixels, to out[i]: a is [M,A], b [M,B],
// out [items,A,B].
func gram(out torch.Tensor, i int, a, b torch.Tensor) {
	torch.Scoped(func() { torch.Gram(out.Select(0, i), false, a, b) })
}

// sumOfProducts is Σ_i xs[i]·ws[i], [M,N]; the rows of all ws have to be contiguous, to be fast.
func sumOfProducts(xs, ws []torch.Tensor) torch.Tensor {
	sum := torch.Empty([]int{xs[0].Size(0), ws[0].Size(1)}, xs[0].Options())
	torch.SumProducts(sum, false, xs, ws)
	return sum
}

// transposed turns each matrix of a stack, in memory.
func transposed(stack torch.Tensor) torch.Tensor { return stack.Transpose(1, 2).Contiguous() }

// folded are items z = Y·Wᵀ with a batch norm behind each, where Y [M,c'] is
// centred: its columns have mean 0. The normalised z is never made, for
//
//	G = YᵀY,  var(z) = diag(W·G/M·Wᵀ),  inv = 1/√(var + ε),  BN(z) = Y·Aᵀ  with  A = inv·W.
//
// All items are stacked.
type folded struct {
	gram, a, inv torch.Tensor // G [n,c',c'], A [n,c,c'], inv [n,c]
	m            int          // M, the pixels of all ranks
}

// fold takes the rank's part of G [n,c',c'], W [n,c,c'] and the means of Y before it
// was centred [n,c']. Their batch norms' statistics go to the running ones.
func (p *pass) fold(gram, w, means torch.Tensor, m int, to norm) (f folded) {
	torch.Scoped(func() {
		f.m = m
		f.gram = torch.Keep(p.sum(gram))
		v := w.Bmm(f.gram).Mul_(w).SumDims([]int{2}, false).DivScalar_(float64(m)) // diag(W·G·Wᵀ)/M
		f.inv = torch.Keep(v.AddScalar(torch.BatchNormEps).Rsqrt_())
		f.a = torch.Keep(w.Mul(f.inv.Unsqueeze(2)))
		p.put(to, w.Bmm(means.Unsqueeze(2)).Squeeze(2), v.MulScalar_(float64(m)/float64(m-1)))
	})
	return f
}

// backward takes P = gᵀ·Y [n,c,c'], where g [M,c], the gradient of BN(z), is
// centred. With k = Σ_inputs(P∘A)/M it gives
//
//	Q = −Aᵀ·diag(k)·A,  so that  dL/dY = g·A + Y·Q,  and  dL/dW = inv∘(P − k·A·G),
//
// the latter to dW [n,c,c'] unless that is the zero Tensor.
func (f folded) backward(p, dW torch.Tensor) (q torch.Tensor) {
	torch.Scoped(func() {
		k := p.Mul(f.a).SumDims([]int{2}, true).DivScalar_(float64(f.m)) // [n,c,1]
		kA := k.Mul(f.a)
		q = torch.Keep(f.a.Transpose(1, 2).Bmm(kA).Neg_())
		if dW.Defined() {
			dW.Copy_(p.Sub(kA.Bmm(f.gram)).Mul_(f.inv.Unsqueeze(2)))
		}
	})
	return q
}

// keep moves it to the enclosing scope.
func (f *folded) keep() {
	torch.Keep(f.gram)
	torch.Keep(f.a)
	torch.Keep(f.inv)
}

func (f *folded) free() {
	f.gram.Free()
	f.a.Free()
	f.inv.Free()
}
