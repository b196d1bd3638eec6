package darts

import (
	"math"
	"math/rand/v2"
)

// ritzTolerance is how far from an eigenvalue largestEigenvalue may end, relative to the matrix's size.
const ritzTolerance = 1e-6

// largestEigenvalue returns the largest eigenvalue, by sign, of a symmetric matrix A [n,n], for which product returns
// A·v. It uses Lanczos' method with full reorthogonalisation, from a start that is the same each time. It ends when
// the residual of the Ritz vector shows that an eigenvalue is near enough, and after n products at the latest, when
// the tridiagonal matrix has the eigenvalues of A. product must not change v.
func largestEigenvalue(n int, product func(v []float64) []float64) float64 {
	r := rand.New(rand.NewPCG(0, uint64(n)))
	next := make([]float64, n)
	for i := range next {
		next[i] = r.NormFloat64()
	}
	length := lengthOf(next)
	var basis [][]float64
	var t tridiagonal
	for {
		v := make([]float64, n)
		addScaled(v, next, 1/length)
		basis = append(basis, v)
		next = product(v)
		t.diagonal = append(t.diagonal, dot(v, next))
		for range 2 { // once leaves what rounding leaves of a difference of large numbers
			for _, q := range basis {
				addScaled(next, q, -dot(q, next))
			}
		}
		length = lengthOf(next)
		largest, last := t.largest()
		// ‖A·y − λ·y‖ of the Ritz vector y is length·|last|. NaN ends it, too.
		if len(basis) == n || !(length*last > ritzTolerance*t.size()) {
			return largest
		}
		t.off = append(t.off, length)
	}
}

func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

func lengthOf(a []float64) float64 { return math.Sqrt(dot(a, a)) }

// addScaled adds c·b to a.
func addScaled(a, b []float64, c float64) {
	for i, x := range b {
		a[i] += c * x
	}
}

// tridiagonal is a symmetric tridiagonal matrix whose entries off the diagonal are positive.
type tridiagonal struct {
	diagonal []float64
	off      []float64 // one fewer
}

// size returns a bound of the eigenvalues' magnitude: the largest sum of a row.
func (t tridiagonal) size() (size float64) {
	for i, x := range t.diagonal {
		size = max(size, math.Abs(x)+t.around(i))
	}
	return size
}

// around returns the sum of row i off the diagonal.
func (t tridiagonal) around(i int) (sum float64) {
	if i > 0 {
		sum += t.off[i-1]
	}
	if i < len(t.off) {
		sum += t.off[i]
	}
	return sum
}

// pivots returns the pivots of s·I − T without exchanges. ok reports whether all are positive, which means that s is
// above every eigenvalue.
func (t tridiagonal) pivots(s float64) (d []float64, ok bool) {
	for i, x := range t.diagonal {
		p := s - x
		if i > 0 {
			p -= t.off[i-1] * t.off[i-1] / d[i-1]
		}
		if !(p > 0) {
			return nil, false
		}
		d = append(d, p)
	}
	return d, true
}

// largest returns the largest eigenvalue, by bisection, and the magnitude of the last entry of its eigenvector of
// length 1, by inverse iteration.
func (t tridiagonal) largest() (eigenvalue, last float64) {
	size := t.size()
	if !(size > 0) || math.IsInf(size, 0) {
		return t.diagonal[0] + size, 1
	}
	const rounding = 1e-14
	low, high := -size, 2*size
	d, _ := t.pivots(high)
	for high-low > rounding*size {
		middle := low + (high-low)/2
		if at, above := t.pivots(middle); above {
			high, d = middle, at
		} else {
			low = middle
		}
	}
	x := make([]float64, len(d))
	for i := range x {
		x[i] = 1
	}
	for range 3 { // every term is positive: nothing cancels
		for i := 1; i < len(x); i++ {
			x[i] += x[i-1] * t.off[i-1] / d[i-1]
		}
		for i := len(x) - 1; i >= 0; i-- {
			if i < len(t.off) {
				x[i] += x[i+1] * t.off[i]
			}
			x[i] /= d[i]
		}
		length := lengthOf(x)
		for i := range x {
			x[i] /= length
		}
	}
	return high, x[len(x)-1]
}
