package fast

import (
	"godarts/torch"
)

// Means over all pixels, and the batch norms that are not folded because their result is needed: after the stem, the 1x1
// convolutions of a cell's inputs and the poolings. They have neither scale nor shift.

// columns returns the sums of each column of this rank's pixels x [M,c].
//
// It sums over images in x's type and over pixels in float64, the type of the result [c]: an error of a mean is the
// same for all pixels, so it does not average out in gradients.
func (p *pass) columns(x torch.Tensor, g grid) (sums torch.Tensor) {
	torch.Scoped(func() {
		image := p.ones(g.n).Mm(x.View(g.n, g.h*g.w*g.c)).View(g.h*g.w, g.c)
		sums = torch.Keep(image.ToDtype(torch.Float64).SumDims([]int{0}, false))
	})
	return sums
}

// centre subtracts the mean of each column from the pixels xs [M,c], in place, and returns the means [len(xs),c].
func (p *pass) centre(g grid, xs ...torch.Tensor) (means torch.Tensor) {
	torch.Scoped(func() {
		var sums []torch.Tensor
		for _, x := range xs {
			sums = append(sums, p.columns(x, g))
		}
		means = torch.Keep(p.sum(torch.Stack(sums, 0)).DivScalar(float64(p.m(g))).ToDtype(p.o.Dtype))
		for i, x := range xs {
			across, mean := g.across(x, means.Select(0, i))
			across.Sub_(mean)
		}
	})
	return means
}

// across views pixels x [M,c] with several of them in a row and repeats v [c] as often. Elementwise operators are
// slow on short rows.
func (g grid) across(x, v torch.Tensor) (rows, repeated torch.Tensor) {
	const wide = 512 // numbers
	m, together := x.Size(0), 1
	for together*2*g.c <= wide && m%(together*2) == 0 {
		together *= 2
	}
	// Repeat would build the indices of what it copies.
	repeated = v.View(1, g.c).Expand(together, g.c).Contiguous().View(1, together*g.c)
	return x.View(m/together, together*g.c), repeated
}

// normalisers returns inv = 1/√(var + ε) of each column of the pixels xs [M,c], which are centred. means are the
// means before that, [len(xs),c]. It stores both statistics for the running ones.
func (p *pass) normalisers(g grid, means torch.Tensor, to []norm, xs ...torch.Tensor) (invs []torch.Tensor) {
	torch.Scoped(func() {
		m := p.m(g)
		squares := torch.Empty([]int{len(xs), g.c, g.c}, p.o)
		for i, x := range xs {
			gram(squares, i, x, x)
		}
		variances := p.sum(squares.Diagonal(0, 1, 2).Contiguous()).DivScalar(float64(m))
		for i := range xs {
			variance := variances.Select(0, i)
			invs = append(invs, torch.Keep(variance.AddScalar(torch.BatchNormEps).Rsqrt_()))
			p.put(to[i], means.Select(0, i), variance.MulScalar(float64(m)/float64(m-1)))
		}
	})
	return invs
}

// normalise replaces pixels x [M,c] by their batch norm, in place.
func (p *pass) normalise(x torch.Tensor, g grid, to norm) (inv torch.Tensor) {
	torch.Scoped(func() {
		means := p.centre(g, x)
		inv = torch.Keep(p.normalisers(g, means, []norm{to}, x)[0])
		across, scale := g.across(x, inv)
		across.Mul_(scale)
	})
	return inv
}

// backwardNormalise replaces d [M,c], the gradient of x = normalise(z), by the gradient of z, in place:
//
//	inv∘(d − Σd/M − x∘Σ(d∘x)/M)
//
// It returns both sums [2,c], in float64: the gradients of a shift and of a scale.
func (p *pass) backwardNormalise(d, x, inv torch.Tensor, g grid) (sums torch.Tensor) {
	torch.Scoped(func() {
		products := torch.Empty([]int{1, g.c, g.c}, p.o)
		gram(products, 0, d, x)
		own := torch.Stack([]torch.Tensor{p.columns(d, g), products.Select(0, 0).Diagonal(0, 0, 1).ToDtype(torch.Float64)}, 0)
		sums = torch.Keep(p.sum(own))
		means := sums.DivScalar(float64(p.m(g))).ToDtype(p.o.Dtype)
		across, mean := g.across(d, means.Select(0, 0))
		across.Sub_(mean)
		p.scaleNormalised(d, x, inv, means.Select(0, 1).Mul(inv).Neg_(), g)
	})
	return sums
}

// scaleNormalised replaces d [M,c], whose columns are centred, by a∘d + b∘x, in place; a and b are [c].
func (p *pass) scaleNormalised(d, x, a, b torch.Tensor, g grid) {
	torch.Scoped(func() {
		dRows, a := g.across(d, a)
		xRows, b := g.across(x, b)
		dRows.Mul_(a).Addcmul_(xRows, b, 1)
	})
}

// gram writes aᵀ·b, the sum over a rank's pixels, to out[i]: a is [M,A], b [M,B],
// out [items,A,B].
func gram(out torch.Tensor, i int, a, b torch.Tensor) {
	torch.Scoped(func() { torch.Gram(out.Select(0, i), false, a, b) })
}

// sumOfProducts returns Σ_i xs[i]·ws[i], [M,N]. It is fast if the rows of all ws are contiguous.
func sumOfProducts(xs, ws []torch.Tensor) torch.Tensor {
	sum := torch.Empty([]int{xs[0].Size(0), ws[0].Size(1)}, xs[0].Options())
	torch.SumProducts(sum, false, xs, ws)
	return sum
}

// transposed transposes each matrix of a stack, in memory.
func transposed(stack torch.Tensor) torch.Tensor { return stack.Transpose(1, 2).Contiguous() }

// folded are items z = Y·Wᵀ with a batch norm after each, where Y [M,c'] is centred: its columns have mean 0. The
// normalised z is not computed, for
//
//	G = YᵀY,  var(z) = diag(W·G/M·Wᵀ),  inv = 1/√(var + ε),  BN(z) = Y·Aᵀ  with  A = inv·W.
//
// All items are stacked.
type folded struct {
	gram, a, inv torch.Tensor // G [n,c',c'], A [n,c,c'], inv [n,c]
	m            int          // M, the pixels of all ranks
}

// fold folds batch norms into W [n,c,c'], from the rank's part of G [n,c',c'] and the means of Y before it was
// centred [n,c']. It stores the batch norms' statistics for the running ones.
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

// backward takes P = gᵀ·Y [n,c,c'], where g [M,c], the gradient of BN(z), is centred. With k = Σ_inputs(P∘A)/M it
// returns
//
//	Q = −Aᵀ·diag(k)·A,  so that  dL/dY = g·A + Y·Q,  and  dL/dW = inv∘(P − k·A·G),
//
// and writes dL/dW to dW [n,c,c'] unless that is the zero Tensor.
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

// keep moves the tensors to the enclosing scope.
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

// put stores the statistics of the batch, [count,c] each.
func (p *pass) put(n norm, mean, variance torch.Tensor) {
	torch.Scoped(func() {
		p.statistics.at(n.mean).Copy_(mean)
		p.statistics.at(n.variance).Copy_(variance)
	})
}
