package torch_test

import (
	"errors"
	"fmt"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// composedMixture is GatedMixture by operators that autograd knows.
func composedMixture(states, products, mix torch.Tensor) torch.Tensor {
	units := states.Size(2)
	gate, candidate := products.Narrow(2, 0, units).Sigmoid(), products.Narrow(2, units, units)
	var sum torch.Tensor
	for k, f := range []torch.Tensor{candidate.Tanh(), candidate.ReLU(), candidate.Sigmoid(), candidate} {
		weighed := states.Add(gate.Mul(f.Sub(states))).Mul(mix.Narrow(1, k, 1).Unsqueeze(2)).SumDims([]int{0}, false)
		if sum.Defined() {
			weighed = sum.Add(weighed)
		}
		sum = weighed
	}
	return sum
}

func TestGatedMixture(t *testing.T) {
	// The node and all gradients are those of autograd's operators whatever the shape and the size of numbers are.
	for _, test := range []struct {
		dtype     torch.Dtype
		tolerance float64
		scales    []float64
	}{
		{torch.Float64, 1e-12, []float64{1e-4, 1, 30, 2000}}, // from where tanh is linear to where σ is 0 or 1
		{torch.Float32, 1e-6, []float64{1e-4, 1}},            // beyond, 1 − σ(gate) has few digits, as in autograd's own
	} {
		for _, shape := range [][3]int{{1, 1, 1}, {1, 4, 7}, {3, 2, 16}, {2, 5, 33}, {8, 3, 300}} {
			for _, scale := range test.scales {
				t.Run(fmt.Sprint(test.dtype, shape, scale), func(t *testing.T) {
					torchtest.Scope(t)
					torch.ManualSeed(4)
					o := torch.Options{Dtype: test.dtype}
					n, rows, units := shape[0], shape[1], shape[2]
					states, products := torch.Randn([]int{n, rows, units}, o), torch.Randn([]int{n, rows, 2 * units}, o).MulScalar_(scale)
					mix, d := torch.Rand([]int{n, 4}, o), torch.Randn([]int{rows, units}, o)
					exact := torch.Options{Dtype: torch.Float64} // the composed operators run in it
					var leaves []torch.Tensor
					for _, x := range []torch.Tensor{states, products, mix} {
						leaves = append(leaves, x.To(exact).Clone().RequiresGrad_(true))
					}
					want := composedMixture(leaves[0], leaves[1], leaves[2])
					gradients := torch.Grad([]torch.Tensor{want}, leaves, torch.GradOptions{GradOutputs: []torch.Tensor{d.To(exact)}})

					got := torch.Empty([]int{rows, units}, o)
					torch.GatedMixture(got, states, products, mix)
					torchtest.Close(t, "node", got, want.Detach(), test.tolerance)
					dStates, dMix := torch.Ones([]int{n, rows, units}, o), torch.Ones([]int{n, 4}, double)
					torch.GatedMixtureBackward(d, states, products, mix, dStates, dMix)
					torchtest.Close(t, "gradient of states, with what was there", dStates, gradients[0].AddScalar(1), test.tolerance)
					torchtest.Close(t, "gradient of products", products, gradients[1], test.tolerance)
					torchtest.Close(t, "gradient of mix, with what was there", dMix, gradients[2].AddScalar(1), test.tolerance)
				})
			}
		}
	}
}

func TestGatedMixtureErrors(t *testing.T) {
	// A panic says what does not fit when shapes or types do not.
	torchtest.Scope(t)
	zeros := func(o torch.Options, shape ...int) torch.Tensor { return torch.Zeros(shape, o) }
	for _, test := range []struct {
		name                       string
		out, states, products, mix torch.Tensor
	}{
		{"out", zeros(single, 2, 4), zeros(single, 1, 2, 3), zeros(single, 1, 2, 6), zeros(single, 1, 4)},
		{"states", zeros(single, 2, 3), zeros(single, 2, 3), zeros(single, 1, 2, 6), zeros(single, 1, 4)},
		{"products", zeros(single, 2, 3), zeros(single, 1, 2, 3), zeros(single, 1, 2, 3), zeros(single, 1, 4)},
		{"mix", zeros(single, 2, 3), zeros(single, 1, 2, 3), zeros(single, 1, 2, 6), zeros(single, 1, 5)},
		{"types", zeros(single, 2, 3), zeros(double, 1, 2, 3), zeros(single, 1, 2, 6), zeros(single, 1, 4)},
		{"integers", zeros(integer, 2, 3), zeros(integer, 1, 2, 3), zeros(integer, 1, 2, 6), zeros(integer, 1, 4)},
		{"not contiguous", zeros(single, 3, 2).T(), zeros(single, 1, 2, 3), zeros(single, 1, 2, 6), zeros(single, 1, 4)},
	} {
		err := torch.Do(func() error {
			torch.GatedMixture(test.out, test.states, test.products, test.mix)
			return nil
		})
		var e *torch.Error
		if !errors.As(err, &e) || e.Op != "gated_mixture" {
			t.Errorf("%s: got %v, want an error of gated_mixture", test.name, err)
		}
	}
}

func TestSoftmaxCrossEntropy(t *testing.T) {
	// The loss and what is left of logits are those of autograd's operators whatever the shape, the bias and the size of numbers are.
	for _, test := range []struct {
		dtype     torch.Dtype
		tolerance float64
	}{{torch.Float64, 1e-12}, {torch.Float32, 1e-6}} {
		for _, shape := range [][2]int{{1, 1}, {3, 2}, {2, 17}, {5, 100}, {4, 10001}} {
			for _, scale := range []float64{0, 1e-3, 1, 100, 1e4} {
				for _, withBias := range []bool{false, true} {
					t.Run(fmt.Sprint(test.dtype, shape, scale, withBias), func(t *testing.T) {
						torchtest.Scope(t)
						torch.ManualSeed(5)
						o := torch.Options{Dtype: test.dtype}
						x := torch.Randn([]int{shape[0], shape[1]}, o).MulScalar_(scale)
						y := torch.RandInt(0, shape[1], []int{shape[0]}, integer)
						leaf := x.To(double).Clone().RequiresGrad_(true)
						all := leaf
						var bias torch.Tensor
						if withBias {
							bias = torch.Randn([]int{shape[1]}, o)
							all = leaf.Add(bias.To(double))
						}
						want := torch.CrossEntropy(all, y, torch.CrossEntropyOptions{Reduction: torch.Sum})
						gradient := torch.Grad([]torch.Tensor{want}, []torch.Tensor{leaf}, torch.GradOptions{})[0]
						loss := torch.Ones(nil, double)
						torch.SoftmaxCrossEntropy_(x, bias, y, loss)
						torchtest.Close(t, "loss, with what was there", loss, want.Detach().AddScalar(1), test.tolerance)
						if scale <= 1 { // beyond, adding the bias in float32 costs digits of the logits themselves
							torchtest.Close(t, "gradient", x, gradient, test.tolerance)
						} else if test.dtype == torch.Float64 {
							torchtest.Close(t, "gradient", x, gradient, 1e-10)
						}
					})
				}
			}
		}
	}
}

func TestSoftmaxCrossEntropyErrors(t *testing.T) {
	// A panic says what does not fit when shapes, types or labels do not.
	torchtest.Scope(t)
	zeros := func(o torch.Options, shape ...int) torch.Tensor { return torch.Zeros(shape, o) }
	for _, test := range []struct {
		name                       string
		logits, bias, labels, loss torch.Tensor
	}{
		{"logits", zeros(single, 2), torch.Tensor{}, zeros(integer, 2), zeros(double)},
		{"not contiguous", zeros(single, 3, 2).T(), torch.Tensor{}, zeros(integer, 2), zeros(double)},
		{"integers", zeros(integer, 2, 3), torch.Tensor{}, zeros(integer, 2), zeros(double)},
		{"bias", zeros(single, 2, 3), zeros(single, 2), zeros(integer, 2), zeros(double)},
		{"type of bias", zeros(single, 2, 3), zeros(double, 3), zeros(integer, 2), zeros(double)},
		{"labels", zeros(single, 2, 3), torch.Tensor{}, zeros(integer, 3), zeros(double)},
		{"type of labels", zeros(single, 2, 3), torch.Tensor{}, zeros(single, 2), zeros(double)},
		{"label beyond", zeros(single, 2, 3), torch.Tensor{}, torch.Full([]int{2}, 3, integer), zeros(double)},
		{"label below", zeros(single, 2, 3), torch.Tensor{}, torch.Full([]int{2}, -1, integer), zeros(double)},
		{"loss", zeros(single, 2, 3), torch.Tensor{}, zeros(integer, 2), zeros(single)},
	} {
		err := torch.Do(func() error {
			torch.SoftmaxCrossEntropy_(test.logits, test.bias, test.labels, test.loss)
			return nil
		})
		var e *torch.Error
		if !errors.As(err, &e) || e.Op != "softmax_cross_entropy" {
			t.Errorf("%s: got %v, want an error of softmax_cross_entropy", test.name, err)
		}
	}
}
