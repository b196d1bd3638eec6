package torch_test

import (
	"bytes"
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// wrapper is a row of the comparison of the typed functions with Call: what fn
// gives must equal what the operator op gives for args.
type wrapper struct {
	shim string              // the C function that fn calls, or class_name of operators.h
	fn   func() torch.Tensor // or list
	list func() []torch.Tensor
	op   string
	args []any
}

// Tensors for the rows, equal at every call. A row that works in place makes its
// own for each side.
func values(shape ...int) torch.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	// Multiples of 5 modulo 23: no order, both signs, no zero.
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*5%23)/8 - 1.3
	}
	return torch.FromSlice(x, shape...)
}

func positive(shape ...int) torch.Tensor { return values(shape...).Abs() }

func integers(values []int64, shape ...int) torch.Tensor { return torch.FromSlice(values, shape...) }

func truths(v []bool, shape ...int) torch.Tensor { return torch.FromSlice(v, shape...) }

func tensors(ts ...torch.Tensor) []torch.Tensor { return ts }

func args(a ...any) []any { return a }

var (
	single  = torch.Options{}
	double  = torch.Options{Dtype: torch.Float64}
	integer = torch.Options{Dtype: torch.Int64}
)

func TestWrappers(t *testing.T) {
	// A typed function gives the bytes of the operator it is named after when both get the same arguments.
	compared := map[string]bool{}
	for _, group := range []struct {
		name string
		rows func() []wrapper
	}{
		{"creation", creationRows},
		{"views", viewRows},
		{"arithmetic", arithmeticRows},
		{"reductions", reductionRows},
		{"products", productRows},
		{"networks", networkRows},
		{"backward passes", backwardRows},
		{"random numbers", randomRows},
	} {
		t.Run(group.name, func(t *testing.T) {
			torchtest.Scope(t)
			for _, row := range group.rows() {
				row.compare(t)
				compared[row.shim] = true
			}
		})
	}
	uses := shimUses(t)
	for name := range exceptions {
		if uses[name] == nil {
			t.Errorf("%s is an exception, but no Go file calls it", name)
		}
	}
	for name, uses := range uses {
		reason, excepted := exceptions[name]
		switch {
		case compared[name] && excepted:
			t.Errorf("%s is compared and excepted too: %s", name, reason)
		case !compared[name] && !excepted:
			t.Errorf("%s, of %s, is not compared with Call", name, uses[0].file)
		}
		delete(compared, name)
	}
	for name := range compared {
		t.Errorf("%s is compared, but no Go file calls it", name)
	}
}

func (row wrapper) compare(t *testing.T) {
	t.Helper()
	torch.ManualSeed(7)
	var got []torch.Tensor
	if row.list != nil {
		got = row.list()
	} else {
		got = tensors(row.fn())
	}
	torch.ManualSeed(7)
	want := torch.Call(row.op, row.args...)
	want = slices.DeleteFunc(want, func(t torch.Tensor) bool { return !t.Defined() }) // not asked for
	if len(want) == 0 {                                                               // the operator works in place, on a list
		want = row.args[0].([]torch.Tensor)
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d tensors, want %d", row.op, len(got), len(want))
		return
	}
	for i := range want {
		g, w := got[i], want[i]
		if !slices.Equal(g.Shape(), w.Shape()) || !slices.Equal(g.Strides(), w.Strides()) || g.Options() != w.Options() ||
			!bytes.Equal(g.Raw(), w.Raw()) {
			t.Errorf("%s: result %d: %v %v, want %v %v", row.op, i, g, g.Strides(), w, w.Strides())
		}
	}
}

// exceptions are the shim functions that Call cannot be compared with, and why.
var exceptions = map[string]string{
	"torch_call":                   "it is Call",
	"torch_operator":               "gives a name: TestErrors",
	"torch_unary":                  "compared for each operator of the class",
	"torch_binary":                 "compared for each operator of the class",
	"torch_scaled":                 "compared for each operator of the class",
	"torch_scalar":                 "compared for each operator of the class",
	"torch_along":                  "compared for each operator of the class",
	"torch_reduce":                 "compared for each operator of the class",
	"torch_layout":                 "compared for each operator of the class",
	"torch_count_begin":            "counts operators: TestCount",
	"torch_count_end":              "counts operators: TestCount",
	"torch_counts_as_gpu":          "counts operators: TestCountEnds",
	"torch_scope_open":             "scopes are no operators",
	"torch_scope_close":            "scopes are no operators",
	"torch_scope_keep":             "scopes are no operators",
	"torch_scope_keep_with":        "scopes are no operators",
	"torch_scope_depth":            "scopes are no operators",
	"torch_free":                   "scopes are no operators",
	"torch_live":                   "scopes are no operators",
	"torch_info":                   "no operator tells it all: TestInfo",
	"torch_sizes":                  "no operator gives a shape: TestInfo",
	"torch_item":                   "gives a Go number: TestItem",
	"torch_item_int":               "gives a Go number: TestItem",
	"torch_read":                   "gives a Go slice: TestSlices",
	"torch_from_data":              "takes a Go slice: TestSlices",
	"torch_empty":                  "its elements are not set: TestInfo",
	"torch_empty_like":             "its elements are not set: TestInfo",
	"torch_requires_grad_":         "a flag of autograd: TestGraph",
	"torch_grad_of":                "autograd's own: TestGraph",
	"torch_set_grad":               "autograd's own: TestGraph",
	"torch_backward":               "autograd's own: TestGraph",
	"torch_grad":                   "autograd's own: TestGradients",
	"torch_grad_mode":              "a mode: TestNoGrad",
	"torch_set_grad_mode":          "a mode: TestNoGrad",
	"torch_inference_begin":        "a mode: TestInference",
	"torch_inference_end":          "a mode: TestInference",
	"torch_autocast_begin":         "a mode: TestAutocast",
	"torch_autocast_end":           "a mode: TestAutocast",
	"torch_manual_seed":            "a generator is no tensor: TestGenerator",
	"torch_rng_state":              "a generator is no tensor: TestGenerator",
	"torch_set_rng_state":          "a generator is no tensor: TestGenerator",
	"torch_load_cuda":              "runs before libtorch: TestDevices",
	"torch_cuda_count":             "gives a Go number: TestDevices",
	"torch_set_threads":            "gives a Go number: TestDevices",
	"torch_threads":                "gives a Go number: TestDevices",
	"torch_set_tf32":               "a setting of libtorch: TestTF32",
	"torch_tf32":                   "gives a Go number: TestTF32",
	"torch_peak_reserved":          "gives a Go number: TestCUDA",
	"torch_group_open":             "a group is no tensor: TestParallel",
	"torch_group_close":            "a group is no tensor: TestParallel",
	"torch_group_fail":             "a group is no tensor: TestParallelFails",
	"torch_rank_begin":             "a setting of libtorch: TestParallel",
	"torch_rank_end":               "a setting of libtorch: TestParallel",
	"torch_all_reduce":             "no operator: TestParallel",
	"torch_sum_products":           "no one operator: TestSumProducts",
	"torch_folded":                 "no one operator: TestFolded",
	"torch_scaled_sum":             "no one operator: TestScaledSum",
	"torch_separable":              "no one operator: TestSeparable",
	"torch_gram":                   "no one operator: TestGram",
	"torch_gated_mixture":          "no operator: TestGatedMixture",
	"torch_gated_mixture_backward": "no operator: TestGatedMixture",
	"torch_softmax_cross_entropy":  "no one operator: TestSoftmaxCrossEntropy",
	"torch_tune_malloc":            "a setting of the C library: TestTuneMalloc",
	"torch_no_reads":               "gives a Go number: TestNoReads",
	"torch_no_reads_add":           "a setting of the thread: TestNoReads",
	"torch_graph_open":             "a graph is no tensor: TestCaptureGraph",
	"torch_graph_begin":            "a graph is no tensor: TestCaptureGraph",
	"torch_graph_end":              "a graph is no tensor: TestCaptureGraph",
	"torch_graph_discard":          "a graph is no tensor: TestCaptureGraph",
	"torch_graph_replay":           "a graph is no tensor: TestCaptureGraph",
	"torch_graph_free":             "a graph is no tensor: TestCaptureGraph",
	"torch_mark_record":            "a mark is no tensor: TestMailboxOnGPU",
	"torch_mark_wait":              "a mark is no tensor: TestMailboxOnGPU",
	"torch_compiled_version":       "gives a text: TestDevices",
	"torch_loaded_version":         "gives a text: TestDevices",
	"torch_processor":              "gives a text: TestProcessor",
	"torch_libtorch_processor":     "gives a text: TestProcessor",
}

func creationRows() []wrapper {
	return []wrapper{
		{shim: "torch_zeros", fn: func() torch.Tensor { return torch.Zeros([]int{2, 3}, double) }, op: "aten::zeros", args: args([]int{2, 3}, torch.Float64)},
		{shim: "torch_full", fn: func() torch.Tensor { return torch.Full([]int{2, 3}, 0.3, single) }, op: "aten::full", args: args([]int{2, 3}, 0.3, torch.Float32)},
		{shim: "torch_full", fn: func() torch.Tensor { return torch.Ones([]int{2}, integer) }, op: "aten::ones", args: args([]int{2}, torch.Int64)},
		{shim: "torch_full", fn: func() torch.Tensor { return torch.Scalar(0.3, double) }, op: "aten::scalar_tensor", args: args(0.3, torch.Float64)},
		{shim: "torch_arange", fn: func() torch.Tensor { return torch.Arange(1, 4, 0.7, single) }, op: "aten::arange.start_step", args: args(1.0, 4.0, 0.7, torch.Float32)},
		{shim: "torch_eye", fn: func() torch.Tensor { return torch.Eye(3, integer) }, op: "aten::eye", args: args(3, torch.Int64)},
		{shim: "unary_zero_", fn: func() torch.Tensor { return torch.ZerosLike(values(2, 3)) }, op: "aten::zeros_like", args: args(values(2, 3))},
		{shim: "scalar_fill_", fn: func() torch.Tensor { return torch.OnesLike(values(2, 3)) }, op: "aten::ones_like", args: args(values(2, 3))},
		{shim: "unary_zero_", fn: func() torch.Tensor { return values(2, 3).Zero_() }, op: "aten::zero_", args: args(values(2, 3))},
		{shim: "scalar_fill_", fn: func() torch.Tensor { return values(2, 3).Fill_(0.3) }, op: "aten::fill_.Scalar", args: args(values(2, 3), 0.3)},
		{shim: "binary_copy_", fn: func() torch.Tensor { return torch.Zeros([]int{2, 3}, double).Copy_(values(3)) }, op: "aten::copy_", args: args(torch.Zeros([]int{2, 3}, double), values(3))},
		{shim: "unary_clone", fn: func() torch.Tensor { return values(2, 3).Clone() }, op: "aten::clone", args: args(values(2, 3))},
		{shim: "unary_detach", fn: func() torch.Tensor { return values(2, 3).Detach() }, op: "aten::detach", args: args(values(2, 3))},
		{shim: "torch_contiguous", fn: func() torch.Tensor { return values(2, 3).T().Contiguous() }, op: "aten::contiguous", args: args(values(2, 3).T())},
		{shim: "torch_contiguous", fn: func() torch.Tensor { return values(1, 2, 2, 2).ChannelsLast() }, op: "aten::contiguous", args: args(values(1, 2, 2, 2), 2)},
		{shim: "torch_to", fn: func() torch.Tensor { return values(2, 3).ToDtype(torch.BFloat16) }, op: "aten::to.dtype", args: args(values(2, 3), torch.BFloat16)},
		{shim: "torch_to", fn: func() torch.Tensor { return values(2, 3).To(integer) }, op: "aten::to.dtype", args: args(values(2, 3), torch.Int64)},
	}
}

func viewRows() []wrapper {
	index := integers([]int64{1, 0, 1}, 3)
	square := integers([]int64{1, 0, 0, 1}, 2, 2)
	mask := truths([]bool{true, false, false, true, true, false}, 2, 3)
	return []wrapper{
		{shim: "layout_view", fn: func() torch.Tensor { return values(2, 3).View(3, -1) }, op: "aten::view", args: args(values(2, 3), []int{3, -1})},
		{shim: "layout_view", fn: func() torch.Tensor { return values(2, 3).ViewAs(values(6)) }, op: "aten::view_as", args: args(values(2, 3), values(6))},
		{shim: "layout_reshape", fn: func() torch.Tensor { return values(2, 3).T().Reshape(6) }, op: "aten::reshape", args: args(values(2, 3).T(), []int{6})},
		{shim: "layout_reshape", fn: func() torch.Tensor { return values(2, 3).Flatten() }, op: "aten::flatten.using_ints", args: args(values(2, 3))},
		{shim: "layout_permute", fn: func() torch.Tensor { return values(2, 3, 4).Permute(2, 0, 1) }, op: "aten::permute", args: args(values(2, 3, 4), []int{2, 0, 1})},
		{shim: "torch_transpose", fn: func() torch.Tensor { return values(2, 3, 4).Transpose(0, -1) }, op: "aten::transpose.int", args: args(values(2, 3, 4), 0, -1)},
		{shim: "torch_transpose", fn: func() torch.Tensor { return values(2, 3).T() }, op: "aten::t", args: args(values(2, 3))},
		{shim: "layout_expand", fn: func() torch.Tensor { return values(3, 1).Expand(2, -1, 4) }, op: "aten::expand", args: args(values(3, 1), []int{2, -1, 4})},
		{shim: "layout_repeat", fn: func() torch.Tensor { return values(2, 3).Repeat(2, 1, 2) }, op: "aten::repeat", args: args(values(2, 3), []int{2, 1, 2})},
		{shim: "along_unsqueeze", fn: func() torch.Tensor { return values(2, 3).Unsqueeze(1) }, op: "aten::unsqueeze", args: args(values(2, 3), 1)},
		{shim: "along_squeeze", fn: func() torch.Tensor { return values(2, 1, 3).Squeeze(1) }, op: "aten::squeeze.dim", args: args(values(2, 1, 3), 1)},
		{shim: "torch_select", fn: func() torch.Tensor { return values(2, 3).Select(1, -1) }, op: "aten::select.int", args: args(values(2, 3), 1, -1)},
		{shim: "torch_narrow", fn: func() torch.Tensor { return values(2, 5).Narrow(1, 1, 3) }, op: "aten::narrow", args: args(values(2, 5), 1, 1, 3)},
		{shim: "torch_slice", fn: func() torch.Tensor { return values(2, 9).Slice(1, 1, 100, 3) }, op: "aten::slice.Tensor", args: args(values(2, 9), 1, 1, 100, 3)},
		{shim: "torch_as_strided", fn: func() torch.Tensor { return values(9).AsStrided([]int{2, 3}, []int{1, 2}, 1) }, op: "aten::as_strided", args: args(values(9), []int{2, 3}, []int{1, 2}, 1)},
		{shim: "torch_cat", fn: func() torch.Tensor { return torch.Cat(tensors(values(2, 3), values(2, 1)), 1) }, op: "aten::cat", args: args(tensors(values(2, 3), values(2, 1)), 1)},
		{shim: "torch_stack", fn: func() torch.Tensor { return torch.Stack(tensors(values(2, 3), positive(2, 3)), 1) }, op: "aten::stack", args: args(tensors(values(2, 3), positive(2, 3)), 1)},
		{shim: "torch_split", list: func() []torch.Tensor { return values(2, 5).Split([]int{1, 4}, 1) }, op: "aten::split_with_sizes", args: args(values(2, 5), []int{1, 4}, 1)},
		{shim: "torch_split", list: func() []torch.Tensor { return values(2, 6).Chunk(3, 1) }, op: "aten::chunk", args: args(values(2, 6), 3, 1)},
		{shim: "torch_index_select", fn: func() torch.Tensor { return values(2, 3).IndexSelect(0, index) }, op: "aten::index_select", args: args(values(2, 3), 0, index)},
		{shim: "torch_gather", fn: func() torch.Tensor { return values(2, 3).Gather(1, square) }, op: "aten::gather", args: args(values(2, 3), 1, square)},
		{shim: "torch_scatter_", fn: func() torch.Tensor { return values(2, 3).Scatter_(1, square, positive(2, 2)) }, op: "aten::scatter_.src", args: args(values(2, 3), 1, square, positive(2, 2))},
		{shim: "torch_index_add_", fn: func() torch.Tensor { return values(2, 3).IndexAdd_(0, index, positive(3, 3)) }, op: "aten::index_add_", args: args(values(2, 3), 0, index, positive(3, 3))},
		{shim: "scaled_masked_fill", fn: func() torch.Tensor { return values(2, 3).MaskedFill(mask, 0.3) }, op: "aten::masked_fill.Scalar", args: args(values(2, 3), mask, 0.3)},
		{shim: "torch_where", fn: func() torch.Tensor { return torch.Where(mask, values(2, 3), positive(3)) }, op: "aten::where.self", args: args(mask, values(2, 3), positive(3))},
	}
}
