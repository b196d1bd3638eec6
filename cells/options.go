package cells

import (
	"godarts/cells/genotype"
	"godarts/torch"
)

// NetworkOptions are the sizes of an evaluation network. The paper has an auxiliary weight of 0.4, and 36 channels,
// 20 layers and stem multiplier 3 for CIFAR-10, 48 channels and 14 layers for ImageNet.
type NetworkOptions struct {
	Channels        int // of the first cell, even; doubled by each reduction
	Layers          int // cells, at least 3; those at Layers/3 and 2·Layers/3 reduce
	Classes         int
	InputChannels   int     // of the images
	Size            int     // height and width of the images, in pixels
	StemMultiplier  int     // the stem has StemMultiplier·Channels channels; without effect for ImageNet
	ImageNet        bool    // for images of 224x224: see imagenet.go
	Auxiliary       bool    // a second classifier on the second reduction's output, in training only
	AuxiliaryWeight float64 // of the second classifier in the loss
	LabelSmoothing  float64 // part of each label spread over all classes, in training only

	Widths *genotype.Widths // channels that pruning has left; nil for a network that is not pruned

	torch.Options // type and device
}

// stemOutputs returns the channels of the two inputs of the first cell. With one convolution in the stem both are its
// result, with three they are those of the second and the third.
func stemOutputs[T any](stem []T) (before, last T) {
	return stem[max(len(stem)-2, 0)], stem[len(stem)-1]
}

// auxiliaryLayer returns the layer of the second reduction cell, whose output the auxiliary head reads.
func auxiliaryLayer(layers int) int { return 2 * layers / 3 }
