// Package memory compares the memory that a network needs with the memory of the machine.
package memory

import (
	"fmt"
	"math"
	"strings"

	"godarts/cells"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/torch"
)

// Demand compares the memory that the network of a config needs with the memory there is.
type Demand struct {
	c      *config.Config
	prefix string // of keys in messages, see images.CheckEvaluations
}

// NewDemand returns the Demand of the network of c. In messages, keys that do not begin with "data."
// have the prefix.
func NewDemand(c *config.Config, prefix string) Demand { return Demand{c, prefix} }

// Fits returns an error if the machine has too little memory for the weights, their gradient and
// momentum, and a part of what the backward pass of a batch needs. For a GPU it returns nil: its memory
// is known only to libtorch.
func (m Demand) Fits(e cells.Estimate, batch int, d torch.Device) error {
	if d.IsCUDA() {
		return nil
	}
	copies, kept := 3.0, float64(batch)*e.PerImage
	if m.c.Data.IsText() { // SGD without momentum
		copies = 2
	}
	if m.c.W.Precision == config.BF16 {
		kept /= 2
	}
	return m.Hold(copies*e.Weights + kept)
}

// Hold returns an error if the machine cannot hold this many numbers of the network's type.
func (m Demand) Hold(numbers float64) error {
	size := 4.0
	if m.c.Network.Dtype == config.Float64 {
		size = 8
	}
	need, have := size*numbers, machineMemory()
	if need <= have {
		return nil
	}
	key, value := m.largest()
	return fmt.Errorf("nas: %s: %d makes a network that takes %s of memory or more, of %s here: want less", key, value, inBytes(need), inBytes(have))
}

// largest returns the key of the network's size that exceeds its default by the largest factor.
func (m Demand) largest() (key string, value int) {
	c := m.c
	const layers = "network.layers"
	type size struct {
		key             string
		value, standard int
	}
	keys := []size{
		{"network.channels", c.Network.Channels, 36}, {"network.stem_multiplier", c.Network.StemMultiplier, 3}, {layers, c.Network.Layers, 20},
		{"network.nodes", c.Network.Nodes, 8}, {"network.hidden", c.Network.Hidden, 850},
		{"data.batch", c.Data.Batch, 96}, {"data.size", c.Data.Size, 32}, {"data.bptt", c.Data.BPTT, 35},
	}
	if own := nas.MethodOf(c).Size; own != nil {
		key, value, standard := own(c)
		keys = append(keys, size{key, value, standard})
	}
	most := math.Inf(-1)
	for _, k := range keys {
		if ratio := float64(k.value) / float64(k.standard); ratio > most {
			most, key, value = ratio, k.key, k.value
		}
	}
	if strings.HasPrefix(key, "data.") && key != "data.batch" {
		return key, value
	}
	return m.prefix + key, value
}
