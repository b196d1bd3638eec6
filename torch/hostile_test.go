package torch_test

import (
	"math"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// caught gives the *Error that fn panics with, nil if it returns.
func caught(t *testing.T, fn func()) (e *torch.Error) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			var ok bool
			if e, ok = v.(*torch.Error); !ok {
				t.Fatalf("panic with %T: %v", v, v)
			}
		}
	}()
	fn()
	return nil
}

func TestHostileCalls(t *testing.T) {
	// An operator panics with *Error, and the process goes on, when its arguments make no sense.
	const huge = 1 << 50
	var none torch.Tensor
	o := torch.Options{}
	x := func(shape ...int) torch.Tensor { return torch.Ones(shape, o) }
	whole := func(shape ...int) torch.Tensor { return torch.Ones(shape, torch.Options{Dtype: torch.Int64}) }
	leaf := func() torch.Tensor { return x(2).RequiresGrad_(true) }
	pool := func(kernel, stride, padding int) torch.Pool2dOptions {
		return torch.Pool2dOptions{Kernel: kernel, Stride: stride, Padding: padding}
	}
	groups := map[string][]func(){
		"negative sizes": {
			func() { torch.Empty([]int{-1}, o) },
			func() { torch.Zeros([]int{2, -3}, o) },
			func() { torch.Full([]int{math.MinInt}, 1, o) },
			func() { torch.Rand([]int{-1}, o) },
			func() { torch.Randn([]int{-1}, o) },
			func() { torch.RandInt(0, 2, []int{-1}, o) },
			func() { torch.Eye(-1, o) },
			func() { torch.FromSlice([]float32{1}, -1) },
			func() { torch.FromSlice([]float32{1}, -1, -1) },
			func() { x(4).View(-2) },
			func() { x(4).View(-1, -1) },
			func() { x(4).Reshape(3, -1) },
			func() { x(4).Expand(-2) },
			func() { x(4).Expand(-1, 4) },
			func() { x(4).Repeat(-1) },
			func() { x(4).Narrow(0, 0, -1) },
			func() { x(4).Split([]int{5, -1}, 0) },
			func() { x(4).Chunk(-2, 0) },
			func() { x(4).AsStrided([]int{-2}, []int{1}, 0) },
			func() { x(4).AsStrided([]int{2}, []int{-1}, 0) },
			func() { x(4).AsStrided([]int{2}, []int{1}, -1) },
			func() { x(4).Slice(0, 0, 4, -1) },
			func() { x(4).Slice(0, 0, 4, 0) },
			func() { torch.AdaptiveAvgPool2d(x(1, 1, 4, 4), -1, 2) },
			func() { torch.MaxPool2d(x(1, 1, 4, 4), pool(-3, 1, 1)) },
			func() { torch.MaxPool2d(x(1, 1, 4, 4), pool(3, -1, 1)) },
			func() { torch.MaxPool2d(x(1, 1, 4, 4), pool(3, 1, -1)) },
			func() { torch.AvgPool2d(x(1, 1, 4, 4), pool(3, -1, 1)) },
			func() { torch.AvgPool2d(x(1, 1, 4, 4), pool(-1, 1, 0)) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Stride: -1}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Padding: -1}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Dilation: -1}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Groups: -1}) },
			func() {
				torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{StrideHW: [2]int{1, -1}})
			},
		},
		"zero sizes": {
			func() { torch.MaxPool2d(x(1, 1, 4, 4), pool(0, 0, 0)) },
			func() { torch.AvgPool2d(x(1, 1, 4, 4), pool(0, 0, 0)) },
			func() { torch.AvgPool2d(x(1, 1, 4, 4), pool(9, 1, 0)) },
			func() { torch.Conv2d(x(1, 0, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 0, 0), none, torch.Conv2dOptions{}) },
			func() { torch.Conv2d(x(1, 0, 4, 4), x(0, 0, 3, 3), none, torch.Conv2dOptions{}) },
			func() { torch.Embedding(x(0, 3), whole(1)) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 9, 9), none, torch.Conv2dOptions{}) },
			func() {
				torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{StrideHW: [2]int{1, 0}})
			},
			func() { x(0).Amax(nil, false) },
			func() { x(0).Argmax(0, false) },
			func() { x(0).Item() },
			func() { x(0).Select(0, 0) },
			func() { x(4).Chunk(0, 0) },
			func() { torch.Arange(0, 1, 0, o) },
			func() { torch.BatchNorm(x(1, 2), none, none, none, none, torch.BatchNormOptions{Training: true}) },
			func() { torch.BatchNorm(x(2, 2), none, none, none, none, torch.BatchNormOptions{}) },
		},
		"huge shapes": {
			func() { torch.Empty([]int{huge}, o) },
			func() { torch.Empty([]int{math.MaxInt}, o) },
			func() { torch.Empty([]int{1 << 32, 1 << 32}, o) },
			func() { torch.Zeros([]int{math.MaxInt, math.MaxInt, math.MaxInt}, o) },
			func() { torch.Full([]int{huge, 2}, 1, o) },
			func() { torch.Randn([]int{huge}, o) },
			func() { torch.Eye(1<<40, o) },
			func() { torch.Arange(0, 1e18, 1, o) },
			func() { torch.FromSlice([]float32{}, 1<<32, 1<<32) },
			func() { torch.FromSlice([]float32{}, 0, math.MaxInt, math.MaxInt) },
			func() { torch.FromSlice([]float32{1}, math.MaxInt, math.MaxInt) },
			func() { x(1).Repeat(huge) },
			func() { x(1).Repeat(math.MaxInt, math.MaxInt) },
			func() { x(1).Expand(huge).Clone() },
			func() { x(1).Expand(math.MaxInt, math.MaxInt) },
			func() { x(4).View(math.MaxInt, math.MaxInt) },
			func() { x(4).AsStrided([]int{huge}, []int{1}, 0) },
			func() { x(4).AsStrided([]int{math.MaxInt}, []int{math.MaxInt}, 0) },
			func() { x(4).AsStrided([]int{2}, []int{1}, math.MaxInt) },
			func() { x(4).Narrow(0, math.MaxInt, math.MaxInt) },
			func() { x(4).Split([]int{math.MaxInt, math.MaxInt}, 0) },
			func() { x(1, huge).Matmul(x(huge, 1)) },
			func() { torch.AdaptiveAvgPool2d(x(1, 1, 4, 4), 1<<30, 1<<30) },
			func() { torch.MaxPool2d(x(1, 1, 4, 4), pool(math.MaxInt, 1, 0)) },
			func() { torch.MaxPool2d(x(1, 1, 4, 4), pool(3, 1, math.MaxInt)) },
			func() { torch.AvgPool2d(x(1, 1, 4, 4), pool(3, math.MaxInt, 9)) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Groups: huge}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Dilation: math.MaxInt}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Padding: math.MaxInt}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Padding: 1 << 24}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Dilation: math.MaxInt32}) },
			func() { torch.Conv2d(x(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{Groups: math.MinInt}) },
			func() { torch.AdaptiveAvgPool2d(x(1, 1, 4, 4), math.MaxInt, 1) },
			func() { torch.Arange(0, math.Inf(1), 1, o) },
			func() { torch.Arange(0, 1, 1e-300, o) },
		},
		"maxima of other images": {
			func() {
				_, at := torch.MaxPool2dIndices(x(1, 1, 8, 8), pool(3, 2, 1))
				torch.MaxPool2dBackward(x(1, 1, 4, 4), x(1, 1, 7, 7), at, pool(3, 2, 1))
			},
			func() {
				_, at := torch.MaxPool2dIndices(x(1, 1, 8, 8), pool(3, 2, 1))
				torch.MaxPool2dBackward(x(1, 1, 8, 8), x(1, 1, 8, 8), at, pool(3, 1, 1))
			},
			func() {
				_, at := torch.MaxPool2dIndices(x(1, 1, 8, 8), pool(3, 2, 1))
				torch.MaxPool2dBackward(x(2, 1, 4, 4), x(2, 1, 8, 8), at, pool(3, 2, 1))
			},
			func() { torch.MaxPool2dBackward(x(1, 1, 4, 4), x(1, 1, 8, 8), torch.Maxima{}, pool(3, 2, 1)) },
		},
		"dimensions out of range": {
			func() { x(2, 3).Size(2) },
			func() { x(2, 3).Size(-3) },
			func() { x(2, 3).Permute(0, 0) },
			func() { x(2, 3).Permute(0) },
			func() { x(2, 3).Permute(0, 2) },
			func() { x(2, 3).Transpose(0, 2) },
			func() { x(3).T() },
			func() { x(2, 3).Unsqueeze(4) },
			func() { x(2, 3).Squeeze(2) },
			func() { x(2, 3).Select(2, 0) },
			func() { x(2, 3).Select(0, 2) },
			func() { x(2, 3).Narrow(2, 0, 1) },
			func() { x(2, 3).Slice(2, 0, 1, 1) },
			func() { x(2, 3).SumDims([]int{2}, false) },
			func() { x(2, 3).SumDims([]int{0, 0}, false) },
			func() { x(2, 3).MeanDims([]int{-3}, false) },
			func() { x(2, 3).Amax([]int{2}, false) },
			func() { x(2, 3).Amin([]int{math.MinInt}, false) },
			func() { x(2, 3).Argmax(2, false) },
			func() { x(2, 3).Softmax(2) },
			func() { x(2, 3).LogSoftmax(-3) },
			func() { x(2, 3).Diagonal(0, 0, 0) },
			func() { x(2, 3).Diagonal(0, 0, 2) },
			func() { x(2, 3).Narrow(0, math.MinInt, 1) },
			func() { x(2, 3).Select(0, math.MinInt) },
			func() { x(2, 3).Unsqueeze(math.MinInt) },
			func() { x(2, 3).Repeat(1) },
			func() { torch.Cat([]torch.Tensor{x(2), x(2)}, 1) },
			func() { torch.Stack([]torch.Tensor{x(2), x(2)}, 2) },
			func() { x(2, 3).Split([]int{1, 1}, 2) },
			func() { x(2, 3).Chunk(2, 2) },
			func() { x(2, 3).ChannelsLast() },
			func() { torch.FromSliceChannelsLast([]float32{1}, []int{1}, o) },
			func() { x(2, 3).AsStrided([]int{1}, nil, 0) },
		},
		"indices out of range": {
			func() { x(2, 3).IndexSelect(0, whole(1).MulScalar(2)) },
			func() { x(2, 3).IndexSelect(0, whole(1).MulScalar(-3)) },
			func() { x(2, 3).IndexSelect(0, whole(1, 1)) },
			func() { x(2, 3).Gather(0, whole(1, 1).MulScalar(9)) },
			func() { x(2, 3).Gather(0, whole(1)) },
			func() { x(2, 3).Scatter_(0, whole(1, 1).MulScalar(9), x(1, 1)) },
			func() { x(2, 3).Scatter_(1, whole(2, 3), x(1, 1)) },
			func() { x(2, 3).IndexAdd_(0, whole(1).MulScalar(9), x(1, 3)) },
			func() { x(2, 3).IndexAdd_(0, whole(1).Neg(), x(1, 3)) },
			func() { x(2, 3).IndexAdd_(0, whole(2), x(1, 3)) },
			func() { torch.Embedding(x(2, 3), whole(1).MulScalar(2)) },
			func() { torch.Embedding(x(2, 3), whole(1).Neg()) },
			func() { torch.CrossEntropy(x(2, 3), whole(2).MulScalar(3), torch.CrossEntropyOptions{}) },
			func() { torch.CrossEntropy(x(2, 3), whole(2).MulScalar(-1), torch.CrossEntropyOptions{}) },
		},
		"wrong types": {
			func() { torch.Empty([]int{1}, torch.Options{Dtype: 99}) },
			func() { torch.Empty([]int{1}, torch.Options{Dtype: -1}) },
			func() { x(2).ToDtype(99) },
			func() { torch.Autocast(torch.CPU, 99, func() {}) },
			func() { torch.CrossEntropy(x(2, 3), whole(2), torch.CrossEntropyOptions{Reduction: 3}) },
			func() { x(2, 3).IndexSelect(0, x(1)) },
			func() { x(2, 3).Gather(0, x(1, 1)) },
			func() { x(2, 3).Scatter_(0, x(1, 1), x(1, 1)) },
			func() { x(2, 3).Scatter_(0, whole(1, 1), whole(1, 1)) },
			func() { x(2, 3).MaskedFill(x(2, 3), 1) },
			func() { torch.Where(x(2), x(2), x(2)) },
			func() { torch.Embedding(x(2, 3), x(1)) },
			func() { torch.CrossEntropy(x(2, 3), x(2), torch.CrossEntropyOptions{}) },
			func() { torch.CrossEntropy(whole(2, 3), whole(2), torch.CrossEntropyOptions{}) },
			func() { x(2, 3).Matmul(whole(3, 2)) },
			func() { x(2).Dot(whole(2)) },
			func() { torch.Conv2d(whole(1, 1, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{}) },
			func() { torch.Linear(x(2, 3), whole(4, 3), none) },
			func() { whole(2).Mean() },
			func() { whole(2).RequiresGrad_(true) },
			func() { whole(2).Rsqrt_() },
			func() { whole(2).Uniform_(0, 1) },
			func() { whole(2).Fill_(math.NaN()) },
			func() { torch.BatchNorm(whole(2, 2), none, none, none, none, torch.BatchNormOptions{Training: true}) },
			func() { torch.SetRNGState(torch.CPU, x(5056)) },
			func() { torch.SetRNGState(torch.CPU, torch.Zeros([]int{3}, torch.Options{Dtype: torch.Uint8})) },
			func() { leaf().SetGrad(torch.Ones([]int{2}, torch.Options{Dtype: torch.Float64})) },
		},
		"values out of range": {
			func() { torch.Dropout(x(2), 2, true) },
			func() { torch.Dropout(x(2), math.NaN(), true) },
			func() { x(2).Bernoulli_(-1) },
			func() { x(2).Normal_(0, -1) },
			func() { x(2).Uniform_(1, 0) },
			func() { torch.RandInt(2, 2, []int{1}, o) },
			func() { torch.Arange(math.NaN(), 1, 1, o) },
			func() { torch.Arange(0, 1, -1, o) },
			func() { torch.CrossEntropy(x(2, 3), whole(2), torch.CrossEntropyOptions{LabelSmoothing: 2}) },
			func() { torch.SetThreads(0) },
			func() { torch.SetThreads(-1) },
			func() { torch.SetThreads(1 << 32) },
			func() { x(2, 3).Item() },
			func() { whole(2).ItemInt() },
		},
		"shapes that do not fit": {
			func() { x(2, 3).Add(x(4)) },
			func() { x(2, 3).AddScaled_(x(4), 1) },
			func() { x(3).Add_(x(2, 3)) },
			func() { x(2, 3).Sub(x(2)) },
			func() { x(2, 3).Mul_(x(2)) },
			func() { x(2, 3).Eq(x(2)) },
			func() { x(2).Lerp_(x(3), 0.5) },
			func() { x(2).Addcmul_(x(3), x(2), 1) },
			func() { x(2).Addcdiv_(x(2), x(3), 1) },
			func() { x(2).Copy_(x(3)) },
			func() { x(2, 3).Matmul(x(2, 3)) },
			func() { x(2).Mm(x(2)) },
			func() { x(2, 3).Bmm(x(3, 2)) },
			func() { x(2).Dot(x(3)) },
			func() { x(2, 2).Addmm_(x(2, 3), x(2, 3), 1, 1) },
			func() { x(4).View(3) },
			func() { x(2, 3).T().View(6) },
			func() { x(2, 3).ViewAs(x(5)) },
			func() { torch.FromSlice([]float32{1, 2}, 3) },
			func() { torch.FromSlice[float32](nil, 1) },
			func() { torch.Linear(x(2, 3), x(4, 2), none) },
			func() { torch.Conv2d(x(1, 2, 4, 4), x(1, 1, 3, 3), none, torch.Conv2dOptions{}) },
			func() { torch.Conv2d(x(1, 2, 4, 4), x(4, 1, 3, 3), x(3), torch.Conv2dOptions{Groups: 2}) },
			func() { torch.Conv2d(x(4), x(1, 1, 3, 3), none, torch.Conv2dOptions{}) },
			func() { torch.BatchNorm(x(2, 3), x(2), none, none, none, torch.BatchNormOptions{Training: true}) },
			func() { torch.BatchNorm(x(2, 3), none, none, x(2), x(3), torch.BatchNormOptions{}) },
			func() { torch.BatchNorm(x(3), none, none, none, none, torch.BatchNormOptions{Training: true}) },
			func() { torch.CrossEntropy(x(2, 3), whole(3), torch.CrossEntropyOptions{}) },
			func() { leaf().SetGrad(x(3)) },
			func() { torch.MaxPool2d(x(4), pool(2, 1, 0)) },
		},
		"empty and mismatched lists": {
			func() { torch.Cat(nil, 0) },
			func() { torch.Stack([]torch.Tensor{}, 0) },
			func() { torch.Cat([]torch.Tensor{x(2, 3), x(2, 4)}, 0) },
			func() { torch.Stack([]torch.Tensor{x(2), x(3)}, 0) },
			func() { x(4).Split(nil, 0) },
			func() { x(4).Split([]int{1, 1}, 0) },
			func() { torch.ForeachCopy_([]torch.Tensor{x(2)}, nil) },
			func() { torch.ForeachCopy_(nil, nil) },
			func() { torch.ForeachCopy_([]torch.Tensor{x(2)}, []torch.Tensor{x(3)}) },
			func() { torch.ForeachCopy_([]torch.Tensor{x(2)}, []torch.Tensor{x(2), x(2)}) },
			func() { torch.Grad(nil, nil, torch.GradOptions{}) },
			func() { torch.Grad([]torch.Tensor{leaf().Sum()}, nil, torch.GradOptions{}) },
			func() { torch.Grad([]torch.Tensor{leaf()}, []torch.Tensor{leaf()}, torch.GradOptions{}) },
			func() {
				l := leaf()
				torch.Grad([]torch.Tensor{l.Sum()}, []torch.Tensor{l}, torch.GradOptions{GradOutputs: []torch.Tensor{x(), x()}})
			},
			func() {
				l := leaf()
				torch.Grad([]torch.Tensor{l.Sum()}, []torch.Tensor{l}, torch.GradOptions{GradOutputs: []torch.Tensor{x(7)}})
			},
		},
		"graphs": {
			func() { x(1).Backward(torch.BackwardOptions{}) },
			func() { leaf().Backward(torch.BackwardOptions{}) },
			func() { leaf().Backward(torch.BackwardOptions{Gradient: x(3)}) },
			func() { leaf().Add_(x(2)) },
			func() { leaf().MulScalar(1).RequiresGrad_(false) },
			func() { torch.Grad([]torch.Tensor{leaf().Sum()}, []torch.Tensor{leaf()}, torch.GradOptions{}) },
			func() {
				y := leaf().Square().Sum()
				y.Backward(torch.BackwardOptions{})
				y.Backward(torch.BackwardOptions{})
			},
			func() {
				l := leaf()
				y := l.Tanh()
				y.Zero_()
				y.Sum().Backward(torch.BackwardOptions{})
			},
		},
		"the zero Tensor": {
			func() { none.Shape() },
			func() { none.Strides() },
			func() { none.Dtype() },
			func() { none.Device() },
			func() { none.Numel() },
			func() { none.Item() },
			func() { none.Float64s() },
			func() { none.Raw() },
			func() { none.Free() },
			func() { torch.Keep(none) },
			func() { none.Neg() },
			func() { none.Add(x(1)) },
			func() { x(1).Add(none) },
			func() { x(1).Copy_(none) },
			func() { torch.EmptyLike(none) },
			func() { torch.Cat([]torch.Tensor{none}, 0) },
			func() { torch.ForeachCopy_([]torch.Tensor{x(1)}, []torch.Tensor{none}) },
			func() { torch.Conv2d(none, none, none, torch.Conv2dOptions{}) },
			func() { torch.Linear(x(1, 1), none, none) },
			func() { torch.BatchNorm(none, none, none, none, none, torch.BatchNormOptions{}) },
			func() { torch.Embedding(none, none) },
			func() { torch.CrossEntropy(x(1, 1), none, torch.CrossEntropyOptions{}) },
			func() { torch.Where(none, x(1), x(1)) },
			func() { none.Backward(torch.BackwardOptions{}) },
			func() { torch.Grad([]torch.Tensor{none}, []torch.Tensor{none}, torch.GradOptions{}) },
			func() { none.RequiresGrad_(true) },
			func() { none.SetGrad(x(1)) },
			func() { torch.SetRNGState(torch.CPU, none) },
		},
		"Call": {
			func() { torch.Call("") },
			func() { torch.Call("aten::no_such_operator") },
			func() { torch.Call("aten::mul.Tensor") },
			func() { torch.Call("aten::mul.Tensor", x(1)) },
			func() { torch.Call("aten::mul.Tensor", x(1), x(1), x(1)) },
			func() { torch.Call("aten::mul.Tensor", 1, 2) },
			func() { torch.Call("aten::mul.Tensor", "a", []int{1}) },
			func() { torch.Call("aten::mul.Tensor", none, none) },
			func() { torch.Call("aten::mul.Tensor", x(1), nil) },
			func() { torch.Call("aten::mul.Tensor", x(1), []torch.Tensor{x(1)}) },
			func() { torch.Call("aten::mul.Tensor", x(1), struct{}{}) },
			func() { torch.Call("aten::mul.Tensor", x(1), float32(1)) },
			func() { torch.Call("aten::sum.dim_IntList", x(1), 0.5) },
			func() { torch.Call("aten::sum.dim_IntList", x(1), []float64{0}) },
			func() { torch.Call("aten::sum.dim_IntList", x(1), []int{7}) },
			func() { torch.Call("aten::cat", []torch.Tensor{}) },
			func() { torch.Call("aten::cat", []torch.Tensor{none}) },
			func() { torch.Call("aten::cat", x(1)) },
			func() { torch.Call("aten::empty.memory_format", []int{-1}) },
			func() { torch.Call("aten::empty.memory_format", []int{1}, 99) },
			func() { torch.Call("aten::empty.memory_format", []int{1}, nil, nil, "nowhere") },
			func() { torch.Call("aten::empty.memory_format", []int{1}, "float") },
			func() { torch.Call("aten::split.Tensor", x(300), 1) },
			func() { torch.Call("aten::upsample_nearest2d", x(1), nil, nil) },
		},
	}
	for group, calls := range groups {
		t.Run(group, func(t *testing.T) {
			torchtest.Scope(t)
			for i, call := range calls {
				torch.Scoped(func() {
					e := caught(t, call)
					switch {
					case e == nil:
						t.Errorf("call %d: no error", i)
					case e.Op == "" && group != "Call" || e.Message == "" || strings.Contains(e.Error(), "\n"):
						t.Errorf("call %d: error %q of operator %q", i, e.Error(), e.Op)
					}
				})
			}
		})
	}
}
