package darts

import (
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
)

// smallNetwork is a supernet of 2 channels and 3 cells in float64, with ops on the edges of both
// kinds of cells, nil for all, and six images of 8x8. α is away from 0, where it starts, so
// that edges differ and no term of the softmax's derivative vanishes.
func smallNetwork(t *testing.T, nodes int, ops [][]genotype.Op) (*Plain, nn.Batch) {
	t.Helper()
	o := torch.Options{Dtype: torch.Float64}
	torch.ManualSeed(1)
	net, err := NewPlain(Options{
		Channels: 2, Layers: 3, Nodes: nodes, Classes: 4, InputChannels: 1, StemMultiplier: 2, Normal: ops, Reduce: ops, Options: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	torch.NoGrad(func() {
		for _, alpha := range net.Alphas() {
			alpha.Copy_(torch.Randn(alpha.Shape(), o))
		}
	})
	return net, nn.Batch{X: torch.Randn([]int{6, 1, 8, 8}, o), Y: torch.RandInt(0, 4, []int{6}, torch.Options{Dtype: torch.Int64})}
}
