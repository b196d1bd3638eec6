package torch_test

import (
	"errors"
	"fmt"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestSumProducts(t *testing.T) {
	// The sum is that of libtorch's products in float64, whatever the shapes, types and strides are.
	for _, test := range []struct {
		dtype     torch.Dtype
		tolerance float64
	}{{torch.Float64, 1e-12}, {torch.Float32, 1e-6}} {
		for _, shape := range [][3]int{{1, 1, 1}, {3, 5, 7}, {1000, 16, 16}, {513, 32, 32}, {300, 64, 64}, {700, 36, 72}, {300, 130, 200}, {20, 2100, 70}, {300, 2100, 70}, {33, 700, 500}, {490, 300, 530}, {90, 40, 44}} {
			for _, add := range []bool{false, true} {
				t.Run(fmt.Sprint(test.dtype, shape, add), func(t *testing.T) {
					torchtest.Scope(t)
					torch.ManualSeed(3)
					m, k, n := shape[0], shape[1], shape[2]
					exact := torch.Options{Dtype: torch.Float64}
					room := torch.Randn([]int{m, n + 5}, torch.Options{Dtype: test.dtype})
					out := room.Narrow(1, 2, n) // rows apart from each other
					beside := room.Narrow(1, 2+n, 3).Clone()
					want := torch.Zeros([]int{m, n}, exact)
					if add {
						want = out.To(exact).Clone()
					}
					var xs, ws []torch.Tensor
					for i := range 3 {
						x, w := torch.Randn([]int{m, k + i}, room.Options()), torch.Randn([]int{k + i, n}, room.Options())
						if i == 1 {
							x, w = torch.Randn([]int{m, 2 * (k + i)}, room.Options()).Narrow(1, 0, k+i), torch.Randn([]int{n, k + i}, room.Options()).T()
						}
						xs, ws = append(xs, x), append(ws, w)
						want.Addmm_(x.To(exact), w.To(exact), 1, 1)
					}
					torch.SumProducts(out, add, xs, ws)
					torchtest.Close(t, "all three", out, want, test.tolerance)
					torch.SumProducts(out, true, xs[:1], ws[:1])
					torchtest.Close(t, "the first once more", out, want.Addmm_(xs[0].To(exact), ws[0].To(exact), 1, 1), test.tolerance)
					torch.SumProducts(out, false, xs[:1], ws[:1])
					torchtest.Close(t, "the first alone", out, xs[0].To(exact).Mm(ws[0].To(exact)), test.tolerance)
					torchtest.Close(t, "what lies beside", room.Narrow(1, 2+n, 3), beside, 0)
				})
			}
		}
	}
}

func TestGram(t *testing.T) {
	// The product of the transpose is libtorch's in float64, whatever the shapes, types and strides are, and symmetric where both are the same.
	for _, test := range []struct {
		dtype     torch.Dtype
		tolerance float64
	}{{torch.Float64, 1e-12}, {torch.Float32, 1e-6}} {
		for _, shape := range [][3]int{{1, 1, 1}, {9, 5, 7}, {9, 16, 7}, {1000, 16, 16}, {513, 32, 64}, {300, 64, 128}, {700, 36, 72}, {257, 130, 215}, {70, 17, 31}, {70, 20, 83}, {530, 250, 300}, {90, 40, 44}} {
			for _, add := range []bool{false, true} {
				t.Run(fmt.Sprint(test.dtype, shape, add), func(t *testing.T) {
					torchtest.Scope(t)
					torch.ManualSeed(3)
					m, columns, others := shape[0], shape[1], shape[2]
					o, exact := torch.Options{Dtype: test.dtype}, torch.Options{Dtype: torch.Float64}
					a, b := torch.Randn([]int{m, columns + 3}, o).Narrow(1, 1, columns), torch.Randn([]int{m, others}, o)
					for _, pair := range []struct {
						name string
						a, b torch.Tensor
					}{{"aᵀb", a, b}, {"bᵀa", b, a}, {"aᵀa", a, a}, {"bᵀb", b, b}} {
						rows, n := pair.a.Size(1), pair.b.Size(1)
						room := torch.Randn([]int{rows, n + 5}, o)
						out := room.Narrow(1, 2, n)
						beside := room.Narrow(1, 2+n, 3).Clone()
						want := pair.a.To(exact).T().Mm(pair.b.To(exact))
						if add {
							want.Add_(out.To(exact))
						}
						torch.Gram(out, add, pair.a, pair.b)
						torchtest.Close(t, pair.name, out, want, test.tolerance)
						torchtest.Close(t, "what lies beside", room.Narrow(1, 2+n, 3), beside, 0)

						bs, several := []torch.Tensor{pair.b, pair.b.Neg(), pair.b.MulScalar(2)}, torch.Randn([]int{3, rows, n}, o)
						for i, b := range bs {
							want := pair.a.To(exact).T().Mm(b.To(exact))
							if add {
								want.Add_(several.Select(0, i).To(exact))
							}
							one := several.Clone()
							torch.Gram(one, add, pair.a, bs...)
							torchtest.Close(t, fmt.Sprint(pair.name, " of several, ", i), one.Select(0, i), want, test.tolerance)
						}
					}
				})
			}
		}
	}
}

func TestProductsRefuse(t *testing.T) {
	// Shapes and types that do not fit are errors that name them.
	x, w := func() torch.Tensor { return torch.Ones([]int{4, 3}, single) }, func() torch.Tensor { return torch.Ones([]int{3, 2}, single) }
	list := func(ts ...torch.Tensor) []torch.Tensor { return ts }
	for _, test := range []struct {
		name string
		run  func()
	}{
		{"too few columns", func() { torch.SumProducts(torch.Empty([]int{4, 1}, single), false, list(x()), list(w())) }},
		{"inner sizes", func() { torch.SumProducts(torch.Empty([]int{4, 3}, single), false, list(x()), list(x())) }},
		{"none", func() { torch.SumProducts(torch.Empty([]int{4, 2}, single), false, nil, nil) }},
		{"one x, two ws", func() { torch.SumProducts(torch.Empty([]int{4, 2}, single), false, list(x()), list(w(), w())) }},
		{"types", func() { torch.SumProducts(torch.Empty([]int{4, 2}, double), false, list(x()), list(w())) }},
		{"rows", func() { torch.Gram(torch.Empty([]int{3, 2}, single), false, x(), w()) }},
		{"two for one room", func() { torch.Gram(torch.Empty([]int{3, 2}, single), false, x(), x().Mm(w()), x().Mm(w())) }},
		{"no matrix", func() { torch.Gram(torch.Empty([]int{3, 3}, single), false, x(), x().View(-1)) }},
	} {
		err := torch.Do(func() error {
			test.run()
			return nil
		})
		if e := (*torch.Error)(nil); !errors.As(err, &e) {
			t.Errorf("%s: got %v, want an error of this package", test.name, err)
		}
	}
}

func BenchmarkProducts(b *testing.B) {
	// One thread, float32; what is left out of a symmetric product counts too.
	for _, shape := range [][3]int{{32768, 16, 16}, {8192, 36, 36}, {8192, 64, 64}, {4096, 72, 72}, {4096, 144, 144}, {1024, 300, 600}, {32, 850, 1700}, {1120, 850, 1700}} {
		m, k, n := shape[0], shape[1], shape[2]
		for _, product := range []struct {
			name string
			take func(x, y, w, z, g torch.Tensor) // x [m,k], y [m,n], w [k,n], z [m,n], g [k,n]
		}{
			{"Addmm_", func(x, _, w, z, _ torch.Tensor) { z.Addmm_(x, w, 1, 1) }},
			{"SumProducts", func(x, _, w, z, _ torch.Tensor) {
				torch.SumProducts(z, true, []torch.Tensor{x}, []torch.Tensor{w})
			}},
			{"Mm of a transpose", func(x, y, _, _, g torch.Tensor) { x.T().Mm(y) }},
			{"Gram", func(x, y, _, _, g torch.Tensor) { torch.Gram(g, false, x, y) }},
			{"Gram, symmetric", func(x, _, _, _, g torch.Tensor) { torch.Gram(g.Narrow(1, 0, k), false, x, x) }},
		} {
			b.Run(fmt.Sprint(m, "x", k, "x", n, "/", product.name), func(b *testing.B) {
				torch.Do(func() error {
					defer torch.SetThreads(torch.Threads())
					torch.SetThreads(1)
					x, y, w := torch.Randn([]int{m, k}, single), torch.Randn([]int{m, n}, single), torch.Randn([]int{k, n}, single)
					z, g := torch.Zeros([]int{m, n}, single), torch.Zeros([]int{k, n}, single)
					columns := n
					if product.name == "Gram, symmetric" {
						columns = k
					}
					for b.Loop() {
						torch.Scoped(func() { product.take(x, y, w, z, g) })
					}
					b.ReportMetric(2*float64(m*k*columns)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
					return nil
				})
			})
		}
	}
}

func TestScaledSum(t *testing.T) {
	// The sum has the bits of Mul and Addcmul_ one after the other, whatever the sizes, threads and types are.
	for _, o := range []torch.Options{single, double} {
		for i, shape := range [][2]int{{1, 1}, {3, 5}, {700, 16}, {129, 512}, {4096, 4}, {2, 6000}} {
			t.Run(fmt.Sprint(o.Dtype, shape), func(t *testing.T) {
				torchtest.Scope(t)
				defer torch.SetThreads(torch.Threads())
				torch.SetThreads(1 + i%3)
				torch.ManualSeed(3)
				var ys, shares []torch.Tensor
				for k := range 5 {
					columns := []int{shape[1], 1, 1, shape[1], shape[1]}[k]
					ys, shares = append(ys, torch.Randn(shape[:], o)), append(shares, torch.Randn([]int{1, columns}, o))
				}
				got, want := torch.Empty(shape[:], o), ys[0].Mul(shares[0])
				torch.ScaledSum(got, false, ys[:1], shares[:1])
				same(t, "one term", got, want)
				torch.ScaledSum(got, true, ys[1:], shares[1:])
				for k := 1; k < 5; k++ {
					want.Addcmul_(ys[k], shares[k], 1)
				}
				same(t, "added terms", got, want)
				torch.ScaledSum(got, false, ys, shares)
				same(t, "all terms", got, want)
				other := torch.Empty([]int{shape[1], shape[0]}, o)
				torch.ScaledSum(other.T(), false, ys, shares)
				same(t, "where columns are adjacent", other.T(), want)
			})
		}
	}
}

func TestScaledSumMisfit(t *testing.T) {
	// An error tells what does not fit when sizes or types differ.
	torchtest.Scope(t)
	out, y, row := torch.Ones([]int{4, 3}, double), torch.Ones([]int{4, 3}, double), torch.Ones([]int{1, 3}, double)
	for name, call := range map[string]func(){
		"y":      func() { torch.ScaledSum(out, false, tensors(y.Narrow(0, 0, 2)), tensors(row)) },
		"share":  func() { torch.ScaledSum(out, false, tensors(y), tensors(torch.Ones([]int{5}, double))) },
		"type":   func() { torch.ScaledSum(out, false, tensors(y.ToDtype(torch.Float32)), tensors(row)) },
		"number": func() { torch.ScaledSum(out, false, tensors(y, y), tensors(row)) },
		"none":   func() { torch.ScaledSum(out, false, nil, nil) },
	} {
		if e := caught(t, call); e == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
