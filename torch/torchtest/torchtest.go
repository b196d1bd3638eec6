// Package torchtest helps tests of what is built on package torch: scopes that
// find leaks, comparisons, recordings and the GPU.
package torchtest

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/safetensors"
)

// Tolerances of Close against recordings of the reference, by how the numbers
// came about.
const (
	// Float64 is for what ran in float64 and was stored so: losses, logits,
	// gradients of α. Another order of sums gives 1e-13 a layer; steps of SGD and
	// the division by 2ε raise it.
	Float64 = 1e-9
	// StoredFloat32 is for what ran in float64 and was stored as float32: half a
	// unit of 24 bits is 6e-8, and gradients near zero lose more.
	StoredFloat32 = 1e-6
	// Float32 is for what ran in float32: 1e-7 an operation through some forty
	// layers.
	Float32 = 1e-4
)

// Scope opens a scope that closes when the test ends, and then fails the test if
// more tensors live than before. Tests with a scope must not be parallel.
func Scope(t testing.TB) {
	t.Helper()
	before := torch.Live()
	leave := torch.Enter()
	t.Cleanup(func() {
		leave()
		if after := torch.Live(); after > before {
			t.Errorf("%d tensors live after the test, %d before it", after, before)
		}
	})
}

// Close fails the test unless ‖got − want‖ ≤ tolerance·‖want‖, or ≤ tolerance
// where want is zero. Types and devices may differ, shapes may not.
func Close(t testing.TB, name string, got, want torch.Tensor, tolerance float64) {
	t.Helper()
	shape := want.Shape()
	if g := got.Shape(); !slices.Equal(g, shape) {
		t.Errorf("%s: shape %v, want %v", name, g, shape)
		return
	}
	g, w := got.Float64s(), want.Float64s()
	var difference, norm, worst float64
	at := 0
	for i := range w {
		d := math.Abs(g[i] - w[i])
		difference = math.Hypot(difference, d)
		norm = math.Hypot(norm, w[i])
		if d > worst || math.IsNaN(d) && !math.IsNaN(worst) {
			worst, at = d, i
		}
	}
	relative, kind := difference, "absolute"
	if norm > 0 {
		relative, kind = difference/norm, "relative"
	}
	// The negation catches what is not a number.
	if !(relative <= tolerance) {
		t.Errorf("%s%v: got %.17g, want %.17g; largest difference %.3g, %s norm of all %.3g, tolerance %.3g",
			name, index(at, shape), g[at], w[at], worst, kind, relative, tolerance)
	}
}

// index is where the element number i lies in a tensor of that shape.
func index(i int, shape []int) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}

// Golden opens a recording until the test ends. The file is compressed if its name ends
// in .gz.
func Golden(t testing.TB, path string) *safetensors.File {
	t.Helper()
	open := safetensors.Open
	if strings.HasSuffix(path, ".gz") {
		open = func(string) (*safetensors.File, error) { return safetensors.Read(Content(t, path)) }
	}
	s, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Fixture is the path of a recording: in the folder that GODARTS_FIXTURES names,
// else in the nearest testdata/fixtures of the package's folder and those above
// that has it. Without one the test ends.
func Fixture(t testing.TB, name string) string {
	t.Helper()
	if folder := os.Getenv("GODARTS_FIXTURES"); folder != "" {
		return filepath.Join(folder, name)
	}
	return above(t, filepath.Join("testdata", "fixtures", name))
}

// CUDA is the first GPU; the test is skipped, with the reason, where there is none.
func CUDA(t testing.TB) torch.Device {
	t.Helper()
	d, err := torch.CUDA(0)
	if err != nil {
		t.Skip(err)
	}
	return d
}
