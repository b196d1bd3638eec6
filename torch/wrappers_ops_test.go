package torch_test

import (
	"math"

	"godarts/torch"
)

func arithmeticRows() []wrapper {
	rows := []wrapper{
		{shim: "unary_isfinite", fn: values(2, 3).Sub(values(3)).Reciprocal_().IsFinite, op: "aten::isfinite", args: args(values(2, 3).Sub(values(3)).Reciprocal_())},
		{shim: "scaled_add", fn: func() torch.Tensor { return values(2, 3).Add(positive(3)) }, op: "aten::add.Tensor", args: args(values(2, 3), positive(3))},
		{shim: "scaled_add", fn: func() torch.Tensor { return values(2, 3).AddScaled(positive(3), 0.3) }, op: "aten::add.Tensor", args: args(values(2, 3), positive(3), 0.3)},
		{shim: "scaled_add_", fn: func() torch.Tensor { return values(2, 3).Add_(positive(3)) }, op: "aten::add_.Tensor", args: args(values(2, 3), positive(3))},
		{shim: "scaled_add_", fn: func() torch.Tensor { return values(2, 3).AddScaled_(positive(3), 0.3) }, op: "aten::add_.Tensor", args: args(values(2, 3), positive(3), 0.3)},
		{shim: "scaled_lerp_", fn: func() torch.Tensor { return values(2, 3).Lerp_(positive(2, 3), 0.3) }, op: "aten::lerp_.Scalar", args: args(values(2, 3), positive(2, 3), 0.3)},
		{shim: "scalar_add", fn: func() torch.Tensor { return integers([]int64{1, 2}, 2).AddScalar(3) }, op: "aten::add.Scalar", args: args(integers([]int64{1, 2}, 2), 3)},
		{shim: "torch_clamp", fn: func() torch.Tensor { return values(2, 3).Clamp(-0.5, 0.5) }, op: "aten::clamp", args: args(values(2, 3), -0.5, 0.5)},
		{shim: "torch_clamp", fn: func() torch.Tensor { return values(2, 3).Clamp(math.Inf(-1), 0.5) }, op: "aten::clamp", args: args(values(2, 3), nil, 0.5)},
		{shim: "torch_clamp", fn: func() torch.Tensor { return values(2, 3).Clamp(-0.5, math.Inf(1)) }, op: "aten::clamp", args: args(values(2, 3), -0.5, nil)},
		{shim: "torch_addcmul_", fn: func() torch.Tensor { return values(2, 3).Addcmul_(positive(3), values(3), 0.3) }, op: "aten::addcmul_", args: args(values(2, 3), positive(3), values(3), 0.3)},
		{shim: "torch_addcdiv_", fn: func() torch.Tensor { return values(2, 3).Addcdiv_(positive(3), values(3), 0.3) }, op: "aten::addcdiv_", args: args(values(2, 3), positive(3), values(3), 0.3)},
	}
	for _, op := range []struct {
		name string
		fn   func(torch.Tensor) torch.Tensor
	}{
		{"abs", torch.Tensor.Abs},
		{"floor", torch.Tensor.Floor},
		{"log", torch.Tensor.Log},
		{"neg", torch.Tensor.Neg},
		{"neg_", torch.Tensor.Neg_},
		{"reciprocal_", torch.Tensor.Reciprocal_},
		{"relu", torch.Tensor.ReLU},
		{"relu_", torch.Tensor.ReLU_},
		{"rsqrt_", torch.Tensor.Rsqrt_},
		{"sigmoid", torch.Tensor.Sigmoid},
		{"sqrt", torch.Tensor.Sqrt},
		{"square", torch.Tensor.Square},
		{"tanh", torch.Tensor.Tanh},
	} {
		rows = append(rows, wrapper{shim: "unary_" + op.name, fn: func() torch.Tensor { return op.fn(values(2, 3)) },
			op: "aten::" + op.name, args: args(values(2, 3))})
	}
	for _, op := range []struct {
		name string
		fn   func(a, b torch.Tensor) torch.Tensor
	}{
		{"div", torch.Tensor.Div},
		{"eq", torch.Tensor.Eq},
		{"gt", torch.Tensor.Gt},
		{"mul", torch.Tensor.Mul},
		{"mul_", torch.Tensor.Mul_},
		{"ne", torch.Tensor.Ne},
		{"sub", torch.Tensor.Sub},
		{"sub_", torch.Tensor.Sub_},
	} {
		// The second tensor equals the first row of the first one.
		rows = append(rows, wrapper{shim: "binary_" + op.name, fn: func() torch.Tensor { return op.fn(values(2, 3), values(3)) },
			op: "aten::" + op.name + ".Tensor", args: args(values(2, 3), values(3))})
	}
	for _, op := range []struct {
		class, name string
		fn          func(a torch.Tensor, b float64) torch.Tensor
	}{
		{"scalar", "add", torch.Tensor.AddScalar},
		{"scalar", "add_", torch.Tensor.AddScalar_},
		{"scalar", "div", torch.Tensor.DivScalar},
		{"scalar", "div_", torch.Tensor.DivScalar_},
		{"scalar", "mul", torch.Tensor.MulScalar},
		{"scalar", "mul_", torch.Tensor.MulScalar_},
		{"compare", "ge", torch.Tensor.GeScalar},
		{"compare", "lt", torch.Tensor.LtScalar},
	} {
		middle := values(2, 3).Flatten().Float64s()[3]
		rows = append(rows, wrapper{shim: op.class + "_" + op.name, fn: func() torch.Tensor { return op.fn(values(2, 3), middle) },
			op: "aten::" + op.name + ".Scalar", args: args(values(2, 3), middle)})
	}
	return rows
}

func reductionRows() []wrapper {
	x := values(2, 3, 4)
	return []wrapper{
		{shim: "reduce_sum", fn: x.Sum, op: "aten::sum", args: args(x)},
		{shim: "reduce_sum", fn: func() torch.Tensor { return x.SumDims([]int{0, -1}, true) }, op: "aten::sum.dim_IntList", args: args(x, []int{0, -1}, true)},
		{shim: "reduce_sum", fn: func() torch.Tensor { return x.SumDims(nil, true) }, op: "aten::sum.dim_IntList", args: args(x, []int{}, true)},
		{shim: "reduce_mean", fn: x.Mean, op: "aten::mean", args: args(x)},
		{shim: "reduce_mean", fn: func() torch.Tensor { return x.MeanDims([]int{1}, false) }, op: "aten::mean.dim", args: args(x, []int{1}, false)},
		{shim: "reduce_amax", fn: func() torch.Tensor { return x.Amax([]int{1}, true) }, op: "aten::amax", args: args(x, []int{1}, true)},
		{shim: "reduce_amin", fn: func() torch.Tensor { return x.Amin(nil, false) }, op: "aten::amin", args: args(x)},
		{shim: "torch_argmax", fn: func() torch.Tensor { return x.Argmax(1, true) }, op: "aten::argmax", args: args(x, 1, true)},
		{shim: "torch_norm", fn: x.Norm, op: "aten::norm.Scalar", args: args(x)},
		{shim: "along_softmax", fn: func() torch.Tensor { return x.Softmax(1) }, op: "aten::softmax.int", args: args(x, 1)},
		{shim: "along_log_softmax", fn: func() torch.Tensor { return x.LogSoftmax(-1) }, op: "aten::log_softmax.int", args: args(x, -1)},
	}
}

func productRows() []wrapper {
	a, b := values(2, 3), positive(3, 4)
	batchA, batchB := values(2, 2, 3), positive(2, 3, 4)
	pair := func() []torch.Tensor { return tensors(values(2, 3), positive(4)) }
	ends := tensors(positive(2, 3), values(4))
	return []wrapper{
		{shim: "binary_matmul", fn: func() torch.Tensor { return batchA.Matmul(b) }, op: "aten::matmul", args: args(batchA, b)},
		{shim: "binary_mm", fn: func() torch.Tensor { return a.Mm(b) }, op: "aten::mm", args: args(a, b)},
		{shim: "binary_bmm", fn: func() torch.Tensor { return batchA.Bmm(batchB) }, op: "aten::bmm", args: args(batchA, batchB)},
		{shim: "binary_dot", fn: func() torch.Tensor { return values(5).Dot(positive(5)) }, op: "aten::dot", args: args(values(5), positive(5))},
		{shim: "torch_addmm_", fn: func() torch.Tensor { return values(2, 4).Addmm_(a, b, 0.3, 0.7) }, op: "aten::addmm_", args: args(values(2, 4), a, b, 0.3, 0.7)},
		{shim: "torch_diagonal", fn: func() torch.Tensor { return batchB.Diagonal(1, 1, 2) }, op: "aten::diagonal", args: args(batchB, 1, 1, 2)},
		{shim: "torch_foreach_copy_", list: func() []torch.Tensor { ts := pair(); torch.ForeachCopy_(ts, ends); return ts }, op: "aten::_foreach_copy_", args: args(pair(), ends)},
	}
}

func networkRows() []wrapper {
	x := values(2, 4, 6, 5)
	w, bias := positive(6, 2, 3, 3), values(6)
	weight, shift := positive(4), values(4)
	mean := func() torch.Tensor { return values(4) }
	variance := func() torch.Tensor { return positive(4) }
	logits, target := values(3, 5), integers([]int64{4, 0, 2}, 3)
	var none torch.Tensor
	pool := torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1}
	outside := torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1, ExcludePad: true}
	return []wrapper{
		{shim: "torch_conv2d", fn: func() torch.Tensor {
			return torch.Conv2d(x, w, bias, torch.Conv2dOptions{Stride: 2, Padding: 2, Dilation: 2, Groups: 2})
		}, op: "aten::conv2d", args: args(x, w, bias, []int{2, 2}, []int{2, 2}, []int{2, 2}, 2)},
		{shim: "torch_depthwise", fn: func() torch.Tensor {
			return torch.Depthwise(x, positive(4, 1, 3, 3), positive(4), torch.DepthwiseOptions{Stride: 3, Dilation: 2}) // no loops of our own
		}, op: "aten::conv2d", args: args(x, positive(4, 1, 3, 3), positive(4), []int{3, 3}, []int{2, 2}, []int{2, 2}, 4)},
		{shim: "torch_relu_sum", fn: func() torch.Tensor { return torch.ReLUSum(values(3, 4)) }, op: "aten::sum.dim_IntList", args: args(values(3, 4).ReLU(), []int{0})},
		{shim: "torch_conv2d", fn: func() torch.Tensor { return torch.Conv2d(x, positive(3, 4, 1, 1), none, torch.Conv2dOptions{}) },
			op: "aten::conv2d", args: args(x, positive(3, 4, 1, 1))},
		{shim: "torch_conv2d", fn: func() torch.Tensor {
			return torch.Conv2d(x, positive(3, 4, 1, 3), none, torch.Conv2dOptions{StrideHW: [2]int{1, 2}, PaddingHW: [2]int{0, 1}})
		}, op: "aten::conv2d", args: args(x, positive(3, 4, 1, 3), nil, []int{1, 2}, []int{0, 1})},
		{shim: "torch_linear", fn: func() torch.Tensor { return torch.Linear(logits, positive(4, 5), shift) }, op: "aten::linear", args: args(logits, positive(4, 5), shift)},
		{shim: "torch_linear", fn: func() torch.Tensor { return torch.Linear(logits, positive(4, 5), none) }, op: "aten::linear", args: args(logits, positive(4, 5))},
		{shim: "torch_max_pool2d", fn: func() torch.Tensor { return torch.MaxPool2d(x, pool) }, op: "aten::max_pool2d", args: args(x, []int{3, 3}, []int{2, 2}, []int{1, 1})},
		{shim: "torch_max_pool2d", fn: func() torch.Tensor { return torch.MaxPool2d(x, torch.Pool2dOptions{Kernel: 2}) }, op: "aten::max_pool2d", args: args(x, []int{2, 2})},
		{shim: "torch_avg_pool2d", fn: func() torch.Tensor { return torch.AvgPool2d(x, pool) }, op: "aten::avg_pool2d", args: args(x, []int{3, 3}, []int{2, 2}, []int{1, 1})},
		{shim: "torch_avg_pool2d", fn: func() torch.Tensor { return torch.AvgPool2d(x, outside) }, op: "aten::avg_pool2d", args: args(x, []int{3, 3}, []int{2, 2}, []int{1, 1}, false, false)},
		{shim: "torch_adaptive_avg_pool2d", fn: func() torch.Tensor { return torch.AdaptiveAvgPool2d(x, 2, 3) }, op: "aten::adaptive_avg_pool2d", args: args(x, []int{2, 3})},
		{shim: "torch_batch_norm", fn: func() torch.Tensor {
			return torch.BatchNorm(x, weight, shift, mean(), variance(), torch.BatchNormOptions{Training: true, Momentum: 0.3, Eps: 1e-3})
		}, op: "aten::batch_norm", args: args(x, weight, shift, mean(), variance(), true, 0.3, 1e-3, true)},
		{shim: "torch_batch_norm", list: func() []torch.Tensor {
			m, v := mean(), variance()
			torch.BatchNorm(x, none, none, m, v, torch.BatchNormOptions{Training: true})
			return tensors(torch.BatchNorm(x, none, none, m, v, torch.BatchNormOptions{}))
		}, op: "aten::batch_norm", args: args(x, nil, nil,
			mean().MulScalar(0.9).AddScaled(x.MeanDims([]int{0, 2, 3}, false), 0.1),
			variance().MulScalar(0.9).AddScaled(torch.Call("aten::var.dim", x, []int{0, 2, 3})[0], 0.1), false, 0.1, 1e-5, true)},
		{shim: "torch_embedding", fn: func() torch.Tensor { return torch.Embedding(logits, integers([]int64{2, 0, 2, 1}, 2, 2)) }, op: "aten::embedding", args: args(logits, integers([]int64{2, 0, 2, 1}, 2, 2))},
		{shim: "torch_cross_entropy", fn: func() torch.Tensor {
			return torch.CrossEntropy(logits, target, torch.CrossEntropyOptions{LabelSmoothing: 0.1})
		}, op: "aten::cross_entropy_loss", args: args(logits, target, nil, 1, -100, 0.1)},
		{shim: "torch_cross_entropy", fn: func() torch.Tensor {
			return torch.CrossEntropy(logits, target, torch.CrossEntropyOptions{Reduction: torch.None})
		}, op: "aten::cross_entropy_loss", args: args(logits, target, nil, 0)},
	}
}

func backwardRows() []wrapper {
	a, b := values(2, 3), positive(3, 4)
	x, g := values(2, 4, 6, 5), values(2, 6, 3, 3)
	w := positive(6, 2, 3, 3)
	half := torch.Conv2dOptions{Stride: 2, Padding: 1, Groups: 2}
	both := func(needX, needWeight bool) func() []torch.Tensor {
		return func() []torch.Tensor {
			dx, dw := torch.Conv2dBackward(g, x, w, half, needX, needWeight)
			if !needX {
				return tensors(dw)
			}
			return tensors(dx, dw)
		}
	}
	convolution := args(g, x, w, nil, []int{2, 2}, []int{1, 1}, []int{1, 1}, false, []int{0, 0}, 2)
	pool := torch.Pool2dOptions{Kernel: 3, Stride: 2, Padding: 1}
	pooled, maxima := torch.MaxPool2dIndices(x, pool)
	into := func(fn func(out torch.Tensor), shape ...int) func() torch.Tensor {
		return func() torch.Tensor {
			out := torch.Empty(shape, single)
			fn(out)
			return out
		}
	}
	return []wrapper{
		{shim: "torch_mm_out", fn: into(func(out torch.Tensor) { torch.MmOut(out, a, b) }, 2, 4), op: "aten::mm", args: args(a, b)},
		{shim: "torch_relu_out", fn: into(func(out torch.Tensor) { torch.ReLUOut(out, a) }, 2, 3), op: "aten::relu", args: args(a)},
		{shim: "torch_relu_backward_", fn: func() torch.Tensor { return values(2, 3).ReLUBackward_(a.ReLU()) }, op: "aten::threshold_backward", args: args(values(2, 3), a.ReLU(), 0)},
		{shim: "torch_conv2d_backward", list: both(true, true), op: "aten::convolution_backward", args: append(convolution[:len(convolution):len(convolution)], []int{1, 1, 0})},
		{shim: "torch_conv2d_backward", list: both(false, true), op: "aten::convolution_backward", args: append(convolution[:len(convolution):len(convolution)], []int{0, 1, 0})},
		{shim: "torch_depthwise_backward", list: func() []torch.Tensor {
			dx, dWeight := torch.Empty(x.Shape(), single), torch.Empty([]int{4, 1, 3, 3}, single)
			way := torch.DepthwiseWay{G: values(2, 4, 2, 2), Weight: positive(4, 1, 3, 3), DWeight: dWeight}
			torch.DepthwiseBackward(torch.DepthwiseGradients{X: dx}, x, torch.DepthwiseOptions{Stride: 3}, way)
			return tensors(dx, dWeight)
		}, op: "aten::convolution_backward", args: args(values(2, 4, 2, 2), x, positive(4, 1, 3, 3), nil, []int{3, 3}, []int{1, 1}, []int{1, 1}, false, []int{0, 0}, 4, []int{1, 1, 0})},
		{shim: "torch_max_pool2d_indices", list: func() []torch.Tensor { y, i := torch.MaxPool2dIndices(x, pool); return tensors(y, i.Indices()) }, op: "aten::max_pool2d_with_indices", args: args(x, []int{3, 3}, []int{2, 2}, []int{1, 1})},
		{shim: "torch_max_pool2d_backward", fn: func() torch.Tensor { return torch.MaxPool2dBackward(pooled, x, maxima, pool) },
			op: "aten::max_pool2d_with_indices_backward", args: args(pooled, x, []int{3, 3}, []int{2, 2}, []int{1, 1}, []int{1, 1}, false, maxima.Indices())},
	}
}

// randomRows draw with the seed that the test sets before each side.
func randomRows() []wrapper {
	return []wrapper{
		{shim: "torch_rand", fn: func() torch.Tensor { return torch.Rand([]int{2, 3}, double) }, op: "aten::rand", args: args([]int{2, 3}, torch.Float64)},
		{shim: "torch_randn", fn: func() torch.Tensor { return torch.Randn([]int{2, 20}, single) }, op: "aten::randn", args: args([]int{2, 20}, torch.Float32)},
		{shim: "torch_randint", fn: func() torch.Tensor { return torch.RandInt(-3, 9, []int{20}, integer) }, op: "aten::randint.low", args: args(-3, 9, []int{20}, torch.Int64)},
		{shim: "torch_uniform_", fn: func() torch.Tensor { return values(20).Uniform_(-2, 3) }, op: "aten::uniform_", args: args(values(20), -2.0, 3.0)},
		{shim: "torch_normal_", fn: func() torch.Tensor { return values(20).Normal_(-2, 3) }, op: "aten::normal_", args: args(values(20), -2.0, 3.0)},
		{shim: "torch_bernoulli_", fn: func() torch.Tensor { return values(20).Bernoulli_(0.3) }, op: "aten::bernoulli_.float", args: args(values(20), 0.3)},
		{shim: "torch_dropout", fn: func() torch.Tensor { return torch.Dropout(values(20), 0.3, true) }, op: "aten::dropout", args: args(values(20), 0.3, true)},
		{shim: "torch_dropout", fn: func() torch.Tensor { return torch.Dropout(values(20), 0.3, false) }, op: "aten::dropout", args: args(values(20), 0.3, false)},
	}
}
