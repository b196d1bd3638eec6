package torch_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// depthwiseCase is a depthwise convolution of images [n,c,h,w].
type depthwiseCase struct {
	n, c, h, w, k int
	o             torch.DepthwiseOptions
}

// depthwiseCases are of all kernels, strides and dilations that have loops, on sizes drawn at random, images of one
// pixel among them; and of some that have none.
func depthwiseCases() (all []depthwiseCase) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, k := range []int{3, 5} {
		for stride := 1; stride <= 2; stride++ {
			for dilation := 1; dilation <= 2; dilation++ {
				for i, c := range []int{4, 16, 12, 36} {
					all = append(all, depthwiseCase{1 + r.IntN(4), c, 1 + r.IntN(18), 1 + r.IntN(18), k, torch.DepthwiseOptions{Stride: stride, Dilation: dilation, ReLU: i%2 == 0}})
				}
				all = append(all, depthwiseCase{2, 8, 1, 1, k, torch.DepthwiseOptions{Stride: stride, Dilation: dilation, ReLU: true}})
			}
		}
		all = append(all, depthwiseCase{70, 20, 8, 8, k, torch.DepthwiseOptions{ReLU: true}})
	}
	return append(all, depthwiseCase{2, 4, 6, 7, 7, torch.DepthwiseOptions{ReLU: true}}, depthwiseCase{2, 4, 6, 7, 1, torch.DepthwiseOptions{Stride: 2}},
		depthwiseCase{2, 6, 6, 7, 3, torch.DepthwiseOptions{ReLU: true, Dilation: 2}}, depthwiseCase{1, 4, 9, 9, 3, torch.DepthwiseOptions{Stride: 3, Dilation: 3}})
}

// pixelsOf is a matrix with a row for each pixel of images, imagesOf the images of such a matrix.
func pixelsOf(t torch.Tensor) torch.Tensor { return t.Permute(0, 2, 3, 1).Reshape(-1, t.Size(1)) }

func imagesOf(pixels torch.Tensor, n, h, w int) torch.Tensor {
	return pixels.View(n, h, w, pixels.Size(1)).Permute(0, 3, 1, 2)
}

// libtorch is the convolution by libtorch's operators.
func (d depthwiseCase) libtorch(x, weight, bias torch.Tensor) torch.Tensor {
	if d.o.Through.Defined() {
		x = imagesOf(pixelsOf(x).Mm(d.o.Through), d.n, d.h, d.w)
	}
	if d.o.ReLU {
		x = x.ReLU()
	}
	dilation := max(d.o.Dilation, 1)
	return torch.Conv2d(x, weight, bias, torch.Conv2dOptions{Stride: d.o.Stride, Dilation: dilation, Padding: dilation * (d.k - 1) / 2, Groups: d.c})
}

func TestDepthwise(t *testing.T) {
	// Value, gradients and gradients of gradients are libtorch's, whatever the sizes, layout and threads are.
	for i, d := range depthwiseCases() {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads())
			torch.SetThreads(1 + i%3)
			torch.ManualSeed(7)
			x, weight, bias := torch.Randn([]int{d.n, d.c, d.h, d.w}, double), torch.Randn([]int{d.c, 1, d.k, d.k}, double), torch.Randn([]int{d.c}, double)
			if i%4 > 0 {
				x = x.ChannelsLast()
			}
			biased, gram := d.libtorch(x, weight, bias), torch.Empty([]int{d.c, d.c}, double)
			torchtest.Close(t, "with a bias", torch.Depthwise(x, weight, bias, d.o), biased, 1e-12)
			torchtest.Close(t, "with a Gram matrix", torch.DepthwiseGram(gram, x, weight, bias, d.o), biased, 1e-12)
			torchtest.Close(t, "Gram matrix", gram, pixelsOf(biased).T().Mm(pixelsOf(biased)), 1e-12)
			through := d
			through.o.Through = torch.Randn([]int{d.c, d.c}, double)
			biased = through.libtorch(x, weight, bias)
			torchtest.Close(t, "through a matrix", torch.DepthwiseGram(gram, x, weight, bias, through.o), biased, 1e-12)
			torchtest.Close(t, "Gram matrix, through a matrix", gram, pixelsOf(biased).T().Mm(pixelsOf(biased)), 1e-12)

			through.o.Through.RequiresGrad_(true)
			for _, to := range []torch.Tensor{x.RequiresGrad_(true), weight.RequiresGrad_(true), through.o.Through} {
				gradient := func(y torch.Tensor) torch.Tensor {
					return torch.Grad([]torch.Tensor{y.Square().Sum()}, []torch.Tensor{to}, torch.GradOptions{})[0]
				}
				torchtest.Close(t, "gradient, through a matrix", gradient(torch.Depthwise(x, weight, bias, through.o)), gradient(through.libtorch(x, weight, bias)), 1e-12)
			}

			inputs := []torch.Tensor{x, weight}
			of := func(y torch.Tensor) []torch.Tensor {
				loss := y.Square().Mul(y).Sum()
				plain := torch.Grad([]torch.Tensor{loss}, inputs, torch.GradOptions{RetainGraph: true})
				first := torch.Grad([]torch.Tensor{loss}, inputs, torch.GradOptions{CreateGraph: true})
				product := first[0].Square().Sum().Add(first[1].Square().Sum())
				second := torch.Grad([]torch.Tensor{product}, inputs, torch.GradOptions{})
				return append(append(append([]torch.Tensor{y}, plain...), first...), second...)
			}
			got, want := of(torch.Depthwise(x, weight, torch.Tensor{}, d.o)), of(d.libtorch(x, weight, torch.Tensor{}))
			for i, what := range []string{"value", "gradient of x", "gradient of weight", "with a graph, of x", "with a graph, of weight", "second of x", "second of weight"} {
				torchtest.Close(t, what, got[i].Detach(), want[i].Detach(), 1e-12)
			}
		})
	}
}

func TestDepthwiseBackward(t *testing.T) {
	// Each gradient is autograd's when it is asked for alone, with the other, or to be added.
	for _, d := range depthwiseCases() {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(7)
			x, weight := torch.Randn([]int{d.n, d.c, d.h, d.w}, double).ChannelsLast(), torch.Randn([]int{d.c, 1, d.k, d.k}, double)
			inputs := []torch.Tensor{x.Clone().RequiresGrad_(true), weight.Clone().RequiresGrad_(true)}
			y := d.libtorch(inputs[0], inputs[1], torch.Tensor{})
			g := torch.Randn(y.Shape(), double)
			want := torch.Grad([]torch.Tensor{y.Mul(g).Sum()}, inputs, torch.GradOptions{})

			before := torch.Randn(x.Shape(), double).ChannelsLast()
			dx, dWeight := before.Clone(), torch.Empty(weight.Shape(), double)
			of := func(g, dWeight torch.Tensor) torch.DepthwiseWay {
				return torch.DepthwiseWay{G: g, Weight: weight, DWeight: dWeight}
			}
			torch.DepthwiseBackward(torch.DepthwiseGradients{X: dx, Add: true}, x, d.o, of(g, dWeight))
			torchtest.Close(t, "of x, added", dx, want[0].Add(before), 1e-12)
			torchtest.Close(t, "of weight", dWeight, want[1], 1e-12)
			torch.DepthwiseBackward(torch.DepthwiseGradients{X: dx}, x, d.o, of(g.ChannelsLast(), torch.Tensor{}))
			torchtest.Close(t, "of x alone", dx, want[0], 1e-12)
			room := torch.Zeros([]int{d.c, 1, d.k, d.k + 1}, double)
			torch.DepthwiseBackward(torch.DepthwiseGradients{}, x, d.o, of(g, room.Narrow(3, 0, d.k)))
			torchtest.Close(t, "of weight alone, with gaps", room.Narrow(3, 0, d.k), want[1], 1e-12)
			rows := pixelsOf(g).Size(0)
			pairs := []torch.Tensor{torch.Randn([]int{rows, d.c}, double), torch.Randn([]int{rows, 7}, double)}
			matrices := []torch.Tensor{torch.Randn([]int{d.c, d.c}, double), torch.Randn([]int{7, d.c}, double)}
			sum := imagesOf(pairs[0].Mm(matrices[0]).Add(pairs[1].Mm(matrices[1])), g.Size(0), g.Size(2), g.Size(3))
			want = torch.Grad([]torch.Tensor{d.libtorch(inputs[0], inputs[1], torch.Tensor{}).Mul(sum).Sum()}, inputs, torch.GradOptions{})
			gram := torch.Empty([]int{d.c, d.c}, double)
			products := torch.DepthwiseWay{Weight: weight, DWeight: dWeight, Pixels: pairs, Matrices: matrices}
			torch.DepthwiseBackward(torch.DepthwiseGradients{X: dx, Beside: before, Gram: gram}, x, d.o, products)
			torchtest.Close(t, "of x, from products", dx, want[0], 1e-12)
			torchtest.Close(t, "of weight, from products", dWeight, want[1], 1e-12)
			torchtest.Close(t, "Gram matrix", gram, pixelsOf(want[0]).T().Mm(pixelsOf(before)), 1e-12)

			through, z := d.o, torch.Tensor{}
			through.Through = torch.Randn([]int{d.c, d.c}, double)
			z = imagesOf(pixelsOf(x).Mm(through.Through), d.n, d.h, d.w).RequiresGrad_(true)
			want = torch.Grad([]torch.Tensor{d.libtorch(z, inputs[1], torch.Tensor{}).Mul(sum).Sum()}, []torch.Tensor{z, inputs[1]}, torch.GradOptions{})
			sums := torch.Empty([]int{2, d.c}, double)
			torch.DepthwiseBackward(torch.DepthwiseGradients{X: dx, Beside: x, Gram: gram, Sums: sums.Select(0, 1)}, x, through, products)
			torchtest.Close(t, "of x, through a matrix", dx, want[0], 1e-12)
			torchtest.Close(t, "of weight, through a matrix", dWeight, want[1], 1e-12)
			torchtest.Close(t, "Gram matrix, through a matrix", gram, pixelsOf(want[0]).T().Mm(pixelsOf(x)), 1e-12)
			torchtest.Close(t, "sums", sums.Select(0, 1), pixelsOf(want[0]).SumDims([]int{0}, false), 1e-12)
			torchtest.Close(t, "what lies between", room.Narrow(3, d.k, 1), torch.Zeros([]int{d.c, 1, d.k, 1}, double), 0)
		})
	}
}

func TestDepthwiseWays(t *testing.T) {
	// The gradients of several convolutions of one x, of any kernels and dilations, are those of each by itself; x's are added up.
	for stride := 1; stride <= 2; stride++ {
		for _, images := range [][]int{{3, 16, 9, 14}, {20, 8, 8, 8}, {2, 6, 7, 5}, {2, 36, 17, 18}} {
			t.Run(fmt.Sprint(stride, images), func(t *testing.T) {
				torchtest.Scope(t)
				torch.ManualSeed(7)
				c, o := images[1], torch.DepthwiseOptions{Stride: stride, ReLU: true}
				x := torch.Randn(images, double).ChannelsLast()
				before := torch.Randn(images, double).ChannelsLast()
				want, got := before.Clone(), before.Clone()
				var ways []torch.DepthwiseWay
				var alone []torch.Tensor
				for i, k := range []int{3, 5, 5, 3} {
					weight := torch.Randn([]int{c, 1, k, k}, double)
					o.Dilation = 1 + i/2
					g := torch.Randn(torch.Depthwise(x, weight, torch.Tensor{}, o).Shape(), double).ChannelsLast()
					way := torch.DepthwiseWay{G: g, Weight: weight, Dilation: o.Dilation}
					if i%2 == 0 {
						pixels := torch.Randn([]int{pixelsOf(g).Size(0), 3}, double)
						matrix := torch.Randn([]int{3, c}, double)
						way = torch.DepthwiseWay{Pixels: []torch.Tensor{pixels}, Matrices: []torch.Tensor{matrix}, Weight: weight, Dilation: o.Dilation}
					}
					if i < 3 { // not of the last
						alone = append(alone, torch.EmptyLike(weight))
						way.DWeight = alone[i]
					}
					torch.DepthwiseBackward(torch.DepthwiseGradients{X: want, Add: true}, x, o, way)
					if i < 3 {
						way.DWeight = torch.EmptyLike(weight)
					}
					ways = append(ways, way)
				}
				o.Dilation = 0
				torch.DepthwiseBackward(torch.DepthwiseGradients{X: got, Add: true}, x, o, ways...)
				torchtest.Close(t, "of x, added", got, want, 0)
				for i, w := range alone {
					torchtest.Close(t, fmt.Sprint("of weight ", i), ways[i].DWeight, w, 0)
				}
				torch.DepthwiseBackward(torch.DepthwiseGradients{X: got}, x, o, ways...)
				torchtest.Close(t, "of x", got.Add(before), want, 1e-12)
			})
		}
	}
}

func TestDepthwiseThreads(t *testing.T) {
	// All results are equal to the last bit when threads differ in number. (Products of libtorch's are not.)
	torchtest.Scope(t)
	defer torch.SetThreads(torch.Threads())
	torch.ManualSeed(7)
	x, weight, g := torch.Randn([]int{9, 36, 16, 16}, single).ChannelsLast(), torch.Randn([]int{36, 1, 5, 5}, single), torch.Randn([]int{9, 36, 16, 16}, single)
	var want []torch.Tensor
	for threads := 1; threads <= 4; threads++ {
		torch.SetThreads(threads)
		o := torch.DepthwiseOptions{ReLU: true}
		got := []torch.Tensor{{}, torch.EmptyLike(x), torch.EmptyLike(weight), torch.ReLUSum(x.Permute(0, 2, 3, 1).Reshape(9, -1)), torch.Empty([]int{36, 36}, single), torch.Empty([]int{36, 36}, single), torch.Empty([]int{36}, double)}
		got[0] = torch.DepthwiseGram(got[5], x, weight, torch.Tensor{}, o)
		torch.DepthwiseBackward(torch.DepthwiseGradients{X: got[1], Beside: x, Gram: got[4], Sums: got[6]}, x, o, torch.DepthwiseWay{G: g, Weight: weight, DWeight: got[2]})
		if threads == 1 {
			want = got
		}
		if kind, err := torch.Processor(); err != nil || strings.HasPrefix(kind, "none") {
			got = got[:4]
		}
		for i, r := range got {
			what := []string{"value", "gradient of x", "gradient of weight", "sum", "Gram matrix of both gradients", "Gram matrix", "sum of the gradient"}[i]
			torchtest.Close(t, fmt.Sprint(what, " of ", threads), r, want[i], 0)
		}
	}
}

func TestDepthwisePrecision(t *testing.T) {
	// In float32 value and gradients are no further from those in float64 than libtorch's are, or half as far again.
	for _, d := range []depthwiseCase{
		{8, 16, 32, 32, 3, torch.DepthwiseOptions{ReLU: true}}, {8, 16, 32, 32, 5, torch.DepthwiseOptions{ReLU: true, Dilation: 2}}, {32, 36, 16, 16, 5, torch.DepthwiseOptions{Stride: 2}},
	} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(7)
			exactX, exactWeight := torch.Randn([]int{d.n, d.c, d.h, d.w}, double).ChannelsLast(), torch.Randn([]int{d.c, 1, d.k, d.k}, double)
			var factor torch.Tensor
			run := func(o torch.Options, of func(x, weight, bias torch.Tensor) torch.Tensor) []torch.Tensor {
				inputs := []torch.Tensor{exactX.To(o).Detach().RequiresGrad_(true), exactWeight.To(o).Detach().RequiresGrad_(true)}
				y := of(inputs[0], inputs[1], torch.Tensor{})
				if !factor.Defined() {
					factor = torch.Randn(y.Shape(), double)
				}
				return append([]torch.Tensor{y.Detach()}, torch.Grad([]torch.Tensor{y.Mul(factor.To(o)).Sum()}, inputs, torch.GradOptions{})...)
			}
			exact, plain := run(double, d.libtorch), run(single, d.libtorch)
			own := run(single, func(x, weight, bias torch.Tensor) torch.Tensor { return torch.Depthwise(x, weight, bias, d.o) })
			for i, what := range []string{"value", "gradient of x", "gradient of weight"} {
				far := func(got torch.Tensor) float64 { return got.To(double).Sub(exact[i]).Norm().Item() }
				if f, p := far(own[i]), far(plain[i]); f > 1.5*p {
					t.Errorf("%s is %.3g away, libtorch's %.3g", what, f, p)
				}
			}
		})
	}
}

func TestDepthwiseNaN(t *testing.T) {
	// A NaN goes through the ReLU to all that reads it, forward and backward, as in libtorch.
	torchtest.Scope(t)
	d := depthwiseCase{1, 4, 5, 5, 3, torch.DepthwiseOptions{ReLU: true}}
	x := torch.Ones([]int{1, 4, 5, 5}, double).ChannelsLast()
	x.Narrow(2, 2, 1).Narrow(3, 2, 1).Fill_(math.NaN())
	x.Narrow(2, 0, 1).Fill_(-1)
	weight := torch.Ones([]int{4, 1, 3, 3}, double)
	both := func(of func(x, weight, bias torch.Tensor) torch.Tensor) [][]bool {
		inputs := []torch.Tensor{x.Clone().RequiresGrad_(true), weight.Clone().RequiresGrad_(true)}
		y := of(inputs[0], inputs[1], torch.Tensor{})
		var nan [][]bool
		for _, r := range append(torch.Grad([]torch.Tensor{y.Sum()}, inputs, torch.GradOptions{}), y.Detach()) {
			var of []bool
			for _, v := range r.Float64s() {
				of = append(of, v != v)
			}
			nan = append(nan, of)
		}
		return nan
	}
	got := both(func(x, weight, bias torch.Tensor) torch.Tensor { return torch.Depthwise(x, weight, bias, d.o) })
	if want := both(d.libtorch); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("NaN in\n%v\nwant\n%v", got, want)
	}
}

func TestReLUSum(t *testing.T) {
	// The sum is libtorch's of max(x, 0), whatever the sizes, types and strides are.
	torchtest.Scope(t)
	torch.ManualSeed(7)
	for _, shape := range [][2]int{{1, 1}, {3, 5000}, {40, 2048}, {7, 2050}} {
		for _, o := range []torch.Options{double, single} {
			x := torch.Randn(shape[:], o)
			for _, rows := range []torch.Tensor{x, x.T()} {
				torchtest.Close(t, fmt.Sprint(shape, o), torch.ReLUSum(rows), rows.To(double).ReLU().SumDims([]int{0}, false), 1e-6)
			}
		}
	}
	nan := torch.ReLUSum(torch.FromSlice([]float64{-1, math.NaN(), 2, 3}, 2, 2))
	if first, second := nan.Select(0, 0).Item(), nan.Select(0, 1).Item(); first != 2 || second == second {
		t.Errorf("got %v and %v, want 2 and NaN", first, second)
	}
}

func BenchmarkDepthwise(b *testing.B) {
	// One thread, float32, of max(x, 0): convolution and both gradients.
	for _, d := range []depthwiseCase{
		{32, 16, 32, 32, 3, torch.DepthwiseOptions{}}, {32, 16, 32, 32, 5, torch.DepthwiseOptions{}}, {32, 16, 32, 32, 3, torch.DepthwiseOptions{Dilation: 2}},
		{32, 16, 32, 32, 5, torch.DepthwiseOptions{Dilation: 2}}, {32, 64, 8, 8, 5, torch.DepthwiseOptions{}}, {32, 32, 32, 32, 3, torch.DepthwiseOptions{Stride: 2}},
		{48, 36, 32, 32, 3, torch.DepthwiseOptions{}}, {48, 144, 8, 8, 5, torch.DepthwiseOptions{Dilation: 2}},
	} {
		d.o.ReLU = true
		for _, form := range []struct {
			name string
			of   func(x, weight, bias torch.Tensor) torch.Tensor
		}{{"libtorch", d.libtorch}, {"own", func(x, weight, bias torch.Tensor) torch.Tensor { return torch.Depthwise(x, weight, bias, d.o) }}} {
			b.Run(fmt.Sprintf("%dx%dx%dx%d k%d s%d d%d/%s", d.n, d.c, d.h, d.w, d.k, max(1, d.o.Stride), max(1, d.o.Dilation), form.name), func(b *testing.B) {
				torchtest.Scope(b)
				defer torch.SetThreads(torch.Threads())
				torch.SetThreads(1)
				inputs := []torch.Tensor{torch.Randn([]int{d.n, d.c, d.h, d.w}, single).ChannelsLast().RequiresGrad_(true), torch.Randn([]int{d.c, 1, d.k, d.k}, single).RequiresGrad_(true)}
				g := torch.EmptyLike(form.of(inputs[0], inputs[1], torch.Tensor{}).Detach()).Fill_(1)
				for b.Loop() {
					torch.Scoped(func() {
						y := form.of(inputs[0], inputs[1], torch.Tensor{})
						torch.Grad([]torch.Tensor{y}, inputs, torch.GradOptions{GradOutputs: []torch.Tensor{g}})
					})
				}
			})
		}
	}
}
