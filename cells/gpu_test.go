package cells

import (
	"testing"

	"godarts/torch"
	"godarts/torch/nn"
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

func TestRecurrentOnGPU(t *testing.T) {
	// A recurrent network has on the GPU the loss, state and gradients that it has on the CPU, with all dropouts, when there is a GPU.
	gpu := torchtest.CUDA(t)
	torchtest.Scope(t)
	o := LanguageOptions{Tokens: 13, Units: 8, TAR: 0.3, Dropout: Dropout{Output: 0.6, State: 0.25, Input: 0.4, Embedding: 0.2, Word: 0.1}}
	g := lookupRecurrent(t, "DARTS_V2")
	_, net := bothNetworks(t, g, o)
	b := randomText(o, 5, 4)
	there, integers := torch.Options{Dtype: torch.Float64, Device: gpu}, torch.Options{Dtype: torch.Int64, Device: gpu}
	bThere := nn.Batch{X: b.X.To(integers), Y: b.Y.To(integers), Hidden: b.Hidden.To(there), Masks: b.Masks}
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
