package torch_test

import (
	"fmt"
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// separableCase is a Separable of images [n,c[0],h,w]: stage i goes from c[i] to c[i+1] channels.
type separableCase struct {
	n, h, w, threads int
	c                []int
	stages           []torch.SeparableStage // without weights
	kernel           int                    // of depthwise convolutions, 0 without
	running, last    bool                   // statistics; images that lie channels last
}

// separableCases are 1x1 convolutions of pointwiseShapes, dil_convs and sep_convs. Threads begin amid images and amid
// groups of them.
func separableCases() (all []separableCase) {
	plain := []torch.SeparableStage{{}}
	for i, s := range pointwiseShapes {
		for threads := 1; threads <= 3; threads++ {
			form := (i + threads) % 4
			all = append(all, separableCase{n: s[0], h: s[3], w: s[4], threads: threads, c: []int{s[1], s[2]}, stages: plain,
				running: form < 3, last: form != 1})
			all = append(all, separableCase{n: s[0], h: s[3], w: s[4], threads: threads, c: []int{s[1], s[2]}, stages: []torch.SeparableStage{{ReLU: true}}, last: form < 2})
		}
	}
	for i, threads := range []int{1, 2, 3, 1, 2, 3} {
		kernel := 3 + 2*(i%2)
		dil := []torch.SeparableStage{{ReLU: true, Stride: 1 + i/3, Dilation: 2}}
		sep := []torch.SeparableStage{{ReLU: true, Stride: 1 + i%2}, {ReLU: i != 4}}
		all = append(all,
			separableCase{n: 2 + i, h: 9, w: 8, threads: threads, c: []int{8, 12}, stages: dil, kernel: kernel, last: true, running: true},
			separableCase{n: 7, h: 11 - i, w: 13, threads: threads, c: []int{12, 4, 8}, stages: sep, kernel: kernel, last: i != 5, running: i > 1},
			separableCase{n: 30, h: 8, w: 8, threads: threads, c: []int{20, 20, 20}, stages: sep, kernel: kernel, last: true},
			separableCase{n: 19, h: 3, w: 2, threads: threads, c: []int{4, 4, 4}, stages: sep, kernel: kernel, last: true})
	}
	odd := []torch.SeparableStage{{ReLU: true}, {ReLU: true}}
	return append(all, separableCase{n: 3, h: 6, w: 5, threads: 1, c: []int{8, 6, 8}, stages: odd, kernel: 3}, separableCase{n: 3, h: 6, w: 5, threads: 2, c: []int{8, 8, 8}, stages: odd, kernel: 7})
}

// inputs are the images, and then the weights of each stage. The images' mean is far from zero: there a variance by
// the mean of squares would be wrong.
func (d separableCase) inputs(o torch.Options) (all []torch.Tensor) {
	torch.ManualSeed(5)
	x := torch.Randn([]int{d.n, d.c[0], d.h, d.w}, double).AddScalar(1)
	if d.last {
		x = x.ChannelsLast()
	}
	all = append(all, x)
	for i := range d.stages {
		in, out := d.c[i], d.c[i+1]
		if d.kernel > 0 {
			all = append(all, torch.Randn([]int{in, 1, d.kernel, d.kernel}, double))
		}
		all = append(all, torch.Randn([]int{out, in, 1, 1}, double), torch.Randn([]int{out}, double), torch.Randn([]int{out}, double))
	}
	for i, t := range all {
		all[i] = t.To(o).Detach().RequiresGrad_(true)
	}
	return all
}

// with gives the stages their weights, and running statistics.
func (d separableCase) with(inputs []torch.Tensor) (stages []torch.SeparableStage, statistics []torch.Tensor) {
	weights := inputs[1:]
	for i, s := range d.stages {
		if d.kernel > 0 {
			s.Depthwise, weights = weights[0], weights[1:]
		}
		s.Weight, s.Scale, s.Shift, weights = weights[0], weights[1], weights[2], weights[3:]
		if d.running {
			o := inputs[0].Options()
			s.RunningMean, s.RunningVar = torch.Full([]int{d.c[i+1]}, 0.5, o), torch.Full([]int{d.c[i+1]}, 2, o)
			statistics = append(statistics, s.RunningMean, s.RunningVar)
		}
		stages = append(stages, s)
	}
	return stages, statistics
}

func (d separableCase) factors(o torch.Options) torch.Tensor {
	factors := make([]float64, d.n)
	for i := range factors {
		factors[i] = []float64{1.25, 0, 1.25, 0.5, 2, 1}[i%6]
	}
	return torch.FromSlice(factors, d.n).To(o)
}

func TestSeparable(t *testing.T) {
	// Value, running statistics, gradients and gradients of gradients are those of libtorch's operators, whatever the sizes, layout and threads are.
	for i, d := range separableCases() {
		t.Run(fmt.Sprint(i, d.c, d.kernel), func(t *testing.T) {
			torchtest.Scope(t)
			defer torch.SetThreads(torch.Threads())
			torch.SetThreads(d.threads)
			inputs := d.inputs(double)
			var factors torch.Tensor
			if i%3 == 0 {
				factors = d.factors(double)
			}
			stages, statistics := d.with(inputs)
			y := torch.Separable(inputs[0], stages, factors)
			stages, wantStatistics := d.with(inputs)
			want := inputs[0]
			for _, s := range stages {
				if s.ReLU {
					want = want.ReLU()
				}
				if d.kernel > 0 {
					dilation := max(s.Dilation, 1)
					want = torch.Conv2d(want, s.Depthwise, torch.Tensor{}, torch.Conv2dOptions{Stride: s.Stride, Dilation: dilation,
						Padding: dilation * (d.kernel - 1) / 2, Groups: want.Size(1)})
				}
				want = torch.Conv2d(want, s.Weight, torch.Tensor{}, torch.Conv2dOptions{})
				want = torch.BatchNorm(want, s.Scale, s.Shift, s.RunningMean, s.RunningVar, torch.BatchNormOptions{Training: true})
			}
			if factors.Defined() {
				want = want.Mul(factors.View(-1, 1, 1, 1))
			}
			torchtest.Close(t, "value", y.Detach(), want.Detach(), 1e-12)
			for i, s := range statistics {
				torchtest.Close(t, fmt.Sprintf("running statistic %d", i), s, wantStatistics[i], 1e-12)
			}
			weightOf := torch.Randn(y.Shape(), double) // contiguous: no gradient lies channels last
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
			got, tolerance := of(y), 1e-12*float64(len(d.stages)*len(d.stages)*len(d.stages))
			for i, w := range of(want) {
				what := []string{"gradient", "gradient with a graph", "gradient of gradients"}[i/len(inputs)]
				torchtest.Close(t, fmt.Sprintf("%s of input %d", what, i%len(inputs)), got[i].Detach(), w.Detach(), tolerance)
			}
		})
	}
}

func TestSeparableBits(t *testing.T) {
	// Value, statistics and gradients are, bit for bit, those of depthwise convolutions and stages that keep every step.
	for i, d := range separableCases() {
		for _, o := range []torch.Options{single, double} {
			t.Run(fmt.Sprint(i, d.c, d.kernel, o.Dtype), func(t *testing.T) {
				torchtest.Scope(t)
				defer torch.SetThreads(torch.Threads())
				torch.SetThreads(d.threads)
				inputs := d.inputs(o)
				factors := d.factors(o)
				stages, gotStatistics := d.with(inputs)
				got := torch.Separable(inputs[0], stages, factors)
				stages, wantStatistics := d.with(inputs)
				want := inputs[0]
				for i, s := range stages {
					if d.kernel > 0 {
						want = torch.Depthwise(want, s.Depthwise, torch.Tensor{}, torch.DepthwiseOptions{Stride: s.Stride, Dilation: s.Dilation, ReLU: s.ReLU})
					} else if s.ReLU {
						want = want.ReLU()
					}
					var last torch.Tensor
					if i == len(stages)-1 {
						last = factors
					}
					s.ReLU, s.Depthwise, s.Stride, s.Dilation = false, torch.Tensor{}, 0, 0
					want = torch.Separable(want, []torch.SeparableStage{s}, last)
				}
				g := torch.Randn(want.Shape(), o).ChannelsLast()
				of := func(y torch.Tensor) []torch.Tensor {
					return append(torch.Grad([]torch.Tensor{y.Mul(g).Sum()}, inputs, torch.GradOptions{}), y.Detach())
				}
				gots := append(of(got), gotStatistics...)
				for i, w := range append(of(want), wantStatistics...) {
					torchtest.Close(t, fmt.Sprintf("result %d", i), gots[i], w, 0)
				}
			})
		}
	}
}

func TestSeparablePrecision(t *testing.T) {
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
			y = torch.Separable(x, []torch.SeparableStage{{Weight: weight, Scale: scale, Shift: shift}}, torch.Tensor{})
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

func TestSeparableMisfit(t *testing.T) {
	// An error tells what does not fit when channels, kernels, factors or the number of values do not.
	torchtest.Scope(t)
	x, eight, four := torch.Randn([]int{2, 4, 3, 3}, double), torch.Ones([]int{8}, double), torch.Ones([]int{4}, double)
	good := torch.SeparableStage{Depthwise: torch.Ones([]int{4, 1, 3, 3}, double), Weight: torch.Ones([]int{8, 4, 1, 1}, double), Scale: eight, Shift: eight}
	torch.Separable(x, []torch.SeparableStage{good}, torch.Tensor{})
	for name, bad := range map[string]func(s *torch.SeparableStage, factors *torch.Tensor){
		"scale":        func(s *torch.SeparableStage, _ *torch.Tensor) { s.Scale = four },
		"running mean": func(s *torch.SeparableStage, _ *torch.Tensor) { s.RunningMean = four },
		"taps": func(s *torch.SeparableStage, _ *torch.Tensor) {
			s.Depthwise = torch.Ones([]int{8, 1, 3, 3}, double)
		},
		"an even kernel": func(s *torch.SeparableStage, _ *torch.Tensor) {
			s.Depthwise = torch.Ones([]int{4, 1, 2, 2}, double)
		},
		"a stride without taps": func(s *torch.SeparableStage, _ *torch.Tensor) { s.Depthwise, s.Stride = torch.Tensor{}, 2 },
		"stride":                func(s *torch.SeparableStage, _ *torch.Tensor) { s.Stride = -1 },
		"weight": func(s *torch.SeparableStage, _ *torch.Tensor) {
			s.Weight = torch.Ones([]int{8, 8, 1, 1}, double)
		},
		"a kernel of 3x3": func(s *torch.SeparableStage, _ *torch.Tensor) {
			s.Weight = torch.Ones([]int{8, 4, 3, 3}, double)
		},
		"factors": func(_ *torch.SeparableStage, factors *torch.Tensor) { *factors = four },
	} {
		s, factors := good, torch.Tensor{}
		bad(&s, &factors)
		if e := caught(t, func() { torch.Separable(x, []torch.SeparableStage{s}, factors) }); e == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if e := caught(t, func() {
		torch.Separable(x.Narrow(0, 0, 1).Narrow(2, 0, 1).Narrow(3, 0, 1), []torch.SeparableStage{good}, torch.Tensor{})
	}); e == nil {
		t.Error("a single value: no error")
	}
	if e := caught(t, func() { torch.Separable(x, []torch.SeparableStage{good, good}, torch.Tensor{}) }); e == nil {
		t.Error("a second stage of other channels: no error")
	}
	if e := caught(t, func() { torch.Separable(x, nil, torch.Tensor{}) }); e == nil {
		t.Error("no stages: no error")
	}
}

func TestSeparableNaN(t *testing.T) {
	// A NaN among the images reaches value, statistics and gradients, through a ReLU.
	torchtest.Scope(t)
	x, weight, scale, shift := pointwiseInputs([5]int{2, 16, 20, 3, 3}, true, single)
	x.Select(0, 1).Select(0, 3).Select(0, 2).Select(0, 1).Fill_(math.NaN())
	weight.RequiresGrad_(true)
	mean, variance := torch.Zeros([]int{20}, single), torch.Ones([]int{20}, single)
	y := torch.Separable(x, []torch.SeparableStage{{ReLU: true, Weight: weight, Scale: scale, Shift: shift, RunningMean: mean, RunningVar: variance}}, torch.Tensor{})
	gradient := torch.Grad([]torch.Tensor{y.Sum()}, []torch.Tensor{weight}, torch.GradOptions{})[0]
	for what, got := range map[string]torch.Tensor{"value": y, "mean": mean, "variance": variance, "gradient": gradient} {
		if sum := got.Detach().Sum().Item(); !math.IsNaN(sum) {
			t.Errorf("%s: sum %g, want NaN", what, sum)
		}
	}
}
