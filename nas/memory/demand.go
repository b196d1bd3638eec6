// Package memory compares what a network takes with what the machine has.
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

// demand compares what a network takes with what there is.
type demand struct {
	c      *config.Config
	prefix string // of keys, see checkEvaluations
}

func NewDemand(c *config.Config, prefix string) demand { return demand{c, prefix} }

// Fits is an error if the weights, their gradient and momentum, and a part of what one batch
// leaves for its backward pass, are more than the machine has. On a GPU, whose memory this
// program does not know, it is up to libtorch to say so.
func (m demand) Fits(e cells.Estimate, batch int, d torch.Device) error {
	if d.IsCUDA() {
		return nil
	}
	copies, kept := 3.0, float64(batch)*e.PerImage
	if m.c.Data.IsText() { // plain SGD
		copies = 2
	}
	if m.c.W.Precision == config.BF16 {
		kept /= 2
	}
	return m.Hold(copies*e.Weights + kept)
}

// Hold is an error if the machine cannot hold so many numbers of the network's type.
func (m demand) Hold(numbers float64) error {
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

// largest is the key of the network's size that is most above the default.
func (m demand) largest() (key string, value int) {
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
	if m.prefix != "" && key == "data.batch" {
		return m.prefix + "batch", value
	}
	if strings.HasPrefix(key, "data.") {
		return key, value
	}
	return m.prefix + key, value
}
