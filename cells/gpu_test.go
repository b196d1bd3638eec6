package cells

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
	"godarts/torch/torchtest"
)

func TestNetworkOnGPU(t *testing.T) {
	// An evaluation network has on the GPU the gradients, statistics and logits that it has on the CPU when there is a GPU.
	gpu := torchtest.CUDA(t)
	for _, name := range []string{"DARTS_V2", "NASNet", "AmoebaNet"} {
		t.Run(name, func(t *testing.T) {
			torchtest.Scope(t)
			o := toyOptions()
			there := torch.Options{Dtype: torch.Float64, Device: gpu}
			net := newTestNetwork(t, known(t, name), o)
			b := randomBatch(o, 4)
			bThere := nn.Batch{X: b.X.To(there), Y: b.Y.To(torch.Options{Dtype: torch.Int64, Device: gpu})}
			o.Options = there
			other := newTestNetwork(t, known(t, name), o)
			if err := other.LoadStateDict(net.StateDict()); err != nil {
				t.Fatal(err)
			}
			pass := func(n *Network, b nn.Batch) (loss, g torch.Tensor) {
				out := n.Forward(b, nn.Mode{Training: true})
				g = torch.Empty(n.Weights().W.Shape(), n.Weights().W.Options())
				n.Weights().Gradient(out.Loss, g, nil)
				return out.Loss, g
			}
			loss, g := pass(net, b)
			lossThere, gThere := pass(other, bThere)
			torchtest.Close(t, "loss", lossThere, loss.Detach(), 1e-12)
			torchtest.Close(t, "gradient", gThere, g, 1e-11)
			state := other.StateDict()
			for name, x := range net.StateDict() {
				torchtest.Close(t, name, state[name], x, 1e-11)
			}
			torch.NoGrad(func() {
				torchtest.Close(t, "logits", other.Forward(bThere, nn.Mode{}).Logits, net.Forward(b, nn.Mode{}).Logits, 1e-11)
			})
		})
	}
}

// steps takes training steps with drop-path whose learning rate falls, and an evaluation after each. They are captured
// where there are graphs.
func steps(n *Network, b nn.Batch, count int) (logits torch.Tensor) {
	w := n.Weights().W
	sgd := optim.NewSGD([]torch.Tensor{w}, optim.SGDOptions{LR: 0.05, Momentum: 0.9, WeightDecay: 3e-4})
	region := replay.New(w, func() []torch.Tensor {
		return append(slices.Collect(maps.Values(n.StateDict())), sgd.Overwritten()...)
	})
	defer region.Forget()
	for step := range count {
		sgd.SetLR(optim.Cosine(0.05, 0, step, count))
		const p = 0.3
		in := []torch.Tensor{b.X, b.Y, n.DropFactors(b.X.Size(0), p)}
		region.Run("step", in, func(in []torch.Tensor) []torch.Tensor {
			out := n.Forward(nn.Batch{X: in[0], Y: in[1]}, nn.Mode{Training: true, DropPath: p, Paths: RowsOf(in[2])})
			g := torch.Empty(w.Shape(), w.Options())
			n.Weights().Gradient(out.Loss, g, nil)
			optim.Clip(0.5, g)
			sgd.Step(g)
			return nil
		})
		logits = region.Run("evaluation", in[:2], func(in []torch.Tensor) []torch.Tensor {
			return []torch.Tensor{n.Logits(in[0])}
		})[0]
	}
	return logits
}

func TestTrainingStepsOnGPU(t *testing.T) {
	// A network is after training steps on the GPU, captured where there are graphs, what it is on the CPU, logits too.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	o := toyOptions()
	net := newTestNetwork(t, known(t, "DARTS_V2"), o)
	b := randomBatch(o, 4)
	there := torch.Options{Dtype: torch.Float64, Device: gpu}
	o.Options = there
	other := newTestNetwork(t, known(t, "DARTS_V2"), o)
	if err := other.LoadStateDict(net.StateDict()); err != nil {
		t.Fatal(err)
	}
	torch.ManualSeed(5)
	want := steps(net, b, 4)
	torch.ManualSeed(5)
	got := steps(other, nn.Batch{X: b.X.To(there), Y: b.Y.To(torch.Options{Dtype: torch.Int64, Device: gpu})}, 4)
	torchtest.Close(t, "logits", got, want, 1e-9)
	state := other.StateDict()
	for name, x := range net.StateDict() {
		torchtest.Close(t, name, state[name], x, 1e-9)
	}
}

func TestRecurrentOnGPU(t *testing.T) {
	// A recurrent network has on the GPU the loss, state and gradients that it has on the CPU, with all dropouts, when there is a GPU.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	o := LanguageOptions{Tokens: 13, Units: 8, TAR: 0.3, Dropout: Dropout{Output: 0.6, State: 0.25, Input: 0.4, Embedding: 0.2, Word: 0.1}}
	g := lookupRecurrent(t, "DARTS_V2")
	_, net := bothNetworks(t, g, o)
	b := randomText(o, 5, 4)
	there, integers := torch.Options{Dtype: torch.Float64, Device: gpu}, torch.Options{Dtype: torch.Int64, Device: gpu}
	bThere := nn.Batch{X: b.X.To(integers), Y: b.Y.To(integers), Hidden: b.Hidden.To(there), Masks: func() torch.Tensor { return b.Masks().Upload(gpu) }}
	o.Options = there
	other, err := NewRecurrentNetwork(g, RecurrentOptions{LanguageOptions: o})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.LoadStateDict(net.StateDict()); err != nil {
		t.Fatal(err)
	}
	w := net.Weights().W
	want, got := torch.Empty(w.Shape(), w.Options()), torch.Empty(w.Shape(), there)
	out, outThere := net.Gradients(b, want), other.Gradients(bThere, got)
	torchtest.Close(t, "loss", outThere.Loss, out.Loss, 1e-12)
	torchtest.Close(t, "hidden", outThere.Hidden, out.Hidden, 1e-12)
	torchtest.Close(t, "gradient", got, want, 1e-11)
}

func TestRecurrentStepsOnGPU(t *testing.T) {
	// A recurrent network is after training steps on the GPU, captured where there are graphs, what it is on the CPU, losses too.
	gpu := torchtest.CUDA(t)
	for _, columns := range []int{4, 1100} { // of more than 3072 words another kernel takes the embedding's gradient
		t.Run(fmt.Sprint(columns, " columns"), func(t *testing.T) {
			torchtest.Scope(t)
			g, o := lookupRecurrent(t, "DARTS_V2"), everyMask()
			net, _ := bothNetworks(t, g, o)
			o.Device = gpu
			other, err := NewRecurrentNetwork(g, RecurrentOptions{LanguageOptions: o})
			if err != nil {
				t.Fatal(err)
			}
			if err := other.LoadStateDict(net.StateDict()); err != nil {
				t.Fatal(err)
			}
			want, got := recurrentSteps(net, columns, false), recurrentSteps(other, columns, true)
			for i, name := range []string{"numbers", "weights", "averages", "state"} {
				torchtest.Close(t, name, got[i].Detach(), want[i].Detach(), 1e-9)
			}
		})
	}
}
