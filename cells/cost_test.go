package cells

import (
	"slices"
	"testing"

	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestOperationCost(t *testing.T) {
	// A trace gives the sizes of a pass, and the products and kept elements of the definition, for every operation.
	const c, h, w = 4, 6, 8
	const n, quarter = c * h * w, c * h * w / 4
	for _, test := range []struct {
		layerCase
		multiplyAdds, kept, indices int
	}{
		{layerCase{genotype.None, 1}, 0, 0, 0},
		{layerCase{genotype.None, 2}, 0, 0, 0},
		{layerCase{genotype.MaxPool3x3, 1}, 0, 0, n},
		{layerCase{genotype.MaxPool3x3, 2}, 0, 0, quarter},
		{layerCase{genotype.AvgPool3x3, 1}, 0, n, 0},
		{layerCase{genotype.AvgPool3x3, 2}, 0, n, 0},
		{layerCase{genotype.SkipConnect, 1}, 0, 0, 0},
		{layerCase{genotype.SkipConnect, 2}, quarter * c, n + 2*quarter + quarter, 0},      // ReLU, two copies of a quarter, BN
		{layerCase{genotype.SepConv3x3, 1}, 2 * (n*9 + n*c), 3 * n, 0},                     // the image, two BN
		{layerCase{genotype.SepConv3x3, 2}, 2 * (quarter*9 + quarter*c), n + 2*quarter, 0}, // the stride in the first
		{layerCase{genotype.SepConv5x5, 1}, 2 * (n*25 + n*c), 3 * n, 0},
		{layerCase{genotype.SepConv7x7, 2}, 2 * (quarter*49 + quarter*c), n + 5*quarter, 0}, // twice ReLU, pointwise, BN
		{layerCase{genotype.DilConv3x3, 1}, n*9 + n*c, 2 * n, 0},
		{layerCase{genotype.DilConv5x5, 2}, quarter*25 + quarter*c, n + quarter, 0},
		{layerCase{genotype.Conv7x1_1x7, 1}, 2 * n * 7 * c, 3 * n, 0},
		{layerCase{genotype.Conv7x1_1x7, 2}, n/2*7*c + quarter*7*c, n + n/2 + quarter, 0}, // first columns, then rows
	} {
		t.Run(test.String(), func(t *testing.T) {
			torchtest.Scope(t)
			layer, _ := test.build(c, float64s)
			var trace nn.Trace
			y := layer.Trace(&nn.Value{Channels: c, Height: h, Width: w}, &trace)
			passed := layer.Forward(torch.Randn([]int{1, c, h, w}, float64s), nn.Mode{Training: true})
			if got, want := []int{1, y.Channels, y.Height, y.Width}, passed.Shape(); !slices.Equal(got, want) {
				t.Errorf("shape %v, want %v", got, want)
			}
			if trace.MultiplyAdds != test.multiplyAdds || trace.Kept != test.kept || trace.IndexBytes != test.indices {
				t.Errorf("%d multiply-adds, %d elements and %d bytes of indices kept, want %d, %d and %d",
					trace.MultiplyAdds, trace.Kept, trace.IndexBytes, test.multiplyAdds, test.kept, test.indices)
			}
		})
	}
}

func TestNetworkCost(t *testing.T) {
	// Weights add up to the network's number, and products to those of the published cells at the paper's sizes.
	for _, test := range []struct {
		name, genotype string
		o              NetworkOptions
		multiplyAdds   int // without the auxiliary head
	}{
		{"imagenet/DARTS_V1", "DARTS_V1", paperImageNet, 505_864_704},
		{"imagenet/DARTS_V2", "DARTS_V2", paperImageNet, 529_911_552},
		{"imagenet/NASNet", "NASNet", paperImageNet, 604_031_616},
		{"imagenet/AmoebaNet", "AmoebaNet", paperImageNet, 526_746_624},
		{"cifar/DARTS_V2", "DARTS_V2", paperCIFAR, 528_359_040},
	} {
		t.Run(test.name, func(t *testing.T) {
			torchtest.Scope(t)
			n := newTestNetwork(t, known(t, test.genotype), test.o)
			cost := n.Cost()
			if got := cost.MultiplyAdds - cost.Auxiliary.MultiplyAdds; got != test.multiplyAdds {
				t.Errorf("%d multiply-adds, want %d", got, test.multiplyAdds)
			}
			network, auxiliary := n.ParameterCount()
			if cost.Parameters-cost.Auxiliary.Parameters != network || cost.Auxiliary.Parameters != auxiliary {
				t.Errorf("layers have %d weights, %d of them in the auxiliary head, the network %d and %d",
					cost.Parameters, cost.Auxiliary.Parameters, network, auxiliary)
			}
		})
	}
}
