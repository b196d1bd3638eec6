package darts

import "godarts/torch"

// epsilon is what batch norms add to a variance.
const epsilon = 1e-5

// gramSplit is the number of parts that products over all pixels are summed in:
// two matrix products over half of the pixels each take half the time of one.
const gramSplit = 2

// gram is aᵀ·b over all pixels, of matrices a [M,A] and b [M,B], in gramSplit
// parts (one, if M is odd) written to out [gramSplit,A,B].
func gram(out, a, b torch.Tensor) {
	torch.Scoped(func() {
		m, ca, cb := a.Size(0), a.Size(1), b.Size(1)
		if m%gramSplit != 0 {
			out.Narrow(0, 1, gramSplit-1).Zero_()
			torch.MmOut(out.Select(0, 0), a.T(), b)
			return
		}
		torch.BmmOut(out, a.View(gramSplit, m/gramSplit, ca).Transpose(1, 2), b.View(gramSplit, m/gramSplit, cb))
	})
}

// gramOf is gram(out[i], a, b); out is [items,gramSplit,A,B].
func gramOf(out torch.Tensor, i int, a, b torch.Tensor) {
	torch.Scoped(func() { gram(out.Select(0, i), a, b) })
}

// folded are items z = Y·Wᵀ with a batch norm behind each, where Y [M,c'] is
// centred: its columns have mean 0. The normalised z is never made, for
//
//	G = YᵀY,  var(z) = diag(W·G/M·Wᵀ),  inv = 1/√(var + ε),  BN(z) = Y·Aᵀ  with  A = inv·W.
//
// All items are stacked.
type folded struct {
	gram, a, inv torch.Tensor // G [n,c',c'], A [n,c,c'], inv [n,c]
	m            int          // M
}

// fold takes the parts of G [n,gramSplit,c',c'], W [n,c,c'] and the means of Y
// before it was centred [n,c']. It also gives the mean and the unbiased variance
// of z, [n,c], for the running statistics.
func fold(parts, w, means torch.Tensor, m int) (f folded, mean, variance torch.Tensor) {
	torch.Scoped(func() {
		f.m = m
		f.gram = torch.Keep(parts.SumDims([]int{1}, false))
		v := w.Bmm(f.gram).Mul_(w).SumDims([]int{2}, false).DivScalar_(float64(m)) // diag(W·G·Wᵀ)/M
		f.inv = torch.Keep(v.AddScalar(epsilon).Rsqrt_())
		f.a = torch.Keep(w.Mul(f.inv.Unsqueeze(2)))
		mean = torch.Keep(w.Bmm(means.Unsqueeze(2)).Squeeze(2))
		variance = torch.Keep(v.MulScalar_(float64(m) / float64(m-1)))
	})
	return f, mean, variance
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

// centre subtracts the mean of each column from the pixels x [M,c], in place, and
// gives the means [1,c]. ones is [1,n].
//
// Sums over images are taken in x's type, those over pixels in float64: an error
// of a mean is the same for all pixels, and does not average out in gradients.
func centre(x torch.Tensor, g grid, ones torch.Tensor) (mean torch.Tensor) {
	torch.Scoped(func() {
		m, c := g.m(), g.c
		image := ones.Mm(x.View(g.n, g.h*g.w*c)).View(g.h*g.w, c).ToDtype(torch.Float64)
		mean = torch.Keep(image.SumDims([]int{0}, true).DivScalar_(float64(m)).ToDtype(x.Dtype()))
		// Several rows at a time: elementwise operators are slow over short ones.
		const wide = 512 // numbers
		together := 1
		for together*2*c <= wide && m%(together*2) == 0 {
			together *= 2
		}
		x.View(m/together, together*c).Sub_(mean.Repeat(1, together))
	})
	return mean
}
