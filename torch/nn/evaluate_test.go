package nn_test

import (
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// foldable has a stage of every kind: with a depthwise convolution, with a ReLU, with neither, and with and without
// weights of the batch norm.
func foldable(o torch.Options) (nn.Separable, *nn.Weights) {
	var b nn.Builder
	p := b.Root()
	stage := func(name string, relu bool, affine bool, depthwise *nn.Depthwise) nn.Stage {
		return nn.Stage{ReLU: relu, Depthwise: depthwise, Pointwise: nn.NewPointwise(p.At(name), 8, 8), Norm: nn.NewBatchNorm2d(p.At(name+"_norm"), 8, affine)}
	}
	s := nn.Separable{
		stage("b", false, true, nn.NewDepthwise(p.At("a"), 8, 3, torch.DepthwiseOptions{ReLU: true, Stride: 2})),
		stage("d", false, true, nn.NewDepthwise(p.At("c"), 8, 5, torch.DepthwiseOptions{})),
		stage("e", true, false, nil),
		stage("f", false, true, nil),
	}
	return s, b.Build(o)
}

func TestFold(t *testing.T) {
	// Evaluation without a graph equals that with one after every kind of change to weights and statistics, when Fold has run and when it has not.
	torchtest.Scope(t)
	torch.ManualSeed(3)
	double := torch.Options{Dtype: torch.Float64}
	s, w := foldable(double)
	x := torch.Randn([]int{3, 8, 7, 6}, double).ChannelsLast()
	other := torch.StateDict{}
	for name, v := range w.StateDict() {
		other[name] = torch.Rand(v.Shape(), double).AddScalar(0.5)
	}
	for _, change := range []struct {
		name string
		run  func()
	}{
		{"nothing", func() {}},
		{"a weight", func() { w.StateDict()["b.weight"].MulScalar_(2) }},
		{"statistics", func() { w.StateDict()["b_norm.running_var"].MulScalar_(2) }},
		{"all weights", func() { w.W.MulScalar_(0.7) }},
		{"loading", func() {
			if err := w.LoadStateDict(other); err != nil {
				t.Fatal(err)
			}
		}},
		{"training", func() { s.Forward(x, nn.Mode{Training: true}) }},
	} {
		torch.NoGrad(func() { torch.Scoped(change.run) })
		want := s.Forward(x, nn.Mode{}).Detach() // with a graph: the layers one by one
		torch.NoGrad(func() {
			torch.Scoped(func() {
				torchtest.Close(t, change.name+", before Fold", s.Forward(x, nn.Mode{}), want, 1e-12)
				s.Fold()
				torchtest.Close(t, change.name, s.Forward(x, nn.Mode{}), want, 1e-12)
			})
		})
	}
}

func TestFoldOnce(t *testing.T) {
	// Fold computes nothing when nothing has changed, evaluation then computes no matrix, and a change leaves no tensor more.
	torchtest.Scope(t)
	s, w := foldable(torch.Options{})
	x := torch.Randn([]int{1, 8, 4, 4}, torch.Options{})
	calls := func(run func()) (names []string) {
		for _, op := range torch.Count(func() { torch.NoGrad(func() { torch.Scoped(run) }) }) {
			names = append(names, op.Name)
		}
		return names
	}
	evaluate := func() { s.Forward(x, nn.Mode{}) }
	if ops := calls(evaluate); !slices.Contains(ops, "aten::rsqrt_") {
		t.Errorf("before Fold evaluation runs %q, want a scale among them", ops)
	}
	if ops := calls(s.Fold); !slices.Contains(ops, "aten::rsqrt_") {
		t.Errorf("Fold runs %q, want a scale among them", ops)
	}
	live := torch.Live()
	if ops := calls(s.Fold); len(ops) > 0 {
		t.Errorf("a second Fold runs %q", ops)
	}
	if ops := calls(evaluate); slices.Contains(ops, "aten::rsqrt_") {
		t.Errorf("after Fold evaluation runs %q, want no scale", ops)
	}
	torch.NoGrad(func() { w.W.MulScalar_(2) })
	if ops := calls(s.Fold); !slices.Contains(ops, "aten::rsqrt_") {
		t.Errorf("Fold after a change runs %q, want a scale among them", ops)
	}
	if got := torch.Live(); got != live {
		t.Errorf("%d tensors live after a change, %d before", got, live)
	}
}

func TestPlace(t *testing.T) {
	// A place gets what Forward returns and the sum, when the last layer is computed into it and when it is not.
	torchtest.Scope(t)
	s, _ := foldable(torch.Options{})
	x := torch.Randn([]int{2, 8, 5, 5}, torch.Options{})
	for n := 1; n <= len(s); n++ {
		torch.NoGrad(func() {
			layers := s[:n]
			want := layers.Forward(x, nn.Mode{})
			room := torch.Zeros([]int{2, want.Size(2), want.Size(3), 20}, torch.Options{}).Permute(0, 3, 1, 2)
			out, add := room.Narrow(1, 7, 8), torch.Randn(want.Shape(), torch.Options{})
			layers.Place(x, out, torch.Tensor{})
			torchtest.Close(t, "alone", out, want, 1e-6)
			layers.Place(x, out, add)
			torchtest.Close(t, "with a sum", out, want.Add(add), 1e-6)
			layers.Place(x, out, out)
			torchtest.Close(t, "added", out, want.Add(add).Add(want), 1e-6)
			out.Zero_()
			torchtest.Close(t, "channels beside it", room, torch.ZerosLike(room), 0)
		})
	}
}
