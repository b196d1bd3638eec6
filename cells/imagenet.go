package cells

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// The network for images of 224x224. Two stems make 56x56 and 28x28 of them. The first cell reads the larger through a
// factorized reduction, as if a reduction cell came before. The cells end with 7x7, which is the window of the last
// pooling, whatever the size. The auxiliary head reads 7x7, too. Reference cnn/model.py NetworkImageNet.

// Sides in pixels of the maps that the poolings at the end make 1x1. The reference ignores pixels beyond 7.
const (
	imageNetMinSize = 7
	imageNetMaxSize = 13

	imageNetAuxiliaryMinSize = 7
	imageNetAuxiliaryMaxSize = 8
)

var imageNetPool = nn.AvgPool{Kernel: 7}

// imageNetStems makes two stems: [3x3/2, batch norm, ReLU, 3x3/2, batch norm] from in to c[0] to c[1] channels, and
// [ReLU, 3x3/2, batch norm] to c[2], which reads the result of the first.
func imageNetStems(root nn.Path, in int, c []int) []nn.Sequential {
	halve := torch.Conv2dOptions{Stride: 2, Padding: 1}
	kernel := [2]int{3, 3}
	stem0, stem1 := root.At("stem0"), root.At("stem1")
	return []nn.Sequential{
		{
			nn.NewConv2d(stem0.Index(0), in, c[0], kernel, halve),
			nn.NewBatchNorm2d(stem0.Index(1), c[0], true),
			nn.ReLU{InPlace: true},
			nn.NewConv2d(stem0.Index(3), c[0], c[1], kernel, halve),
			nn.NewBatchNorm2d(stem0.Index(4), c[1], true),
		},
		{
			nn.ReLU{},
			nn.NewConv2d(stem1.Index(1), c[1], c[2], kernel, halve),
			nn.NewBatchNorm2d(stem1.Index(2), c[2], true),
		},
	}
}
