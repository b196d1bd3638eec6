package torch_test

import (
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// normal draws a float64 tensor; tests seed the generator first.
func normal(shape ...int) torch.Tensor { return torch.Randn(shape, double) }

// checkGradients compares the gradients of fn by autograd with central
// differences, for a fixed random weight of each element of its result.
func checkGradients(t *testing.T, fn func(in []torch.Tensor) torch.Tensor, in ...torch.Tensor) {
	t.Helper()
	const h = 1e-5 // differences err by h² and by 1e-16/h
	weight := torch.Randn(fn(in).Shape(), double)
	value := func() float64 { return fn(in).Mul(weight).Sum().Item() }
	leaves := make([]torch.Tensor, len(in))
	for i, x := range in {
		leaves[i] = x.Clone().RequiresGrad_(true)
	}
	got := torch.Grad(tensors(fn(leaves)), leaves, torch.GradOptions{GradOutputs: tensors(weight)})
	for i, x := range in {
		flat := x.View(-1)
		slopes := make([]float64, flat.Numel())
		for k := range slopes {
			torch.Scoped(func() {
				element := flat.Select(0, k)
				middle := element.Item()
				element.Fill_(middle + h)
				right := value()
				element.Fill_(middle - h)
				slopes[k] = (right - value()) / (2 * h)
				element.Fill_(middle)
			})
		}
		torchtest.Close(t, "gradient of input "+string(rune('0'+i)), got[i], torch.FromSlice(slopes, x.Shape()...), 1e-8)
	}
}

func TestGradients(t *testing.T) {
	// Autograd gives the slopes of an operator when central differences measure them.
	target := []int64{2, 0, 1}
	for _, test := range []struct {
		name   string
		shapes [][]int
		fn     func(in []torch.Tensor) torch.Tensor
	}{
		{"conv2d", [][]int{{2, 3, 5, 4}, {2, 3, 3, 3}, {2}}, func(in []torch.Tensor) torch.Tensor {
			return torch.Conv2d(in[0], in[1], in[2], torch.Conv2dOptions{Stride: 2, Padding: 1})
		}},
		{"conv2d with groups and dilation", [][]int{{1, 4, 6, 6}, {4, 2, 3, 3}}, func(in []torch.Tensor) torch.Tensor {
			return torch.Conv2d(in[0], in[1], torch.Tensor{}, torch.Conv2dOptions{Padding: 2, Dilation: 2, Groups: 2})
		}},
		{"depthwise conv2d", [][]int{{2, 3, 5, 5}, {3, 1, 3, 3}}, func(in []torch.Tensor) torch.Tensor {
			return torch.Conv2d(in[0], in[1], torch.Tensor{}, torch.Conv2dOptions{Stride: 2, Padding: 2, Dilation: 2, Groups: 3})
		}},
		{"batch_norm in training", [][]int{{3, 2, 2, 3}, {2}, {2}}, func(in []torch.Tensor) torch.Tensor {
			return torch.BatchNorm(in[0], in[1], in[2], torch.Tensor{}, torch.Tensor{}, torch.BatchNormOptions{Training: true})
		}},
		{"batch_norm in evaluation", [][]int{{3, 2, 2, 3}, {2}, {2}}, func(in []torch.Tensor) torch.Tensor {
			mean, variance := torch.FromSlice([]float64{0.3, -1}, 2), torch.FromSlice([]float64{0.5, 2}, 2)
			return torch.BatchNorm(in[0], in[1], in[2], mean, variance, torch.BatchNormOptions{})
		}},
		{"max_pool2d", [][]int{{2, 2, 5, 6}}, func(in []torch.Tensor) torch.Tensor {
			return torch.MaxPool2d(in[0], torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1})
		}},
		{"avg_pool2d", [][]int{{2, 2, 5, 6}}, func(in []torch.Tensor) torch.Tensor {
			return torch.AvgPool2d(in[0], torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1, ExcludePad: true})
		}},
		{"adaptive_avg_pool2d", [][]int{{2, 2, 5, 6}}, func(in []torch.Tensor) torch.Tensor {
			return torch.AdaptiveAvgPool2d(in[0], 2, 4)
		}},
		{"cross_entropy with label smoothing", [][]int{{3, 4}}, func(in []torch.Tensor) torch.Tensor {
			return torch.CrossEntropy(in[0], torch.FromSlice(target, 3), torch.CrossEntropyOptions{LabelSmoothing: 0.1})
		}},
		{"embedding", [][]int{{4, 3}}, func(in []torch.Tensor) torch.Tensor {
			return torch.Embedding(in[0], torch.FromSlice([]int64{3, 0, 3, 1}, 2, 2))
		}},
		{"linear", [][]int{{2, 3, 4}, {5, 4}, {5}}, func(in []torch.Tensor) torch.Tensor {
			return torch.Linear(in[0], in[1], in[2])
		}},
		{"softmax and matmul", [][]int{{2, 3}, {3, 4}}, func(in []torch.Tensor) torch.Tensor {
			return in[0].Softmax(1).Matmul(in[1].Tanh()).Sigmoid()
		}},
		{"views", [][]int{{2, 3, 4}}, func(in []torch.Tensor) torch.Tensor {
			parts := in[0].Permute(2, 0, 1).Split([]int{1, 3}, 0)
			return torch.Cat([]torch.Tensor{parts[1], parts[0].Expand(2, 2, 3)}, 0).Narrow(1, 1, 1).Square()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			torch.ManualSeed(1)
			var in []torch.Tensor
			for _, shape := range test.shapes {
				in = append(in, normal(shape...))
			}
			checkGradients(t, test.fn, in...)
		})
	}
}

func TestFormulas(t *testing.T) {
	// An operator gives the numbers that its formula gives by hand when the tensors are small.
	torchtest.Scope(t)
	var none torch.Tensor
	f := torch.FromSlice[float64]
	image := f([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 1, 3, 3)
	two := image.Repeat(1, 2, 1, 1)
	row := f([]float64{1, 2, 4}, 3)
	logits := f([]float64{0, math.Log(3), math.Log(2), math.Log(2)}, 2, 2)
	target := integers([]int64{1, 0}, 2)
	pool := torch.Pool2dOptions{Kernel: 2, Stride: 1}
	edge := torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1}
	inside := torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1, ExcludePad: true}
	for _, test := range []struct {
		name      string
		got, want torch.Tensor
	}{
		{"conv2d correlates, it does not flip", torch.Conv2d(image, f([]float64{1, 0, 0, 10}, 1, 1, 2, 2), f([]float64{0.5}, 1), torch.Conv2dOptions{}),
			f([]float64{51.5, 62.5, 84.5, 95.5}, 1, 1, 2, 2)},
		{"conv2d dilated", torch.Conv2d(image, f([]float64{1, 0, 0, 10}, 1, 1, 2, 2), none, torch.Conv2dOptions{Dilation: 2}), f([]float64{91}, 1, 1, 1, 1)},
		{"conv2d of groups", torch.Conv2d(two, f([]float64{1, 10}, 2, 1, 1, 1), none, torch.Conv2dOptions{Groups: 2, Stride: 2}),
			f([]float64{1, 3, 7, 9, 10, 30, 70, 90}, 1, 2, 2, 2)},
		{"max_pool2d", torch.MaxPool2d(image, pool), f([]float64{5, 6, 8, 9}, 1, 1, 2, 2)},
		{"avg_pool2d", torch.AvgPool2d(image, pool), f([]float64{3, 4, 6, 7}, 1, 1, 2, 2)},
		{"avg_pool2d counts the border", torch.AvgPool2d(image, edge), f([]float64{12. / 9, 16. / 9, 24. / 9, 28. / 9}, 1, 1, 2, 2)},
		{"avg_pool2d without the border", torch.AvgPool2d(image, inside), f([]float64{3, 4, 6, 7}, 1, 1, 2, 2)},
		{"adaptive_avg_pool2d", torch.AdaptiveAvgPool2d(image, 1, 1), f([]float64{5}, 1, 1, 1, 1)},
		{"batch_norm", torch.BatchNorm(f([]float64{1, 3}, 2, 1), f([]float64{2}, 1), f([]float64{10}, 1), none, none, torch.BatchNormOptions{Training: true, Eps: 3}),
			f([]float64{9, 11}, 2, 1)},
		{"cross_entropy", torch.CrossEntropy(logits, target, torch.CrossEntropyOptions{}), f([]float64{(math.Log(4./3) + math.Log(2)) / 2})},
		{"cross_entropy smoothed", torch.CrossEntropy(logits, target, torch.CrossEntropyOptions{LabelSmoothing: 0.2, Reduction: torch.None}),
			f([]float64{0.9*math.Log(4./3) + 0.1*math.Log(4), math.Log(2)}, 2)},
		{"embedding", torch.Embedding(image.View(3, 3), integers([]int64{2, 0}, 2)), f([]float64{7, 8, 9, 1, 2, 3}, 2, 3)},
		{"softmax", logits.Softmax(1), f([]float64{0.25, 0.75, 0.5, 0.5}, 2, 2)},
		{"log_softmax far out", f([]float64{0, 1000}, 2).LogSoftmax(0), f([]float64{-1000, 0}, 2)},
		{"norm", f([]float64{3, 4}, 2).Norm(), f([]float64{5})},
		{"addmm_", row.Clone().View(1, 3).Addmm_(f([]float64{2}, 1, 1), row.View(1, 3), 10, 0.5), f([]float64{11, 22, 44}, 1, 3)},
		{"lerp_", row.Clone().Lerp_(torch.ZerosLike(row), 0.25), f([]float64{0.75, 1.5, 3}, 3)},
		{"addcdiv_", row.Clone().Addcdiv_(row, f([]float64{2}, 1), -1), f([]float64{0.5, 1, 2}, 3)},
		{"dropout of nothing", torch.Dropout(row, 0, true), row},
		{"dropout of all", torch.Dropout(row, 1, true), torch.ZerosLike(row)},
	} {
		torchtest.Close(t, test.name, test.got, test.want, 1e-14)
	}
}

func TestRunningStatistics(t *testing.T) {
	// Batch norm moves the running statistics towards mean and unbiased variance when it trains.
	torchtest.Scope(t)
	x := torch.FromSlice([]float64{1, 3, 8}, 3, 1)
	mean, variance := torch.FromSlice([]float64{10}, 1), torch.FromSlice([]float64{20}, 1)
	torch.BatchNorm(x, torch.Tensor{}, torch.Tensor{}, mean, variance, torch.BatchNormOptions{Training: true, Momentum: 0.25})
	torchtest.Close(t, "mean", mean, torch.FromSlice([]float64{8.5}, 1), 1e-15)
	torchtest.Close(t, "variance", variance, torch.FromSlice([]float64{18.25}, 1), 1e-15)
	torch.BatchNorm(x, torch.Tensor{}, torch.Tensor{}, mean, variance, torch.BatchNormOptions{})
	torchtest.Close(t, "mean after evaluation", mean, torch.FromSlice([]float64{8.5}, 1), 1e-15)
}

func TestSecondDerivative(t *testing.T) {
	// The gradient of a gradient is the second derivative when the first was made with CreateGraph.
	torchtest.Scope(t)
	x := torch.FromSlice([]float64{0.5, -2}, 2).RequiresGrad_(true)
	y := x.Square().Mul(x).Sum()
	first := torch.Grad(tensors(y), tensors(x), torch.GradOptions{CreateGraph: true})[0]
	torchtest.Close(t, "3x²", first, torch.FromSlice([]float64{0.75, 12}, 2), 1e-15)
	v := torch.FromSlice([]float64{10, 1}, 2)
	second := torch.Grad(tensors(first), tensors(x), torch.GradOptions{GradOutputs: tensors(v)})[0]
	torchtest.Close(t, "6xv", second, torch.FromSlice([]float64{30, -12}, 2), 1e-15)
	if second.RequiresGrad() {
		t.Error("the second derivative has a graph, without CreateGraph")
	}
	// Without CreateGraph the first gradient is a constant.
	y = x.Square().Mul(x).Sum()
	if torch.Grad(tensors(y), tensors(x), torch.GradOptions{})[0].RequiresGrad() {
		t.Error("the first derivative has a graph, without CreateGraph")
	}
}

func TestGradOfUnused(t *testing.T) {
	// Grad gives the zero Tensor for an input that nothing depends on when AllowUnused is set, else an error.
	torchtest.Scope(t)
	x, unused := torch.Ones([]int{2}, double).RequiresGrad_(true), torch.Ones([]int{3}, double).RequiresGrad_(true)
	grads := torch.Grad(tensors(x.Square().Sum()), tensors(unused, x), torch.GradOptions{AllowUnused: true})
	if grads[0].Defined() || !grads[1].Defined() {
		t.Errorf("got %v", grads)
	}
	torchtest.Close(t, "used", grads[1], torch.Full([]int{2}, 2, double), 0)
	if e := caught(t, func() { torch.Grad(tensors(x.Sum()), tensors(unused), torch.GradOptions{}) }); e == nil || e.Op != "grad" {
		t.Errorf("error %v, want one of grad", e)
	}
}

func TestGraph(t *testing.T) {
	// Backward adds to the tensor that SetGrad gave when there is one, and fills Grad else.
	torchtest.Scope(t)
	x := torch.FromSlice([]float64{1, 2}, 2).RequiresGrad_(true)
	if !x.RequiresGrad() || !x.IsLeaf() || x.Square().IsLeaf() || x.Detach().RequiresGrad() {
		t.Error("flags of a leaf, a result and a detached tensor")
	}
	if x.Grad().Defined() {
		t.Error("a gradient before Backward")
	}
	y := x.Square()
	y.Backward(torch.BackwardOptions{Gradient: torch.FromSlice([]float64{1, 10}, 2), RetainGraph: true})
	torchtest.Close(t, "first", x.Grad(), torch.FromSlice([]float64{2, 40}, 2), 0)
	y.Backward(torch.BackwardOptions{Gradient: torch.FromSlice([]float64{1, 0}, 2)})
	torchtest.Close(t, "added", x.Grad(), torch.FromSlice([]float64{4, 40}, 2), 0)

	flat := torch.FromSlice([]float64{100, 200, 300}, 3)
	x.SetGrad(flat.Narrow(0, 1, 2))
	x.Sum().Backward(torch.BackwardOptions{})
	torchtest.Close(t, "in place", flat, torch.FromSlice([]float64{100, 201, 301}, 3), 0)
	x.SetGrad(torch.Tensor{})
	if x.Grad().Defined() {
		t.Error("a gradient after SetGrad of none")
	}
	if x.RequiresGrad_(false).Square().RequiresGrad() {
		t.Error("a graph after RequiresGrad_(false)")
	}
}

func TestNoGrad(t *testing.T) {
	// NoGrad builds no graph inside and restores the mode when it ends, by a panic or nested too.
	torchtest.Scope(t)
	x := torch.Ones([]int{2}, single).RequiresGrad_(true)
	torch.NoGrad(func() {
		torch.NoGrad(func() {})
		if torch.GradEnabled() || x.Square().RequiresGrad() {
			t.Error("a graph inside NoGrad")
		}
	})
	caught(t, func() { torch.NoGrad(func() { x.Add(torch.Ones([]int{3}, single)) }) })
	if !torch.GradEnabled() || !x.Square().RequiresGrad() {
		t.Error("no graph after NoGrad")
	}
}

func TestInference(t *testing.T) {
	// Inference builds no graph inside, even of what it made, and restores the mode when it ends, by a panic or nested too.
	torchtest.Scope(t)
	x := torch.Ones([]int{2}, single).RequiresGrad_(true)
	var inside torch.Tensor
	torch.Inference(func() {
		torch.Inference(func() {})
		if torch.GradEnabled() || x.Square().RequiresGrad() {
			t.Error("a graph inside Inference")
		}
		inside = x.Detach().Square()
	})
	caught(t, func() { torch.Inference(func() { x.Add(torch.Ones([]int{3}, single)) }) })
	if !torch.GradEnabled() || !x.Square().RequiresGrad() {
		t.Error("no graph after Inference")
	}
	torchtest.Close(t, "read afterwards", inside.Clone().Add_(inside), torch.Full([]int{2}, 2, single), 0)
	caught(t, func() { inside.Add_(inside) })
}

func TestAutocast(t *testing.T) {
	// Autocast multiplies matrices in its type inside and restores the mode when it ends, by a panic or nested too.
	torchtest.Scope(t)
	a := torch.Ones([]int{2, 2}, single)
	kind := func() torch.Dtype { return a.Mm(a).Dtype() }
	torch.Autocast(torch.CPU, torch.BFloat16, func() {
		if kind() != torch.BFloat16 {
			t.Errorf("the product is %s inside", kind())
		}
		torch.Autocast(torch.CPU, torch.Float16, func() {
			if kind() != torch.Float16 {
				t.Errorf("the product is %s in the inner one", kind())
			}
		})
		if kind() != torch.BFloat16 {
			t.Errorf("the product is %s after the inner one", kind())
		}
	})
	if e := caught(t, func() { torch.Autocast(torch.CPU, torch.BFloat16, func() { a.View(3) }) }); e == nil {
		t.Error("no error")
	}
	if kind() != torch.Float32 {
		t.Errorf("the product is %s afterwards", kind())
	}
}
