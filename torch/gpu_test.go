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

func TestTF32OnGPU(t *testing.T) {
	// A product of float32 on a GPU is within 1e-6 of that in float64, relative to its factors' norms, and with TF32 within 1e-3 but not within 1e-6.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	a, b := torch.Randn([]int{256, 256}, double), torch.Randn([]int{256, 256}, double)
	want := a.Mm(b)
	off := func() float64 {
		onGPU := torch.Options{Dtype: torch.Float32, Device: gpu}
		got := a.To(onGPU).Mm(b.To(onGPU)).To(double)
		return got.Sub(want).Norm().Item() / (a.Norm().Item() * b.Norm().Item())
	}
	if e := off(); e > 1e-6 {
		t.Errorf("float32: off by %g", e)
	}
	torch.WithTF32(func() {
		if e := off(); e < 1e-6 || e > 1e-3 {
			t.Errorf("TF32: off by %g", e)
		}
	})
}
