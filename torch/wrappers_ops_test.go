package torch_test

import (
	"math"

	"godarts/torch"
)

func arithmeticRows() []wrapper {
	rows := []wrapper{
		{shim: "torch_sign", fn: values(2, 3).Sign, op: "aten::sign", args: args(values(2, 3))},
		{shim: "torch_isfinite", fn: values(2, 3).Sub(values(3)).Reciprocal().IsFinite, op: "aten::isfinite", args: args(values(2, 3).Sub(values(3)).Reciprocal())},
		{shim: "torch_add", fn: func() torch.Tensor { return values(2, 3).Add(positive(3)) }, op: "aten::add.Tensor", args: args(values(2, 3), positive(3))},
		{shim: "torch_add", fn: func() torch.Tensor { return values(2, 3).AddScaled(positive(3), 0.3) }, op: "aten::add.Tensor", args: args(values(2, 3), positive(3), 0.3)},
		{shim: "torch_add_", fn: func() torch.Tensor { return values(2, 3).Add_(positive(3)) }, op: "aten::add_.Tensor", args: args(values(2, 3), positive(3))},
		{shim: "torch_add_", fn: func() torch.Tensor { return values(2, 3).AddScaled_(positive(3), 0.3) }, op: "aten::add_.Tensor", args: args(values(2, 3), positive(3), 0.3)},
		{shim: "torch_maximum", fn: func() torch.Tensor { return torch.Maximum(values(2, 3), positive(3)) }, op: "aten::maximum", args: args(values(2, 3), positive(3))},
		{shim: "torch_minimum", fn: func() torch.Tensor { return torch.Minimum(values(2, 3), positive(3)) }, op: "aten::minimum", args: args(values(2, 3), positive(3))},
		{shim: "torch_add_scalar", fn: func() torch.Tensor { return values(2, 3).AddScalar(0.3) }, op: "aten::add.Scalar", args: args(values(2, 3), 0.3)},
		{shim: "torch_add_scalar", fn: func() torch.Tensor { return integers([]int64{1, 2}, 2).AddScalar(3) }, op: "aten::add.Scalar", args: args(integers([]int64{1, 2}, 2), 3)},
		{shim: "torch_add_scalar_", fn: func() torch.Tensor { return values(2, 3).AddScalar_(0.3) }, op: "aten::add_.Scalar", args: args(values(2, 3), 0.3)},
		{shim: "torch_mul_scalar", fn: func() torch.Tensor { return values(2, 3).MulScalar(0.3) }, op: "aten::mul.Scalar", args: args(values(2, 3), 0.3)},
		{shim: "torch_mul_scalar_", fn: func() torch.Tensor { return values(2, 3).MulScalar_(0.3) }, op: "aten::mul_.Scalar", args: args(values(2, 3), 0.3)},
		{shim: "torch_div_scalar", fn: func() torch.Tensor { return values(2, 3).DivScalar(0.3) }, op: "aten::div.Scalar", args: args(values(2, 3), 0.3)},
		{shim: "torch_div_scalar_", fn: func() torch.Tensor { return values(2, 3).DivScalar_(0.3) }, op: "aten::div_.Scalar", args: args(values(2, 3), 0.3)},
		{shim: "torch_pow_scalar", fn: func() torch.Tensor { return positive(2, 3).PowScalar(1.7) }, op: "aten::pow.Tensor_Scalar", args: args(positive(2, 3), 1.7)},
		{shim: "torch_clamp", fn: func() torch.Tensor { return values(2, 3).Clamp(-0.5, 0.5) }, op: "aten::clamp", args: args(values(2, 3), -0.5, 0.5)},
		{shim: "torch_clamp", fn: func() torch.Tensor { return values(2, 3).Clamp(math.Inf(-1), 0.5) }, op: "aten::clamp", args: args(values(2, 3), nil, 0.5)},
		{shim: "torch_clamp_", fn: func() torch.Tensor { return values(2, 3).Clamp_(-0.5, math.Inf(1)) }, op: "aten::clamp_", args: args(values(2, 3), -0.5, nil)},
		{shim: "torch_lerp_", fn: func() torch.Tensor { return values(2, 3).Lerp_(positive(2, 3), 0.3) }, op: "aten::lerp_.Scalar", args: args(values(2, 3), positive(2, 3), 0.3)},
		{shim: "torch_addcmul_", fn: func() torch.Tensor { return values(2, 3).Addcmul_(positive(3), values(3), 0.3) }, op: "aten::addcmul_", args: args(values(2, 3), positive(3), values(3), 0.3)},
		{shim: "torch_addcdiv_", fn: func() torch.Tensor { return values(2, 3).Addcdiv_(positive(3), values(3), 0.3) }, op: "aten::addcdiv_", args: args(values(2, 3), positive(3), values(3), 0.3)},
	}
	x := values(2, 3)
	for _, op := range []struct {
		name             string
		ordinary, inside func(torch.Tensor) torch.Tensor
	}{
		{"abs", torch.Tensor.Abs, torch.Tensor.Abs_},
		{"exp", torch.Tensor.Exp, torch.Tensor.Exp_},
		{"floor", torch.Tensor.Floor, torch.Tensor.Floor_},
		{"log", torch.Tensor.Log, torch.Tensor.Log_},
		{"neg", torch.Tensor.Neg, torch.Tensor.Neg_},
		{"reciprocal", torch.Tensor.Reciprocal, torch.Tensor.Reciprocal_},
		{"rsqrt", torch.Tensor.Rsqrt, torch.Tensor.Rsqrt_},
		{"sqrt", torch.Tensor.Sqrt, torch.Tensor.Sqrt_},
		{"square", torch.Tensor.Square, torch.Tensor.Square_},
		{"relu", torch.Tensor.ReLU, torch.Tensor.ReLU_},
		{"sigmoid", torch.Tensor.Sigmoid, torch.Tensor.Sigmoid_},
		{"tanh", torch.Tensor.Tanh, torch.Tensor.Tanh_},
	} {
		rows = append(rows,
			wrapper{shim: "torch_" + op.name, fn: func() torch.Tensor { return op.ordinary(x) }, op: "aten::" + op.name, args: args(x)},
			wrapper{shim: "torch_" + op.name + "_", fn: func() torch.Tensor { return op.inside(values(2, 3)) }, op: "aten::" + op.name + "_", args: args(values(2, 3))})
	}
	y := values(3).Neg()
	for _, op := range []struct {
		name             string
		ordinary, inside func(a, b torch.Tensor) torch.Tensor
	}{
		{"sub", torch.Tensor.Sub, torch.Tensor.Sub_},
		{"mul", torch.Tensor.Mul, torch.Tensor.Mul_},
		{"div", torch.Tensor.Div, torch.Tensor.Div_},
	} {
		rows = append(rows,
			wrapper{shim: "torch_" + op.name, fn: func() torch.Tensor { return op.ordinary(x, y) }, op: "aten::" + op.name + ".Tensor", args: args(x, y)},
			wrapper{shim: "torch_" + op.name + "_", fn: func() torch.Tensor { return op.inside(values(2, 3), y) }, op: "aten::" + op.name + "_.Tensor", args: args(values(2, 3), y)})
	}
	median := x.Flatten().Float64s()[3]
	for _, op := range []struct {
		name   string
		tensor func(a, b torch.Tensor) torch.Tensor
		scalar func(a torch.Tensor, b float64) torch.Tensor
	}{
		{"eq", torch.Tensor.Eq, torch.Tensor.EqScalar},
		{"ne", torch.Tensor.Ne, torch.Tensor.NeScalar},
		{"lt", torch.Tensor.Lt, torch.Tensor.LtScalar},
		{"le", torch.Tensor.Le, torch.Tensor.LeScalar},
		{"gt", torch.Tensor.Gt, torch.Tensor.GtScalar},
		{"ge", torch.Tensor.Ge, torch.Tensor.GeScalar},
	} {
		rows = append(rows,
			wrapper{shim: "torch_" + op.name, fn: func() torch.Tensor { return op.tensor(x, values(3)) }, op: "aten::" + op.name + ".Tensor", args: args(x, values(3))},
			wrapper{shim: "torch_" + op.name + "_scalar", fn: func() torch.Tensor { return op.scalar(x, median) }, op: "aten::" + op.name + ".Scalar", args: args(x, median)})
	}
	return rows
}

func reductionRows() []wrapper {
	x := values(2, 3, 4)
	return []wrapper{
		{shim: "torch_sum", fn: x.Sum, op: "aten::sum", args: args(x)},
		{shim: "torch_sum", fn: func() torch.Tensor { return x.SumDims([]int{0, -1}, true) }, op: "aten::sum.dim_IntList", args: args(x, []int{0, -1}, true)},
		{shim: "torch_mean", fn: x.Mean, op: "aten::mean", args: args(x)},
		{shim: "torch_mean", fn: func() torch.Tensor { return x.MeanDims([]int{1}, false) }, op: "aten::mean.dim", args: args(x, []int{1}, false)},
		{shim: "torch_var", fn: func() torch.Tensor { return x.VarDims(nil, true, false) }, op: "aten::var", args: args(x, true)},
		{shim: "torch_var", fn: func() torch.Tensor { return x.VarDims([]int{0, 2}, false, true) }, op: "aten::var.dim", args: args(x, []int{0, 2}, false, true)},
		{shim: "torch_amax", fn: func() torch.Tensor { return x.Amax([]int{1}, true) }, op: "aten::amax", args: args(x, []int{1}, true)},
		{shim: "torch_amin", fn: func() torch.Tensor { return x.Amin(nil, false) }, op: "aten::amin", args: args(x)},
		{shim: "torch_argmax", fn: func() torch.Tensor { return x.Argmax(1, true) }, op: "aten::argmax", args: args(x, 1, true)},
		{shim: "torch_topk", list: func() []torch.Tensor { v, i := x.Topk(2, 1); return tensors(v, i) }, op: "aten::topk", args: args(x, 2, 1)},
		{shim: "torch_cumsum", fn: func() torch.Tensor { return x.Cumsum(2) }, op: "aten::cumsum", args: args(x, 2)},
		{shim: "torch_norm", fn: x.Norm, op: "aten::norm.Scalar", args: args(x)},
		{shim: "torch_softmax", fn: func() torch.Tensor { return x.Softmax(1) }, op: "aten::softmax.int", args: args(x, 1)},
		{shim: "torch_log_softmax", fn: func() torch.Tensor { return x.LogSoftmax(-1) }, op: "aten::log_softmax.int", args: args(x, -1)},
	}
}

func productRows() []wrapper {
	a, b := values(2, 3), positive(3, 4)
	batchA, batchB := values(2, 2, 3), positive(2, 3, 4)
	pair := func() []torch.Tensor { return tensors(values(2, 3), positive(4)) }
	ends := tensors(positive(2, 3), values(4))
	return []wrapper{
		{shim: "torch_matmul", fn: func() torch.Tensor { return batchA.Matmul(b) }, op: "aten::matmul", args: args(batchA, b)},
		{shim: "torch_mm", fn: func() torch.Tensor { return a.Mm(b) }, op: "aten::mm", args: args(a, b)},
		{shim: "torch_bmm", fn: func() torch.Tensor { return batchA.Bmm(batchB) }, op: "aten::bmm", args: args(batchA, batchB)},
		{shim: "torch_dot", fn: func() torch.Tensor { return values(5).Dot(positive(5)) }, op: "aten::dot", args: args(values(5), positive(5))},
		{shim: "torch_addmm", fn: func() torch.Tensor { return torch.Addmm(values(4), a, b, 0.3, 0.7) }, op: "aten::addmm", args: args(values(4), a, b, 0.3, 0.7)},
		{shim: "torch_addmm_", fn: func() torch.Tensor { return values(2, 4).Addmm_(a, b, 0.3, 0.7) }, op: "aten::addmm_", args: args(values(2, 4), a, b, 0.3, 0.7)},
		{shim: "torch_baddbmm", fn: func() torch.Tensor { return torch.Baddbmm(values(2, 2, 4), batchA, batchB, 0.3, 0.7) }, op: "aten::baddbmm", args: args(values(2, 2, 4), batchA, batchB, 0.3, 0.7)},
		{shim: "torch_diagonal", fn: func() torch.Tensor { return batchB.Diagonal(1, 1, 2) }, op: "aten::diagonal", args: args(batchB, 1, 1, 2)},
		{shim: "torch_foreach_add_", list: func() []torch.Tensor { ts := pair(); torch.ForeachAdd_(ts, ends, 0.3); return ts }, op: "aten::_foreach_add_.List", args: args(pair(), ends, 0.3)},
		{shim: "torch_foreach_mul_scalar_", list: func() []torch.Tensor { ts := pair(); torch.ForeachMulScalar_(ts, 0.3); return ts }, op: "aten::_foreach_mul_.Scalar", args: args(pair(), 0.3)},
		{shim: "torch_foreach_lerp_", list: func() []torch.Tensor { ts := pair(); torch.ForeachLerp_(ts, ends, 0.3); return ts }, op: "aten::_foreach_lerp_.Scalar", args: args(pair(), ends, 0.3)},
		{shim: "torch_foreach_copy_", list: func() []torch.Tensor { ts := pair(); torch.ForeachCopy_(ts, ends); return ts }, op: "aten::_foreach_copy_", args: args(pair(), ends)},
		{shim: "torch_foreach_zero_", list: func() []torch.Tensor { ts := pair(); torch.ForeachZero_(ts); return ts }, op: "aten::_foreach_zero_", args: args(pair())},
		{shim: "torch_foreach_norm", list: func() []torch.Tensor { return torch.ForeachNorm(pair()) }, op: "aten::_foreach_norm.Scalar", args: args(pair(), 2)},
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
		{shim: "torch_dilated_depthwise", fn: func() torch.Tensor { return torch.DilatedDepthwise(x, positive(4, 1, 3, 3)) },
			op: "aten::conv2d", args: args(x, positive(4, 1, 3, 3), nil, []int{1, 1}, []int{2, 2}, []int{2, 2}, 4)},
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
			variance().MulScalar(0.9).AddScaled(x.VarDims([]int{0, 2, 3}, true, false), 0.1), false, 0.1, 1e-5, true)},
		{shim: "torch_embedding", fn: func() torch.Tensor { return torch.Embedding(logits, integers([]int64{2, 0, 2, 1}, 2, 2)) }, op: "aten::embedding", args: args(logits, integers([]int64{2, 0, 2, 1}, 2, 2))},
		{shim: "torch_pad", fn: func() torch.Tensor { return x.Pad([]int{1, 0, -1, 2}, 0.3) }, op: "aten::constant_pad_nd", args: args(x, []int{1, 0, -1, 2}, 0.3)},
		{shim: "torch_cross_entropy", fn: func() torch.Tensor {
			return torch.CrossEntropy(logits, target, torch.CrossEntropyOptions{LabelSmoothing: 0.1})
		}, op: "aten::cross_entropy_loss", args: args(logits, target, nil, 1, -100, 0.1)},
		{shim: "torch_cross_entropy", fn: func() torch.Tensor {
			return torch.CrossEntropy(logits, target, torch.CrossEntropyOptions{Reduction: torch.None})
		}, op: "aten::cross_entropy_loss", args: args(logits, target, nil, 0)},
		{shim: "torch_nll_loss", fn: func() torch.Tensor { return torch.NLLLoss(logits, target, torch.Sum) }, op: "aten::nll_loss", args: args(logits, target, nil, 2)},
		{shim: "torch_mse_loss", fn: func() torch.Tensor { return torch.MSELoss(logits, positive(3, 5), torch.Mean) }, op: "aten::mse_loss", args: args(logits, positive(3, 5), 1)},
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
		{shim: "torch_randperm", fn: func() torch.Tensor { return torch.RandPerm(20, integer) }, op: "aten::randperm", args: args(20, torch.Int64)},
		{shim: "torch_uniform_", fn: func() torch.Tensor { return values(20).Uniform_(-2, 3) }, op: "aten::uniform_", args: args(values(20), -2.0, 3.0)},
		{shim: "torch_normal_", fn: func() torch.Tensor { return values(20).Normal_(-2, 3) }, op: "aten::normal_", args: args(values(20), -2.0, 3.0)},
		{shim: "torch_bernoulli_", fn: func() torch.Tensor { return values(20).Bernoulli_(0.3) }, op: "aten::bernoulli_.float", args: args(values(20), 0.3)},
		{shim: "torch_dropout", fn: func() torch.Tensor { return torch.Dropout(values(20), 0.3, true) }, op: "aten::dropout", args: args(values(20), 0.3, true)},
		{shim: "torch_dropout", fn: func() torch.Tensor { return torch.Dropout(values(20), 0.3, false) }, op: "aten::dropout", args: args(values(20), 0.3, false)},
	}
}
