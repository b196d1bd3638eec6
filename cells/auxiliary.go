package cells

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// auxiliaryHead is a second classifier, on the output of the second reduction cell. Reference cnn/model.py
// AuxiliaryHeadCIFAR, AuxiliaryHeadImageNet.
type auxiliaryHead struct {
	features   nn.Sequential
	classifier *nn.Linear
}

// Sides in pixels of the maps that the pooling (5, stride 3) and the 2x2 convolution of an auxiliary head make 1x1.
const (
	auxiliaryMinSize = 8
	auxiliaryMaxSize = 10
)

// newAuxiliaryHead makes the head for small images. For ImageNet the pooling is denser, and the last batch norm is
// missing: the authors left it out at first, and kept to that because they had published weights.
func newAuxiliaryHead(p nn.Path, channels, classes int, imageNet bool) *auxiliaryHead {
	at := p.At("features")
	stride := 3
	if imageNet {
		stride = 2
	}
	features := nn.Sequential{
		nn.ReLU{InPlace: true},                                  // changes the cell's output too: see forward
		nn.AvgPool{Kernel: 5, Stride: stride, ExcludePad: true}, // [N,C,2,2]
		nn.Separable{{Pointwise: nn.NewPointwise(at.Index(2), channels, 128), Norm: nn.NewBatchNorm2d(at.Index(3), 128, true)}},
		nn.ReLU{InPlace: true},
		nn.NewConv2d(at.Index(5), 128, 768, [2]int{2, 2}, torch.Conv2dOptions{}), // [N,768,1,1]
	}
	if !imageNet {
		features = append(features, nn.NewBatchNorm2d(at.Index(6), 768, true))
	}
	features = append(features, nn.ReLU{InPlace: true})
	return &auxiliaryHead{features, nn.NewLinear(p.At("classifier"), 768, classes)}
}

// forward maps a cell's output x [N,C,8,8], or [N,C,7,7] for ImageNet, to logits [N,classes]. Its first ReLU works in
// place, as in the reference. Later cells are not affected, because they begin with a ReLU. In a network of three
// cells x is the last cell's output: the main classifier pools max(x, 0) in training, and x in evaluation.
func (h *auxiliaryHead) forward(x torch.Tensor, m nn.Mode) torch.Tensor {
	y := h.features.Forward(x, m)
	return h.classifier.Forward(y.Reshape(y.Size(0), -1), m)
}
