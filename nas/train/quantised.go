package train

import (
	"fmt"
	"path/filepath"
	"slices"

	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/quantise"
	"godarts/nas/runfolder"
)

// AutoRange is the value of QuantiseOptions.Range that asks the processor: reduced without VNNI.
const AutoRange = "auto"

// QuantiseOptions say how a network is computed in integers of 8 bits.
type QuantiseOptions struct {
	Method string  // how the range of a tensor is chosen, as quantise.method of a config
	Images int     // training images to calibrate on
	Range  string  // integers of weights, as quantise.range, or AutoRange
	Epochs int     // of training in integers
	LR     float64 // its learning rate; 0 is a hundredth of the run's
}

// QuantisedConfig returns the config of the training that computes the trained network in from, a complete run or an
// export of images, in integers, with the items of set over it.
func QuantisedConfig(from string, o QuantiseOptions, set ...string) (*config.Config, error) {
	trained, err := model.TrainedConfig(from)
	if err == nil && !model.IsExport(from) {
		_, err = model.TrainedCell(from, trained)
	}
	switch {
	case err != nil:
		return nil, err
	case trained.Data.IsText():
		return nil, fmt.Errorf("quantise: %s is a training on a text; only networks of images can compute in integers", names.Escape(from))
	case trained.Quantise != nil:
		return nil, fmt.Errorf("quantise: %s computes in integers already: name the run that it was made of", names.Escape(from))
	case o.Epochs == 0 && o.LR != 0:
		return nil, fmt.Errorf("quantise: --lr %v has no effect without --epochs", o.LR)
	}
	c := *trained
	lr := o.LR
	if lr == 0 {
		lr = c.W.LR / 100
	}
	c.Network.Auxiliary, c.Network.DropPath, c.Network.Dtype, c.W.Precision = false, 0, config.Float32, config.Full
	c.Epochs, c.W.LR, c.W.LRMin, c.Expect = o.Epochs, lr, min(c.W.LRMin, lr), nil
	if c.Pruned != nil {
		c.Pruned = &config.Pruned{Widths: c.Pruned.Widths} // of a run that began with what another had left
	}
	text, err := c.YAML()
	if err != nil {
		return nil, err
	}
	whole, err := filepath.Abs(from)
	if err != nil {
		return nil, err
	}
	items := []string{"quantise.from=" + whole, "quantise.method=" + o.Method, fmt.Sprint("quantise.images=", o.Images), "quantise.range=" + o.Integers()}
	return config.Parse(filepath.Join(from, runfolder.ConfigFile), text, slices.Concat(items, set)...)
}

// Integers returns Range, and in place of AutoRange what this processor asks for.
func (o QuantiseOptions) Integers() string {
	switch {
	case o.Range != AutoRange:
		return o.Range
	case quantise.MostHere() == quantise.Reduced:
		return config.ReducedRange
	}
	return config.FullRange
}
