package darts_test

import (
	"testing"

	"godarts/darts"
	"godarts/torch/torchtest"
)

func TestPlainCost(t *testing.T) {
	// The paper's search network takes the multiply-adds that PyTorch's counter gives for it, and its layers have all its weights.
	torchtest.Scope(t)
	net, err := darts.NewPlain(darts.Options{Channels: 16, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3})
	if err != nil {
		t.Fatal(err)
	}
	cost := net.Cost(3, 32)
	if want := 300_255_744; cost.MultiplyAdds != want {
		t.Errorf("%d multiply-adds, want %d", cost.MultiplyAdds, want)
	}
	if cost.Parameters != net.ParameterCount() {
		t.Errorf("layers have %d weights, the network %d", cost.Parameters, net.ParameterCount())
	}
}
