package torch_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// work is what an operator did: calls and bytes.
type work [2]int

// works returns counts by name, without times.
func works(t *testing.T, counts []torch.OperatorCount) map[string]work {
	t.Helper()
	all := map[string]work{}
	for _, c := range counts {
		if !(c.Seconds > 0 && c.Seconds < 10) {
			t.Errorf("%s took %g s", c.Name, c.Seconds)
		}
		all[c.Name] = work{c.Calls, c.Bytes}
	}
	return all
}

func TestCount(t *testing.T) {
	// Calls are those of kernels and bytes those that they read and write, for each kind of operator that counts in its own way.
	torchtest.Scope(t)
	o := torch.Options{}
	x, row := torch.Randn([]int{10, 20}, o), torch.Randn([]int{20}, o) // 800 and 80 bytes
	index := torch.FromSlice([]int64{1, 3}, 2)
	images, weight := torch.Randn([]int{2, 4, 6, 6}, o).ChannelsLast(), torch.Randn([]int{4, 1, 3, 3}, o)
	depthwise := torch.Conv2dOptions{Padding: 1, Groups: 4}
	const pixels, taps = 2 * 4 * 6 * 6 * 4, 4 * 9 * 4 // bytes
	for _, test := range []struct {
		name string
		run  func()
		want map[string]work
	}{
		{"nothing", func() {}, map[string]work{}},
		{"views", func() { x.T().Narrow(0, 1, 3).Unsqueeze(0); x.View(-1); x.Expand(5, 10, 20) }, map[string]work{}},
		{"memory without values", func() { torch.Empty([]int{7}, o); torch.EmptyLike(x) }, map[string]work{}},
		{"a new tensor", func() { x.Add(x) }, map[string]work{"aten::add": {1, 3 * 800}}},
		{"in place", func() { x.Mul_(x) }, map[string]work{"aten::mul_": {1, 3 * 800}}},
		{"a row for all", func() { x.Add_(row.View(1, 20).Expand(10, 20)) }, map[string]work{"aten::add_": {1, 2*800 + 80}}},
		{"overwritten", func() { x.Copy_(row) }, map[string]work{"aten::copy_": {1, 80 + 800}}},
		{"zeros", func() { torch.Zeros([]int{10}, o) }, map[string]work{"aten::zero_": {1, 40}}},
		{"copies", func() { x.T().Contiguous(); x.Clone() }, map[string]work{"aten::copy_": {2, 4 * 800}}},
		{"an argument to write to", func() { torch.ReLUOut(torch.Empty([]int{20}, o), row) }, map[string]work{"aten::clamp_min": {1, 160}}},
		{"a sum", func() { x.SumDims([]int{0}, false) }, map[string]work{"aten::sum": {1, 880}}},
		{"a mean, which sums and divides", func() { x.MeanDims([]int{0}, false) }, map[string]work{"aten::mean": {1, 880}}},
		{"many", func() { torch.Cat([]torch.Tensor{x, x, x}, 0) }, map[string]work{"aten::cat": {1, 6 * 800}}},
		{"two rows", func() { x.IndexSelect(0, index) }, map[string]work{"aten::index_select": {1, 16 + 4*80}}},
		{"others", func() { torch.Linear(x, torch.Ones([]int{3, 20}, o), torch.Ones([]int{3}, o)) },
			map[string]work{"aten::fill_": {2, 240 + 12}, "aten::addmm": {1, 800 + 240 + 12 + 120}}},
		{"a convolution", func() { torch.Conv2d(images, weight, torch.Tensor{}, depthwise) },
			map[string]work{"aten::mkldnn_convolution": {1, 2*pixels + taps}}},
		{"one of its gradients", func() { torch.Conv2dBackward(images, images, weight, depthwise, false, true) },
			map[string]work{"aten::convolution_backward": {1, 2*pixels + taps}}},
		{"both", func() { torch.Conv2dBackward(images, images, weight, depthwise, true, true) },
			map[string]work{"aten::convolution_backward": {2, 2 * (2*pixels + taps)}}},
		{"a range, sized in the call", func() { torch.Arange(0, 9, 1, o) }, map[string]work{"aten::arange": {1, 36}}},
		{"a product in a new shape", func() { x.View(2, 5, 20).Matmul(row.View(20, 1)) }, map[string]work{"aten::mm": {1, 800 + 80 + 40}}},
		{"a dropout of nothing", func() { torch.Dropout(x, 0.5, false) }, map[string]work{}},
		{"ranks", func() { torch.Parallel(3, func(*torch.Rank) { x.Add(x) }) }, map[string]work{"aten::add": {3, 9 * 800}}},
	} {
		if diff := cmp.Diff(test.want, works(t, torch.Count(test.run))); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestCountOwnLoops(t *testing.T) {
	// A loop of our own counts once with the bytes of its passes where it runs, and by libtorch's operators as on a GPU.
	torchtest.Scope(t)
	o := torch.Options{}
	const f = 4 // bytes of a number
	rand := func(shape ...int) torch.Tensor { return torch.Rand(shape, o) }
	a, w, sum, square := rand(100, 32), rand(32, 16), rand(100, 16), rand(32, 32)
	x, weight, ones := rand(2, 8, 4, 4).ChannelsLast(), rand(12, 8, 1, 1), rand(12)
	leaf := rand(2, 8, 4, 4).ChannelsLast().Detach().RequiresGrad_(true)
	const in, out, weights = 2 * 16 * 8 * f, 2 * 16 * 12 * f, 12 * 8 * f
	taps, folded := rand(8, 1, 3, 3), torch.FoldedMatrix(weight, ones, ones)
	const tapBytes = 8 * 9 * f
	normed := func(x torch.Tensor) torch.Tensor {
		return torch.Separable(x, []torch.SeparableStage{{Weight: weight, Scale: ones, Shift: ones}}, torch.Tensor{})
	}
	y := normed(leaf).Sum()
	states, products, mix, node := rand(3, 2, 5), rand(3, 2, 10), rand(3, 4), rand(2, 5)
	logits, labels := rand(6, 7), torch.Zeros([]int{6}, torch.Options{Dtype: torch.Int64})
	loss := torch.Zeros([]int{1}, double)
	const state = 3 * 2 * 5 * f
	for _, test := range []struct {
		name  string
		run   func()
		bytes int
		asGPU int // calls then; 0 where another form is chosen in Go
	}{
		{"sum_products", func() { torch.SumProducts(sum, false, tensors(a, a), tensors(w, w)) }, f * (2*(3200+512) + 1600), 2},
		{"sum_products", func() { torch.SumProducts(sum, true, tensors(a), tensors(w)) }, f * (3200 + 512 + 2*1600), 1},
		{"gram", func() { torch.Gram(square, false, a, a) }, f * (3200 + 1024), 1},
		{"folded", func() { torch.Folded(x, torch.FoldedWeights{Matrix: folded, Outs: 12}, torch.FoldedOptions{}) }, in + 9*16*f + out, 2},
		{"scaled_sum", func() { torch.ScaledSum(sum, true, tensors(sum.Clone()), tensors(rand(16))) }, f * 3 * 1600, 3}, // and a copy, random numbers
		{"separable", func() { normed(x) }, in + weights + out, 2},
		{"normalise", func() { normed(x) }, 2 * out, 2},
		{"separable_backward", func() { torch.Grad(tensors(y), tensors(leaf), torch.GradOptions{}) }, 4*out + 2*in + 2*weights, 0},
		{"depthwise", func() { torch.Depthwise(x, taps, torch.Tensor{}, torch.DepthwiseOptions{}) }, 2*in + tapBytes, 1},
		{"depthwise", func() { torch.DepthwiseGram(rand(8, 8), x, taps, torch.Tensor{}, torch.DepthwiseOptions{ReLU: true}) }, 2*in + tapBytes, 4}, // and random numbers
		{"depthwise_backward", func() {
			torch.DepthwiseBackward(torch.DepthwiseGradients{X: x.Clone(), Add: true}, x, torch.DepthwiseOptions{ReLU: true},
				torch.DepthwiseWay{G: x, Weight: taps, DWeight: torch.EmptyLike(taps)})
		}, 4*in + 2*tapBytes, 8}, // and a copy
		{"relu_sum", func() { torch.ReLUSum(x.Permute(0, 2, 3, 1).Reshape(2, -1)) }, in + in/2, 2},
		{"gated_mixture", func() { torch.GatedMixture(node, states, products, mix) }, 3*state + 2*5*f + state, 0},
		{"gated_mixture_backward", func() {
			torch.GatedMixtureBackward(node, states, products, mix, states.Clone(), torch.Zeros([]int{3, 4}, double))
		},
			2*5*f + 7*state, 0},
		{"softmax_cross_entropy", func() { torch.SoftmaxCrossEntropy_(logits, torch.Tensor{}, labels, loss) }, 2*42*f + 48, 0},
	} {
		got := works(t, torch.Count(test.run))
		own, runs := got["shim::"+test.name]
		if runs && own != (work{1, test.bytes}) {
			t.Errorf("%s: %v calls and bytes, want 1 and %d", test.name, own, test.bytes)
		}
		if test.asGPU == 0 {
			if kind, _ := torch.Processor(); !runs && (test.name != "separable_backward" || kind != "none") {
				t.Errorf("%s: counted %v", test.name, got)
			}
			continue
		}
		asGPU, calls := works(t, torch.CountAsGPU(test.run)), 0
		for name, w := range asGPU {
			calls += w[0]
			if !strings.HasPrefix(name, "aten::") {
				t.Errorf("a GPU has no %s", name)
			}
		}
		if calls != test.asGPU {
			t.Errorf("%s: %v as on a GPU, want %d calls", test.name, asGPU, test.asGPU)
		}
		if !runs && !cmp.Equal(got, asGPU) { // libtorch's operators here too
			t.Errorf("%s: counted %v, want %v", test.name, got, asGPU)
		}
	}
}

func TestCountGradients(t *testing.T) {
	// The operators of a backward pass count, under their own names, when autograd runs them.
	torchtest.Scope(t)
	x := torch.Ones([]int{3}, torch.Options{}).RequiresGrad_(true)
	y := x.Tanh().Sum()
	got := works(t, torch.Count(func() { y.Backward(torch.BackwardOptions{}) }))
	// ones_like, and the gradient of tanh. The sum's gradient is repeated without a copy.
	if want := map[string]work{"aten::fill_": {1, 4}, "aten::tanh_backward": {1, 4 + 12 + 12}}; !cmp.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestCountEnds(t *testing.T) {
	// Nothing counts after a Count, a panic inside of one included, and two at once are refused.
	torchtest.Scope(t)
	x := torch.Ones([]int{3}, torch.Options{})
	e := caught(t, func() { torch.CountAsGPU(func() { x.Add(torch.Ones([]int{4}, torch.Options{})) }) })
	if e == nil || e.Op != "add" {
		t.Errorf("error %v, want that of add", e)
	}
	if torch.CPU.GPUForm() {
		t.Error("operators take the forms of GPUs after a panic")
	}
	x.Tanh()
	var inside atomic.Bool
	got := works(t, torch.CountAsGPU(func() {
		inside.Store(torch.CPU.GPUForm())
		var e *torch.Error
		if err := torch.Do(func() error { torch.Count(func() {}); return nil }); !errors.As(err, &e) || e.Message != "operators are counted already" {
			t.Errorf("error %v of a second Count", err)
		}
		x.Mul(x)
	}))
	if want := map[string]work{"aten::mul": {1, 36}}; !cmp.Equal(got, want) || !inside.Load() {
		t.Errorf("counted %v, want %v", got, want)
	}
}
