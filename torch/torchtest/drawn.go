package torchtest

import (
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/torch"
)

// Drawn is what was recorded of a parameter that PyTorch drew after manual_seed.
type Drawn struct {
	Shape            []int
	First, Last, Sum float64
}

// Compare fails the test if x, in float32, is not what was recorded: to the last bit where libtorch
// has fused multiply-adds, as where the recordings were made.
func (d Drawn) Compare(t testing.TB, name string, x torch.Tensor) {
	t.Helper()
	if got := x.Shape(); !slices.Equal(got, d.Shape) {
		t.Errorf("%s: shape %v, want %v", name, got, d.Shape)
		return
	}
	values := x.Float64s()
	first, last := values[0], values[len(values)-1]
	sum, size, largest := 0.0, 0.0, 0.0
	for _, v := range values {
		sum += v
		size += math.Abs(v)
		largest = max(largest, math.Abs(v))
	}
	each := 0.0
	if !fused(t) {
		each = unfused * largest
	}
	far := func(got, want, tolerance float64) bool { return math.Abs(got-want) > tolerance }
	if far(first, d.First, each) || far(last, d.Last, each) ||
		far(sum, d.Sum, 1e-12*size+each*math.Sqrt(float64(len(values)))) { // errors of either sign
		t.Errorf("%s: first, last, sum %v %v %v, want %v %v %v", name, first, last, sum, d.First, d.Last, d.Sum)
	}
}

// unfused is how far numbers may be from those drawn with fused multiply-adds, in units of their
// largest. U(−b, b) = x·2b − b is rounded twice without them, by 2⁻²⁴·4b at most. N(0, σ) =
// σ·√(−2 ln u)·cos 2πv has the rounding of an angle up to 2π besides that of the root, the cosine and the products.
const unfused = 0x1p-24 * (2*math.Pi + 4)

// fused tells whether libtorch draws with fused multiply-adds: in its loops for AVX2 and above.
func fused(t testing.TB) bool {
	t.Helper()
	processor, err := torch.Processor()
	if err != nil {
		t.Fatal(err)
	}
	_, libtorchs, differ := strings.Cut(processor, ", libtorch ")
	if differ {
		processor = libtorchs
	}
	return processor != "none"
}
