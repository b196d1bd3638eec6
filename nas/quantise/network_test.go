package quantise_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"godarts/cells/genotype"
	"godarts/nas/onnx"
	"godarts/nas/quantise"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func darts(t testing.TB) genotype.Genotype {
	t.Helper()
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestFloats(t *testing.T) {
	// A network in floating-point numbers has the logits of the trained one when batch norms are folded, and no weight of a batch norm is left.
	torchtest.Scope(t)
	for _, name := range []string{"DARTS_V2", "AmoebaNet"} {
		g, err := genotype.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		net, n := trained(t, g, false)
		graph, err := onnx.IntegerGraph(n, weightsOf(net), false)
		if err != nil {
			t.Fatal(err)
		}
		q, err := quantise.New(graph, quantise.Options{Most: quantise.Full})
		if err != nil {
			t.Fatal(err)
		}
		x := torch.Randn([]int{5, 3, n.Size, n.Size}, torch.Options{})
		want := net.Logits(x)
		torchtest.Close(t, name, q.FloatLogits(x), want, 1e-5*want.Abs().Amax(nil, false).Item())
		for _, name := range q.Weights().Names() {
			if strings.Contains(name, "running_mean") {
				t.Errorf("%s is left", name)
			}
		}
	}
}

func TestStateDict(t *testing.T) {
	// A network that loads a state dict has the same integers and logits, bit by bit, and weights of reduced range stay in it.
	torchtest.Scope(t)
	for _, most := range []int{quantise.Full, quantise.Reduced} {
		q, n, images := quantised(t, darts(t), false, most, quantise.MSE)
		sd := q.StateDict()
		w := onnx.Weights{}
		largest := 0.
		for name, x := range sd {
			w[name] = onnx.Tensor{Shape: x.Shape(), Floats: x.Float32s()}
			if x.Dtype() == torch.Int8 {
				largest = max(largest, x.ToDtype(torch.Float32).Abs().Amax(nil, false).Item())
			}
		}
		if largest != float64(most) {
			t.Errorf("the largest integer of a weight is %v, want %d", largest, most)
		}
		graph, err := onnx.IntegerGraph(n, w, true)
		if err != nil {
			t.Fatal(err)
		}
		again, err := quantise.New(graph, quantise.Options{Most: most})
		if err != nil {
			t.Fatal(err)
		}
		if again.Calibrated() || again.LoadStateDict(sd) != nil || !again.Calibrated() {
			t.Error("not calibrated by what it loaded")
		}
		for name, x := range again.StateDict() {
			if !slices.Equal(x.Float64s(), sd[name].Float64s()) || x.Dtype() != sd[name].Dtype() {
				t.Errorf("%s differs", name)
			}
		}
		x := normalised(images, n)
		if !slices.Equal(again.Logits(x).Float64s(), q.Logits(x).Float64s()) {
			t.Error("other logits")
		}
		delete(sd, "classifier.bias")
		if err := again.LoadStateDict(sd); err == nil || err.Error() != `quantise: load state dict: "classifier.bias" of shape [3] is missing` {
			t.Errorf("got %v", err)
		}
	}
}

func TestTraining(t *testing.T) {
	// A pass that trains has the logits of evaluation, gradients of all weights, and a loss that falls along them.
	torchtest.Scope(t)
	q, n, images := quantised(t, darts(t), false, quantise.Full, quantise.MinMax)
	b := nn.Batch{X: normalised(images, n), Y: torch.FromSlice([]int64{0, 1, 2, 0, 1, 2, 0, 1}, 8)}
	w := q.Weights()
	var losses []float64
	for range 4 {
		out := q.Forward(b, nn.Mode{Training: true})
		torchtest.Close(t, "logits", out.Logits.Detach(), q.Logits(b.X), 1e-6)
		g := torch.Empty(w.W.Shape(), w.W.Options())
		w.Gradient(out.Loss, g, nil)
		for name, d := range w.Views(g) {
			if strings.HasSuffix(name, "weight") && d.Abs().Amax(nil, false).Item() == 0 {
				t.Errorf("%s has no gradient", name)
			}
		}
		losses = append(losses, out.Loss.Item())
		torch.NoGrad(func() { w.W.AddScaled_(g, -0.05) })
	}
	if !(losses[3] < losses[0]) {
		t.Errorf("losses %v", losses)
	}
}

func TestRefused(t *testing.T) {
	// A network with a number that is not finite, and a calibration on nothing, are errors that say so.
	torchtest.Scope(t)
	net, n := trained(t, darts(t), false)
	w := weightsOf(net)
	w["classifier.bias"].Floats[1] = float32(math.NaN())
	graph, err := onnx.IntegerGraph(n, w, false)
	if err != nil {
		t.Fatal(err)
	}
	want := `quantise: "classifier.bias" holds NaN: a network with numbers that are not finite has no integers`
	if _, err := quantise.New(graph, quantise.Options{Most: quantise.Full}); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	q, n, images := quantised(t, darts(t), false, quantise.Full, quantise.MinMax)
	if err := q.Calibrate(quantise.MSE, batches()); err == nil || err.Error() != "quantise: there are no images to calibrate on" {
		t.Errorf("got %v", err)
	}
	failed := errors.New("no disk")
	if err := q.Calibrate(quantise.MSE, func(func(torch.Tensor)) error { return failed }); err != failed {
		t.Errorf("got %v", err)
	}
	x := normalised(images, n).MulScalar(math.Inf(1))
	if err := q.Calibrate(quantise.MinMax, batches(x)); err == nil || !strings.HasPrefix(err.Error(), "quantise: the results of normalised reach from ") {
		t.Errorf("got %v", err)
	}
}

func TestNear(t *testing.T) {
	// Logits in integers are near those in floating-point numbers for every method, nearer with the full range of weights than with the reduced one.
	torchtest.Scope(t)
	for _, method := range []string{quantise.MinMax, quantise.Percentile, quantise.MSE} {
		var errors []float64
		for _, most := range []int{quantise.Full, quantise.Reduced} {
			q, n, images := quantised(t, darts(t), false, most, method)
			x := normalised(images, n)
			want := q.FloatLogits(x)
			spread := want.Sub(want.Mean()).Square().Mean().Sqrt().Item()
			errors = append(errors, q.Logits(x).Sub(want).Square().Mean().Sqrt().Item()/spread)
		}
		t.Logf("%s: %.3g of the spread, reduced %.3g", method, errors[0], errors[1])
		if !(errors[0] < 0.1) || !(errors[0] < errors[1]) {
			t.Errorf("%s: errors %v of the spread", method, errors)
		}
	}
}
