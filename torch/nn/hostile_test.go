package nn_test

import (
	"math/rand/v2"
	"testing"

	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestHostileArguments(t *testing.T) {
	// Every exported function and method returns or panics with *torch.Error, and the process goes on, when an argument makes no sense.
	x := func(shape ...int) torch.Tensor { return torch.Ones(shape, torch.Options{}) }
	root := func() nn.Path { return new(nn.Builder).Root() }
	built := func() *nn.Weights {
		var b nn.Builder
		b.Root().Parameter("a", x(2, 3))
		b.Root().Buffer("s", x(2))
		return b.Build(torch.Options{})
	}
	torchtest.Hostile{
		Functions: []any{nn.KaimingUniform, nn.NewBatchNorm2d, nn.NewConv2d, nn.NewDepthwise, nn.NewLinear, nn.NewPointwise, nn.Uniform},
		Values: []any{
			func() nn.AvgPool { return nn.AvgPool{Kernel: 2} },
			func() nn.MaxPool { return nn.MaxPool{Kernel: 2} },
			func() nn.Batch { return nn.Batch{X: x(2, 4, 6, 6), Y: torch.FromSlice([]int64{0, 1}, 2)} },
			func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
			func() *nn.BatchNorm2d { return nn.NewBatchNorm2d(root(), 4, true) },
			func() *nn.BatchNorm2d { return nn.NewBatchNorm2d(root(), 4, false) },
			func() *nn.Builder { return new(nn.Builder) },
			func() *nn.Depthwise { return nn.NewDepthwise(root(), 4, 3, torch.DepthwiseOptions{ReLU: true}) },
			func() *nn.Conv2d { return nn.NewConv2d(root(), 4, 4, [2]int{3, 3}, torch.Conv2dOptions{Padding: 1}) },
			func() *nn.Linear { return nn.NewLinear(root(), 3, 2) },
			func() *nn.Pointwise { return nn.NewPointwise(root(), 4, 4) },
			func() nn.Separable {
				return nn.Separable{{Pointwise: nn.NewPointwise(root(), 4, 4), Norm: nn.NewBatchNorm2d(root(), 4, true)}}
			},
			func() nn.Separable {
				return nn.Separable{{Pointwise: nn.NewPointwise(root(), 4, 4), Norm: nn.NewBatchNorm2d(root(), 4, false)}}
			},
			func() nn.Path { return root() },
			func() nn.ReLU { return nn.ReLU{} },
			func() nn.Sequential {
				return nn.Sequential{nn.NewPointwise(root(), 4, 4), nn.NewBatchNorm2d(root(), 4, true), nn.ReLU{InPlace: true}}
			},
			func() *nn.Trace { return new(nn.Trace) },
			func() *nn.Value { return &nn.Value{Channels: 4, Height: 6, Width: 6} },
			func() *nn.Weights { return built() },
		},
		Arguments: map[string]func() []any{
			"Weights.Gradient": func() []any {
				w := built()
				return []any{w, w.StateDict()["a"].Sum(), x(6), nil}
			},
			"Weights.HessianVectorProduct": func() []any {
				w, other := built(), x(2, 3).RequiresGrad_(true)
				return []any{w, w.StateDict()["a"].Square().Mul(other).Sum(), x(6), []torch.Tensor{other}}
			},
			"Weights.LoadStateDict": func() []any { return []any{built(), torch.StateDict{"a": x(2, 3), "s": x(2)}} },
			"Weights.Views":         func() []any { return []any{built(), x(6)} },
			"Weights.StatsViews":    func() []any { return []any{built(), x(2)} },
		},
	}.Run(t)
}
