package model

import (
	"strings"

	"godarts/nas/onnx"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/safetensors"
)

// imageNetwork describes a network of images for its graph.
func (d Description) imageNetwork() onnx.ImageNetwork {
	return onnx.ImageNetwork{
		Genotype: d.Genotype, Channels: d.Channels, Layers: d.Layers, Classes: d.Classes, InputChannels: d.InputChannels,
		Size: d.Size, ImageNet: d.ImageNet, Mean: d.Mean, Std: d.Std, ClassNames: d.ClassNames,
	}
}

// WeightsOf returns the tensors of a network as float32.
func WeightsOf(net nn.Module) onnx.Weights {
	w := onnx.Weights{}
	for name, t := range net.StateDict() {
		w[name] = onnx.Tensor{Name: name, Shape: t.Shape(), Floats: t.Float32s()}
	}
	return w
}

// onnxWeights reads the tensors of a state dict as float32, without an auxiliary head.
func onnxWeights(st *safetensors.File) (onnx.Weights, error) {
	all := onnx.Weights{}
	err := torch.Do(func() error {
		for _, name := range st.Names() {
			if strings.HasPrefix(name, AuxiliaryHead) {
				continue
			}
			if err := torch.Do(func() error {
				t, err := st.Load(name, torch.Options{})
				if err == nil {
					all[name] = onnx.Tensor{Name: name, Shape: t.Shape(), Floats: t.Float32s()}
				}
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
