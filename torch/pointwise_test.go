package torch_test

import (
	"fmt"
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// pointwiseInputs are images, and what PointwiseNorm takes beside them. The images' mean is far
// from zero: there a variance by the mean of squares would be wrong.
func pointwiseInputs(shape [5]int, last bool, o torch.Options) (x, weight, scale, shift torch.Tensor) {
	n, in, out, h, w := shape[0], shape[1], shape[2], shape[3], shape[4]
	x = torch.Randn([]int{n, in, h, w}, o).AddScalar(3)
	if last {
		x = x.ChannelsLast()
	}
	return x, torch.Randn([]int{out, in, 1, 1}, o), torch.Randn([]int{out}, o), torch.Randn([]int{out}, o)
}

// pointwiseShapes are N, C, O, H, W: of more rows than are taken together, of fewer, of a
// number that ends amid a tile; of channels for each kind of tile, and for none.
var pointwiseShapes = [][5]int{
	{3, 36, 36, 9, 8}, {2, 72, 72, 7, 7}, {2, 144, 144, 3, 5}, {4, 576, 144, 2, 3}, {2, 16, 4, 3, 3},
	{3, 20, 24, 1, 1}, {5, 4, 8, 11, 13}, {2, 60, 108, 5, 5}, {2, 128, 64, 5, 4}, {3, 6, 10, 4, 4}, {2, 8, 6, 3, 3},
}

func TestPointwiseNorm(t *testing.T) {
	// Value, running statistics, gradients and gradients of gradients are those of convolution, batch norm, ReLU and product, whatever the channels, layout and threads are.
	for _, shape := range pointwiseShapes {
		for _, form := range []struct{ relu, factors, running, last bool }{
			{false, false, true, true}, {true, false, true, true}, {false, true, false, true}, {true, true, true, false},
		} {
			for _, threads := range []int{1, 2, 3} {
				t.Run(fmt.Sprint(shape, form, threads), func(t *testing.T) {
					torchtest.Scope(t)
					defer torch.SetThreads(torch.Threads())
					torch.SetThreads(threads)
					torch.ManualSeed(5)
					x, weight, scale, shift := pointwiseInputs(shape, form.last, double)
					inputs := []torch.Tensor{x.RequiresGrad_(true), weight.RequiresGrad_(true), scale.RequiresGrad_(true), shift.RequiresGrad_(true)}
					o := torch.PointwiseNormOptions{ReLU: form.relu}
					if form.factors {
						o.Factors = torch.FromSlice([]float64{1.25, 0, 1.25, 0.5, 2}, 5).Narrow(0, 0, shape[0])
					}
					statistics := func() (mean, variance torch.Tensor) {
						if form.running {
							mean, variance = torch.Full([]int{shape[2]}, 0.5, double), torch.Full([]int{shape[2]}, 2, double)
						}
						return mean, variance
					}
					weightOf := torch.Randn([]int{shape[0], shape[2], shape[3], shape[4]}, double) // contiguous: no gradient lies channels last
					of := func(y torch.Tensor) []torch.Tensor {
						loss := y.Square().Mul(weightOf).Sum()
						plain := torch.Grad([]torch.Tensor{loss}, inputs, torch.GradOptions{RetainGraph: true})
						first := torch.Grad([]torch.Tensor{loss}, inputs, torch.GradOptions{CreateGraph: true})
						product := torch.Zeros(nil, double)
						for _, g := range first {
							product = product.Add(g.Square().Sum())
						}
						return append(append(plain, first...), torch.Grad([]torch.Tensor{product}, inputs, torch.GradOptions{})...)
					}
					mean, variance := statistics()
					y := torch.PointwiseNorm(x, weight, scale, shift, mean, variance, o)
					wantMean, wantVariance := statistics()
					want := torch.BatchNorm(torch.Conv2d(x, weight, torch.Tensor{}, torch.Conv2dOptions{}), scale, shift, wantMean, wantVariance,
						torch.BatchNormOptions{Training: true})
					if form.relu {
						want = want.ReLU()
					}
					if form.factors {
						want = want.Mul(o.Factors.View(-1, 1, 1, 1))
					}
					torchtest.Close(t, "value", y.Detach(), want.Detach(), 1e-12)
					if form.running {
						torchtest.Close(t, "running mean", mean, wantMean, 1e-12)
						torchtest.Close(t, "running variance", variance, wantVariance, 1e-12)
					}
					got := of(y)
					for i, w := range of(want) {
						what := []string{"gradient", "gradient with a graph", "gradient of gradients"}[i/4]
						torchtest.Close(t, what+" of "+[]string{"x", "weight", "scale", "shift"}[i%4], got[i].Detach(), w.Detach(), 1e-12)
					}
				})
			}
		}
	}
}

func TestPointwiseNormPrecision(t *testing.T) {
	// In float32 value and gradients are no further from those in float64 than the operators' are, or half as far again.
	torchtest.Scope(t)
	torch.ManualSeed(5)
	exactX, exactWeight, exactScale, exactShift := pointwiseInputs([5]int{8, 36, 72, 16, 16}, true, double)
	factor := torch.Randn([]int{8, 72, 16, 16}, double)
	run := func(o torch.Options, fused bool) (results []torch.Tensor) {
		var inputs []torch.Tensor
		for _, input := range []torch.Tensor{exactX, exactWeight, exactScale, exactShift} {
			inputs = append(inputs, input.To(o).Detach().RequiresGrad_(true))
		}
		x, weight, scale, shift := inputs[0], inputs[1], inputs[2], inputs[3]
		var y torch.Tensor
		if fused {
			y = torch.PointwiseNorm(x, weight, scale, shift, torch.Tensor{}, torch.Tensor{}, torch.PointwiseNormOptions{})
		} else {
			pixels := x.Permute(0, 2, 3, 1).Reshape(-1, 36).Mm(weight.View(72, 36).T())
			y = torch.BatchNorm(pixels.View(8, 16, 16, 72).Permute(0, 3, 1, 2), scale, shift, torch.Tensor{}, torch.Tensor{}, torch.BatchNormOptions{Training: true})
		}
		gradients := torch.Grad([]torch.Tensor{y.Mul(factor.To(o)).Sum()}, inputs, torch.GradOptions{})
		return append([]torch.Tensor{y.Detach()}, gradients...)
	}
	exact, plain, fused := run(double, false), run(single, false), run(single, true)
	for i, what := range []string{"value", "gradient of x", "gradient of weight", "gradient of scale", "gradient of shift"} {
		far := func(got torch.Tensor) float64 { return got.To(double).Sub(exact[i]).Norm().Item() }
		if f, p := far(fused[i]), far(plain[i]); f > 1.5*p {
			t.Errorf("%s is %.3g away, the operators' %.3g", what, f, p)
		}
	}
}

func TestPointwiseMisfit(t *testing.T) {
	// An error tells what does not fit when channels, factors or the number of values do not.
	torchtest.Scope(t)
	x, weight, four := torch.Randn([]int{2, 4, 3, 3}, double), torch.Randn([]int{8, 4, 1, 1}, double), torch.Ones([]int{4}, double)
	eight, none := torch.Ones([]int{8}, double), torch.Tensor{}
	for name, call := range map[string]func(){
		"scale":        func() { torch.PointwiseNorm(x, weight, four, eight, none, none, torch.PointwiseNormOptions{}) },
		"running mean": func() { torch.PointwiseNorm(x, weight, eight, eight, four, eight, torch.PointwiseNormOptions{}) },
		"factors": func() {
			torch.PointwiseNorm(x, weight, eight, eight, none, none, torch.PointwiseNormOptions{Factors: four})
		},
		"a single value": func() {
			torch.PointwiseNorm(x.Narrow(0, 0, 1).Narrow(2, 0, 1).Narrow(3, 0, 1), weight, eight, eight, none, none, torch.PointwiseNormOptions{})
		},
	} {
		if e := caught(t, call); e == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPointwiseNaN(t *testing.T) {
	// A NaN among the images reaches value, statistics and gradients, after a ReLU too.
	torchtest.Scope(t)
	x, weight, scale, shift := pointwiseInputs([5]int{2, 16, 20, 3, 3}, true, single)
	x.Select(0, 1).Select(0, 3).Select(0, 2).Select(0, 1).Fill_(math.NaN())
	weight.RequiresGrad_(true)
	mean, variance := torch.Zeros([]int{20}, single), torch.Ones([]int{20}, single)
	y := torch.PointwiseNorm(x, weight, scale, shift, mean, variance, torch.PointwiseNormOptions{ReLU: true})
	gradient := torch.Grad([]torch.Tensor{y.Sum()}, []torch.Tensor{weight}, torch.GradOptions{})[0]
	for what, got := range map[string]torch.Tensor{"value": y, "mean": mean, "variance": variance, "gradient": gradient} {
		if sum := got.Detach().Sum().Item(); !math.IsNaN(sum) {
			t.Errorf("%s: sum %g, want NaN", what, sum)
		}
	}
}
