package torch_test

import (
	"fmt"
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestMaxPool(t *testing.T) {
	// Maxima and gradients are libtorch's to the last bit, whatever the sizes, strides and types are, with ties, infinities and NaNs.
	for _, dtype := range []torch.Dtype{torch.Float32, torch.Float64} {
		for _, shape := range [][4]int{{1, 4, 1, 1}, {2, 3, 1, 5}, {2, 16, 8, 8}, {3, 20, 7, 9}, {1, 5, 2, 2}, {5, 36, 6, 4}} {
			for _, stride := range []int{1, 2} {
				t.Run(fmt.Sprint(dtype, shape, stride), func(t *testing.T) {
					torchtest.Scope(t)
					torch.ManualSeed(7)
					o := torch.Options{Dtype: dtype}
					for _, what := range []func(x torch.Tensor) torch.Tensor{
						func(x torch.Tensor) torch.Tensor { return x },
						func(x torch.Tensor) torch.Tensor { return x.MulScalar(2).Floor() }, // many are equal
						func(x torch.Tensor) torch.Tensor { return x.MaskedFill(x.GeScalar(0.2), math.Inf(-1)) },
						func(x torch.Tensor) torch.Tensor { return x.MaskedFill(x.GeScalar(1), math.NaN()) },
					} {
						x := what(torch.Randn(shape[:], o)).ChannelsLast()
						window := torch.Pool2dOptions{Kernel: 3, Stride: stride, Padding: 1}
						y, at := torch.MaxPool2dIndices(x, window)
						three, strides, ones := []int{3, 3}, []int{stride, stride}, []int{1, 1}
						want := torch.Call("aten::max_pool2d_with_indices", x, three, strides, ones)
						same(t, "maxima", y, want[0])
						g := torch.Randn(y.Shape(), o)
						dx := torch.MaxPool2dBackward(g, x, at, window)
						same(t, "gradient", dx, torch.Call("aten::max_pool2d_with_indices_backward", g.ChannelsLast(), x, three, strides, ones, ones, false, want[1])[0])
						leaf := x.Clone().RequiresGrad_(true)
						graph := torch.MaxPool2d(leaf, window)
						same(t, "maxima with a graph", graph.Detach(), want[0])
						same(t, "gradient of a graph", torch.Grad(tensors(graph), tensors(leaf), torch.GradOptions{GradOutputs: tensors(g)})[0], dx)
						if d := at.Indices().Dtype(); d.Size() != 1 {
							t.Errorf("places are %v, want bytes", d)
						}
					}
				})
			}
		}
	}
}

func TestMaxPoolGraph(t *testing.T) {
	// Gradients of gradients are those of libtorch's operator when windows have loops of our own.
	for _, stride := range []int{1, 2} {
		torchtest.Scope(t)
		torch.ManualSeed(7)
		leaf := torch.Randn([]int{2, 3, 5, 6}, double).ChannelsLast().RequiresGrad_(true)
		second := func(y torch.Tensor) torch.Tensor {
			loss := tensors(y.Square().Mul(y).Sum())
			first := torch.Grad(loss, tensors(leaf), torch.GradOptions{CreateGraph: true})[0]
			return torch.Grad(tensors(first.Square().Sum()), tensors(leaf), torch.GradOptions{})[0]
		}
		want := second(torch.Call("aten::max_pool2d", leaf, []int{3, 3}, []int{stride, stride}, []int{1, 1})[0])
		if want.Norm().Item() == 0 {
			t.Error("nothing to compare")
		}
		same(t, "gradient of the gradient", second(torch.MaxPool2d(leaf, torch.Pool2dOptions{Kernel: 3, Stride: stride, Padding: 1})), want)
	}
}

// same compares all bits but those of NaNs.
func same(t *testing.T, what string, got, want torch.Tensor) {
	t.Helper()
	a, b := got.ToDtype(torch.Float64).Float64s(), want.ToDtype(torch.Float64).Float64s()
	if len(a) != len(b) {
		t.Fatalf("%s: shape %v, want %v", what, got.Shape(), want.Shape())
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) && !(math.IsNaN(a[i]) && math.IsNaN(b[i])) {
			t.Errorf("%s: %g at %d, want %g", what, a[i], i, b[i])
			return
		}
	}
}
