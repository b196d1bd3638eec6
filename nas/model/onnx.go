package model

import (
	"fmt"
	"path/filepath"

	"godarts/nas/onnx"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// ExportONNX writes the trained network in dir, a complete run or an export, to file as ONNX: images or a
// language model, in float32, without its auxiliary head. notes say what the file lacks.
func ExportONNX(dir, file string, o onnx.Options) (notes []string, err error) {
	c, err := TrainedConfig(dir)
	if err != nil {
		return nil, err
	}
	if !IsExport(dir) {
		if _, err := TrainedCell(dir, c); err != nil {
			return nil, err
		}
	}
	weights := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(weights)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	about, err := describedIn(st, weights)
	if err != nil {
		return nil, err
	}
	tensors, err := onnxWeights(st)
	if err != nil {
		return nil, err
	}
	var content []byte
	switch {
	case about.Quantised != nil:
		content, err = about.integersONNX(st, weights, o)
	case about.Units == 0:
		content, err = about.onnx(tensors, o)
	default:
		n := onnx.LanguageModel{Genotype: about.Genotype, Units: about.Units, Dictionary: about.Dictionary, Words: about.Words}
		if matrix := tensors["encoder.weight"]; len(matrix.Shape) == 2 {
			n.Tokens = matrix.Shape[0]
		}
		if n.Words == nil {
			n.Words, err = dictionary(c, about)
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("the file has no words of the dictionary: %v", err))
		}
		content, err = onnx.Language(n, tensors, o)
	}
	if err != nil {
		return nil, fmt.Errorf("nas: export %s: %w", weights, err)
	}
	return notes, runfolder.Write(file, content)
}

// onnx returns the ONNX file of a described network of images.
func (d Description) onnx(w onnx.Weights, o onnx.Options) ([]byte, error) {
	if err := d.NetworkOptions(torch.Options{}).Check(d.Genotype); err != nil {
		return nil, err
	}
	return onnx.Images(d.imageNetwork(), w, o)
}

// integersONNX returns the ONNX file of the described network with the weights in file, which is open as st.
func (d Description) integersONNX(st *safetensors.File, file string, o onnx.Options) (content []byte, err error) {
	err = torch.Do(func() error {
		net, err := d.integersIn(st, torch.Options{})
		if err == nil {
			err = LoadWeights(net, file)
		}
		if err == nil {
			content, err = net.Encode(o)
		}
		return err
	})
	return content, err
}
