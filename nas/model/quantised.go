package model

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"

	"godarts/nas/config"
	"godarts/nas/onnx"
	"godarts/nas/quantise"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// Integers makes the described network, which is in integers, of these weights: a state dict in floating-point
// numbers or, with folded, the tensors of a file of such a network, of which only the shapes count. Its tensors
// belong to the current scope.
func (d Description) Integers(w onnx.Weights, folded bool, o quantise.Options) (*quantise.Network, error) {
	g, err := d.integerGraph(w, folded)
	if err != nil {
		return nil, err
	}
	o.Most = quantise.Full
	if d.Quantised.Range == config.ReducedRange {
		o.Most = quantise.Reduced
	}
	return quantise.New(g, o)
}

// integerGraph returns the graph of the described network; arguments are those of Integers.
func (d Description) integerGraph(w onnx.Weights, folded bool) (*onnx.Graph, error) {
	if err := d.NetworkOptions(torch.Options{}).Check(d.Genotype); err != nil {
		return nil, err
	}
	return onnx.IntegerGraph(d.imageNetwork(), w, folded)
}

// integersIn makes the described network for the weights in st, without loading them.
func (d Description) integersIn(st *safetensors.File, to torch.Options) (*quantise.Network, error) {
	w, err := onnxWeights(st)
	if err != nil {
		return nil, err
	}
	return d.Integers(w, true, quantise.Options{Options: to})
}

// StartingWeights returns the weights of the trained network in dir, a complete run or an export, in
// floating-point numbers, for the network d in integers. It returns an error if the network in dir is none of
// images, or another one than d describes.
func (d Description) StartingWeights(dir string) (onnx.Weights, error) {
	c, err := TrainedConfig(dir)
	if err == nil && !IsExport(dir) {
		_, err = TrainedCell(dir, c)
	}
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(file)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	own, err := describedIn(st, file)
	switch {
	case err != nil:
		return nil, err
	case own.Units > 0:
		return nil, fmt.Errorf("nas: %s is of a language model; only networks of images can compute in integers", file)
	case own.Quantised != nil:
		return nil, fmt.Errorf("nas: %s computes in integers already: name the run that it was made of", file)
	}
	for _, s := range []struct {
		what       string
		have, want any
	}{
		{"genotype", own.Genotype.String(), d.Genotype.String()}, {"channels", own.Channels, d.Channels}, {"layers", own.Layers, d.Layers},
		{"stem multiplier", own.StemMultiplier, d.StemMultiplier}, {"stem of ImageNet", own.ImageNet, d.ImageNet},
		{"input channels", own.InputChannels, d.InputChannels}, {"pixels a side", own.Size, d.Size},
	} {
		if s.have != s.want {
			return nil, fmt.Errorf("nas: quantise.from: the network in %s has %s %v, the config %v: want the same", dir, s.what, s.have, s.want)
		}
	}
	if (own.Widths == nil) != (d.Widths == nil) || own.Widths != nil && !reflect.DeepEqual(*own.Widths, *d.Widths) {
		return nil, fmt.Errorf("nas: quantise.from: the network in %s has other widths than pruned.widths says: want the same", dir)
	}
	if !slices.Equal(own.ClassNames, d.ClassNames) || !slices.Equal(own.Mean, d.Mean) || !slices.Equal(own.Std, d.Std) {
		return nil, fmt.Errorf("nas: quantise.from: the network in %s was trained on other classes, or on images of another normalisation, than the config's: want the same", dir)
	}
	return onnxWeights(st)
}

// Floating returns the operators that the network in integers in dir computes in floating-point numbers, as
// text: "normalisation", "3 Mul".
func Floating(dir string) (all []string, err error) {
	file := filepath.Join(dir, runfolder.WeightsFile)
	st, err := OpenWeights(file)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	about, err := readDescription(st, file)
	if err != nil {
		return nil, err
	}
	w, err := onnxWeights(st)
	if err != nil {
		return nil, err
	}
	g, err := about.integerGraph(w, true)
	if err != nil {
		return nil, err
	}
	all = []string{"normalisation", "logits"}
	found := g.Floating()
	for _, op := range slices.Sorted(maps.Keys(found)) {
		all = append(all, fmt.Sprintf("%d %s", found[op], op))
	}
	return all, nil
}
