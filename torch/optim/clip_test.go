package optim

import (
	"math"
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestClipNorm(t *testing.T) {
	// ClipNorm scales to the bound and returns the norm before when the norm is above it, else changes nothing.
	cases := []struct {
		name  string
		max   float64
		grads [][]float64
		norm  float64
		want  [][]float64
	}{
		{"above", 1, [][]float64{{3, -4}}, 5, [][]float64{{3 / 5.000001, -4 / 5.000001}}},
		{"below", 6, [][]float64{{3, -4}}, 5, [][]float64{{3, -4}}},
		{"at the bound", 5, [][]float64{{3, -4}}, 5, [][]float64{{3 * 5 / 5.000001, -4 * 5 / 5.000001}}},
		{"of all together", 1.3, [][]float64{{3, 4}, {12}}, 13,
			[][]float64{{3 * 1.3 / 13.000001, 4 * 1.3 / 13.000001}, {12 * 1.3 / 13.000001}}},
		{"below together", 14, [][]float64{{3, 4}, {12}}, 13, [][]float64{{3, 4}, {12}}},
		{"zeros", 5, [][]float64{{0, 0}}, 0, [][]float64{{0, 0}}},
		{"to zero", 0, [][]float64{{3, -4}}, 5, [][]float64{{0, 0}}},
		{"none", 5, nil, 0, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			torchtest.Scope(t)
			var grads []torch.Tensor
			for _, g := range c.grads {
				grads = append(grads, vector(g...))
			}
			if norm := ClipNorm(c.max, grads...); norm != c.norm {
				t.Errorf("norm %g, want %g", norm, c.norm)
			}
			for i, g := range grads {
				wantClose(t, "gradient", g, c.want[i], 1e-15)
			}
		})
	}
}

func TestClipNormNotFinite(t *testing.T) {
	// ClipNorm returns the norm and leaves the gradients alone when the norm is no finite number.
	inf := math.Inf(1)
	cases := []struct {
		name  string
		grads [][]float64
		norm  float64
	}{
		{"infinite", [][]float64{{3, inf}}, inf},
		{"infinite among others", [][]float64{{3, 4}, {-inf}}, inf},
		{"not a number", [][]float64{{3, math.NaN()}}, math.NaN()},
		{"not a number among others", [][]float64{{math.NaN()}, {3, 4}}, math.NaN()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			torchtest.Scope(t)
			var grads []torch.Tensor
			for _, g := range c.grads {
				grads = append(grads, vector(g...))
			}
			same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
			if norm := ClipNorm(1, grads...); !same(norm, c.norm) {
				t.Errorf("norm %g, want %g", norm, c.norm)
			}
			for i, g := range grads {
				if got := g.Float64s(); !slices.EqualFunc(got, c.grads[i], same) {
					t.Errorf("gradient %d became %v", i, got)
				}
			}
		})
	}
}

func TestClipNormRejects(t *testing.T) {
	// ClipNorm panics when the bound is negative or not a number.
	for _, max := range []float64{-1, math.NaN()} {
		torchtest.Scope(t)
		if err := caught(t, func() { ClipNorm(max, vector(1)) }); err == nil {
			t.Errorf("bound %g was accepted", max)
		}
		if err := caught(t, func() { Clip(max, vector(1)) }); err == nil {
			t.Errorf("bound %g was accepted by Clip", max)
		}
	}
}

func TestClipBits(t *testing.T) {
	// Clip gives the bits of one product with the factor rounded to the gradients' type when they are float32, and changes no bit below the bound.
	torchtest.Scope(t)
	torch.ManualSeed(4)
	for _, dtype := range []torch.Dtype{torch.Float32, torch.Float64} {
		for _, max := range []float64{0.3, 1, 7, 31.7, 1e9} {
			g := torch.Randn([]int{1000}, torch.Options{Dtype: dtype})
			want := g.Clone()
			if factor := max / (g.Norm().Item() + 1e-6); factor < 1 {
				want.MulScalar_(factor)
			}
			Clip(max, g)
			if !slices.EqualFunc(g.Float64s(), want.Float64s(), func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }) {
				t.Errorf("%v, bound %g: other bits", dtype, max)
			}
		}
	}
}
