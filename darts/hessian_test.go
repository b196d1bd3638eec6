package darts_test

import (
	"testing"

	"godarts/darts"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestExactProduct(t *testing.T) {
	// The exact product equals, in float64, a finite difference that is too short to meet a kink.
	// At radius 1e-7 rounding leaves 1e-9 to 9e-9 between them (seeds 1 to 3).
	const radius, tolerance = 1e-7, 1e-7
	for _, test := range []struct {
		name      string
		direction func(net *darts.Plain, b nn.Batch) torch.Tensor
	}{
		{"along the gradient", func(net *darts.Plain, b nn.Batch) torch.Tensor {
			return net.Gradients(net.W(), b, darts.Need{W: true}).W
		}},
		{"along a random vector", func(net *darts.Plain, _ nn.Batch) torch.Tensor {
			return torch.Randn(net.W().Shape(), net.W().Options())
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			net, b := tinyNetwork(t)
			v := test.direction(net, b)
			before := net.W().Detach().Clone()
			exact := net.HessianVectorProduct(v, b)
			difference := darts.FiniteDifference{Net: net, Radius: radius}.HessianVectorProduct(v, b)
			torchtest.Close(t, "normal", exact[0], difference[0], tolerance)
			torchtest.Close(t, "reduce", exact[1], difference[1], tolerance)
			torchtest.Close(t, "w afterwards", net.W(), before, 0)
		})
	}
}

func TestExactProductInFloat32(t *testing.T) {
	// The exact product in float32 is near the one in float64 when both have the same weights.
	torchtest.Scope(t)
	double, b := tinyNetwork(t)
	v := torch.Randn(double.W().Shape(), double.W().Options())
	o := torch.Options{Dtype: torch.Float32}
	single, err := darts.NewPlain(tinyOptions(o))
	if err != nil {
		t.Fatal(err)
	}
	if err := single.LoadStateDict(double.StateDict()); err != nil {
		t.Fatal(err)
	}
	want := double.HessianVectorProduct(v, b)
	got := single.HessianVectorProduct(v.ToDtype(o.Dtype), nn.Batch{X: b.X.ToDtype(o.Dtype), Y: b.Y})
	torchtest.Close(t, "normal", got[0], want[0], torchtest.Float32)
	torchtest.Close(t, "reduce", got[1], want[1], torchtest.Float32)
}

func TestExactProductMovesStatistics(t *testing.T) {
	// Running statistics move as in two passes at w when the exact product is taken.
	torchtest.Scope(t)
	net, b := tinyNetwork(t)
	start := torchtest.Copied(net.StateDict())
	for range 2 {
		net.Gradients(net.W(), b, darts.Need{})
	}
	want := torchtest.Copied(net.StateDict())
	if err := net.LoadStateDict(start); err != nil {
		t.Fatal(err)
	}
	net.HessianVectorProduct(net.W().Detach(), b)
	moved := 0
	for name, x := range net.StateDict() {
		torchtest.Close(t, name, x, want[name], 1e-14)
		if want[name].Sub(start[name]).Norm().Item() != 0 {
			moved++
		}
	}
	if moved < 10 {
		t.Errorf("%d tensors moved, the statistics should", moved)
	}
}
