package darts

import (
	"math"
	"math/rand/v2"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// withSpectrum gives the product of a full symmetric matrix of these eigenvalues with
// vectors: they are on the diagonal, between two reflections of random vectors.
func withSpectrum(spectrum []float64) func([]float64) []float64 {
	r := rand.New(rand.NewPCG(7, 7))
	var mirrors [2][]float64
	for m := range mirrors {
		for range spectrum {
			mirrors[m] = append(mirrors[m], r.NormFloat64())
		}
	}
	reflect := func(v, in []float64) { addScaled(v, in, -2*dot(v, in)/dot(in, in)) }
	return func(v []float64) []float64 {
		out := make([]float64, len(v))
		addScaled(out, v, 1)
		reflect(out, mirrors[0])
		reflect(out, mirrors[1])
		for i, eigenvalue := range spectrum {
			out[i] *= eigenvalue
		}
		reflect(out, mirrors[1])
		reflect(out, mirrors[0])
		return out
	}
}

func TestLargestEigenvalue(t *testing.T) {
	// The largest eigenvalue by sign is found when another is larger in magnitude, when some are equal, and when there are many.
	many := make([]float64, 200)
	for i := range many {
		many[i] = math.Cos(float64(i)) - 3
	}
	many[30] = -1.5
	for _, test := range []struct {
		name     string
		spectrum []float64
		want     float64
	}{
		{"one", []float64{-3}, -3},
		{"zero", []float64{0, 0, 0}, 0},
		{"negative larger in magnitude", []float64{-50, 2, 1, -7, 0.5}, 2},
		{"all negative", []float64{-50, -2, -1, -7}, -1},
		{"twice", []float64{4, 1, 4, -4}, 4},
		{"all equal", []float64{2, 2, 2}, 2},
		{"near each other", []float64{1, 1.001, -3, 0.999, 0.2, 0.3, 0.4}, 1.001},
		{"many", many, -1.5},
	} {
		t.Run(test.name, func(t *testing.T) {
			products := 0
			product := withSpectrum(test.spectrum)
			got := largestEigenvalue(len(test.spectrum), func(v []float64) []float64 {
				products++
				return product(v)
			})
			size := 0.0
			for _, x := range test.spectrum {
				size = max(size, math.Abs(x))
			}
			if !(math.Abs(got-test.want) <= 2*ritzTolerance*size) {
				t.Errorf("got %g, want %g", got, test.want)
			}
			if products > len(test.spectrum) || len(test.spectrum) > 100 && products > 50 {
				t.Errorf("%d products for a matrix of %d rows", products, len(test.spectrum))
			}
		})
	}
}

func TestLargestEigenvalueOfWhatIsNoNumber(t *testing.T) {
	// The result is no number when the matrix has none.
	got := largestEigenvalue(3, func(v []float64) []float64 { return []float64{v[0], math.NaN(), v[2]} })
	if !math.IsNaN(got) {
		t.Errorf("got %g", got)
	}
}

// smallest is a search of few entries of α.
func smallest(t *testing.T) (*Plain, nn.Batch) {
	return smallNetwork(t, 1, [][]genotype.Op{{genotype.None, genotype.SkipConnect, genotype.SepConv3x3}, {genotype.MaxPool3x3, genotype.DilConv3x3}})
}

func TestHessianOfAlpha(t *testing.T) {
	// Products with unit vectors are, in float64, the columns of the matrix of finite differences of the gradient, and the eigenvalue is that matrix's.
	torchtest.Scope(t)
	net, b := smallest(t)
	n, product := net.hessianOfAlpha(b)
	if n != 12 {
		t.Fatalf("%d entries of alpha, want 12", n)
	}
	const eps = 1e-5
	gradient := func() (g []float64) {
		for _, part := range net.Gradients(net.W(), b, Need{Alphas: true, FreezeStatistics: true}).Alphas {
			g = append(g, part.Float64s()...)
		}
		return g
	}
	var matrix [][]float64
	for i, alpha := range net.Alphas() {
		for entry := range alpha.Numel() {
			move := func(by float64) {
				torch.NoGrad(func() { alpha.Detach().View(-1).Narrow(0, entry, 1).AddScalar_(by) })
			}
			move(eps)
			column := gradient()
			move(-2 * eps)
			addScaled(column, gradient(), -1)
			move(eps)
			for k := range column {
				column[k] /= 2 * eps
			}
			matrix = append(matrix, column)
			unit := make([]float64, n)
			unit[i*n/2+entry] = 1
			for k, got := range product(unit) {
				if !(math.Abs(got-column[k]) < 1e-7) {
					t.Errorf("entry %d, %d: %g, want %g", len(matrix)-1, k, got, column[k])
				}
			}
		}
	}
	const decay = 0.25
	// Power iteration on A + c·I, whose largest eigenvalue in magnitude is that by sign.
	const shift, rounds = 10, 20_000
	v := make([]float64, n)
	for i := range v {
		v[i] = float64(i + 1)
	}
	want := 0.0
	for range rounds {
		next := make([]float64, n)
		for k, column := range matrix {
			addScaled(next, column, v[k])
		}
		addScaled(next, v, shift)
		want = lengthOf(next)/lengthOf(v) - shift + decay
		v = make([]float64, n)
		addScaled(v, next, 1/lengthOf(next))
	}
	if got := net.DominantEigenvalue(b, decay); !(math.Abs(got-want) < 1e-6) || want < decay+1e-3 {
		t.Errorf("eigenvalue %g, want %g", got, want)
	}
}

func TestDominantEigenvalueLeavesTheNetwork(t *testing.T) {
	// Every tensor of the network is bit-equal when the eigenvalue was taken, and float32 gives that of float64.
	torchtest.Scope(t)
	net, b := smallest(t)
	before := torch.StateDict{}
	for name, x := range net.StateDict() {
		before[name] = x.Detach().Clone()
	}
	want := net.DominantEigenvalue(b, 1e-3)
	for name, x := range net.StateDict() {
		torchtest.Close(t, name, x, before[name], 0)
	}
	ops := net.Architecture(genotype.Normal).Ops
	single, err := NewPlain(Options{
		Channels: 2, Layers: 3, Nodes: 1, Classes: 4, InputChannels: 1, StemMultiplier: 2, Normal: ops, Reduce: ops,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := single.LoadStateDict(net.StateDict()); err != nil {
		t.Fatal(err)
	}
	got := single.DominantEigenvalue(nn.Batch{X: b.X.ToDtype(torch.Float32), Y: b.Y}, 1e-3)
	if !(math.Abs(got-want) < 1e-4*want) {
		t.Errorf("eigenvalue in float32 %g, in float64 %g", got, want)
	}
}
