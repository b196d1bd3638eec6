package torch_test

import (
	"fmt"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestPoolsOnGPU(t *testing.T) {
	// Poolings and their gradients are on the GPU those of the CPU, whatever the order of channels, stride and padding.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	for _, pool := range []struct {
		name string
		fn   func(torch.Tensor, torch.Pool2dOptions) torch.Tensor
	}{{"average", torch.AvgPool2d}, {"maximum", torch.MaxPool2d}} {
		for _, last := range []bool{false, true} {
			for _, o := range []torch.Pool2dOptions{
				{Kernel: 2}, {Kernel: 3, Stride: 1, Padding: 1}, {Kernel: 3, Stride: 2, Padding: 1}, {Kernel: 3, Stride: 1, Padding: 1, ExcludePad: true},
			} {
				x := torch.Randn([]int{2, 3, 8, 6}, double)
				gradient := func(x torch.Tensor) torch.Tensor {
					if last {
						x = x.ChannelsLast()
					}
					x = x.Detach().RequiresGrad_(true)
					y := pool.fn(x, o)
					return torch.Grad([]torch.Tensor{y.Mul(y).Sum()}, []torch.Tensor{x}, torch.GradOptions{})[0]
				}
				want := gradient(x)
				got := gradient(x.To(torch.Options{Dtype: torch.Float64, Device: gpu}))
				torchtest.Close(t, fmt.Sprintf("%s, channels last %v, %+v", pool.name, last, o), got, want, 1e-12)
			}
		}
	}
}
