package model

import (
	"encoding/json"
	"fmt"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/data"
	"godarts/torch"
	"godarts/torch/safetensors"
)

// Description describes the network in a file of weights: enough to make the network and to feed it.
type Description struct {
	Genotype       genotype.Genotype `json:"genotype"`
	Channels       int               `json:"channels"`
	Layers         int               `json:"layers"`
	Classes        int               `json:"classes"`
	InputChannels  int               `json:"input_channels"`
	Size           int               `json:"size"` // side of the images in pixels
	StemMultiplier int               `json:"stem_multiplier"`
	ImageNet       bool              `json:"imagenet"`
	Auxiliary      bool              `json:"auxiliary"`
	Mean           []float32         `json:"mean"` // by channel, of values from 0 to 1
	Std            []float32         `json:"std"`
	ClassNames     []string          `json:"class_names"`

	Widths    *genotype.Widths `json:"widths,omitempty"`    // of a pruned network: the channels that are left
	Quantised *Quantised       `json:"quantised,omitempty"` // of a network in integers of 8 bits

	Units      int    `json:"units,omitempty"`      // of a language model, which of the above has only a genotype
	Dictionary string `json:"dictionary,omitempty"` // of its words, as corpus.Corpus.Dictionary returns it

	Tokens int      `json:"tokens,omitempty"` // of an exported language model: the number of its words
	Words  []string `json:"words,omitempty"`  // of an exported language model, in the order of their numbers; nil if the text was not at hand
}

// Quantised says how the scales of a network in integers were chosen: keys of config.Quantise. The scales
// themselves are in the file of weights.
type Quantised struct {
	Method string `json:"method"`
	Images int    `json:"images"`
	Range  string `json:"range"`
}

// AuxiliaryHead is the prefix of the auxiliary head's weights.
const AuxiliaryHead = "auxiliary_head."

// DescriptionKey is the metadata key of the description, as JSON.
const DescriptionKey = "darts"

// Describe describes the network of the cells g of these sizes, trained on set.
func Describe(g genotype.Genotype, o cells.NetworkOptions, set *data.Set) Description {
	return Description{
		Genotype: g, Channels: o.Channels, Layers: o.Layers, Classes: o.Classes, InputChannels: o.InputChannels,
		Size: o.Size, StemMultiplier: o.StemMultiplier, ImageNet: o.ImageNet, Auxiliary: o.Auxiliary,
		Mean: set.Train.Mean, Std: set.Train.Std, ClassNames: set.ClassNames,
		Widths: o.Widths,
	}
}

// NetworkOptions returns the sizes of the described network of images.
func (d Description) NetworkOptions(to torch.Options) cells.NetworkOptions {
	return cells.NetworkOptions{
		Channels: d.Channels, Layers: d.Layers, Classes: d.Classes, InputChannels: d.InputChannels, Size: d.Size,
		StemMultiplier: d.StemMultiplier, ImageNet: d.ImageNet, Auxiliary: d.Auxiliary, Widths: d.Widths, Options: to,
	}
}

// Check returns an error if no training writes this description.
func (d Description) Check() error {
	switch {
	case len(d.Mean) != d.InputChannels || len(d.Std) != d.InputChannels:
		return fmt.Errorf("%d means and %d standard deviations for %d channels", len(d.Mean), len(d.Std), d.InputChannels)
	case len(d.ClassNames) != d.Classes:
		return fmt.Errorf("%d names for %d classes", len(d.ClassNames), d.Classes)
	}
	return nil
}

// readDescription returns the description in an open file of weights of a network of images.
func readDescription(st *safetensors.File, file string) (d Description, err error) {
	d, err = describedIn(st, file)
	if err == nil && d.Units > 0 {
		return d, fmt.Errorf("nas: %s is of a language model; only networks of images can classify", file)
	}
	return d, err
}

// describedIn returns the description in an open file of weights, of images or of a text.
func describedIn(st *safetensors.File, file string) (d Description, err error) {
	text, ok := st.Metadata()[DescriptionKey]
	if !ok {
		return d, fmt.Errorf("nas: %s does not say what network it is of: no training of this program wrote it", file)
	}
	err = json.Unmarshal([]byte(text), &d)
	if err == nil && d.Units == 0 {
		err = d.Check()
	}
	if err != nil {
		return d, fmt.Errorf("nas: %s: metadata %q: %w", file, DescriptionKey, err)
	}
	return d, nil
}
