package cells

import (
	"iter"
	"math"

	"godarts/cells/genotype"
)

// sizedCell is a cell of a network: its kind, its channels, and the side of the maps of its inputs. The sizes are
// floats, since those of options that Check refuses may be absurd.
type sizedCell struct {
	kind           genotype.Kind
	channels, side float64
}

// reads returns the side of the maps that an edge from a node reads.
func (c sizedCell) reads(from int) float64 {
	if c.kind == genotype.Reduce && from >= c.kind.Inputs() {
		return math.Ceil(c.side / 2)
	}
	return c.side
}

// sizedCells yields the cells of the network, from the first.
func (o NetworkOptions) sizedCells() iter.Seq[sizedCell] {
	return func(yield func(sizedCell) bool) {
		c, side := float64(o.Channels), float64(o.Size)
		if o.ImageNet {
			side = float64(half(half(half(o.Size))))
		}
		for layer := range o.Layers {
			kind := genotype.KindOfLayer(layer, o.Layers)
			if kind == genotype.Reduce {
				c *= 2
			}
			if !yield(sizedCell{kind, c, side}) {
				return
			}
			if kind == genotype.Reduce {
				side = math.Ceil(side / 2)
			}
		}
	}
}

// Place is where an operation stands in a network: it reads maps [N,Channels,Side,Side] and has a stride.
type Place struct{ Channels, Side, Stride int }

// Places returns the places that the edge from a node has in the network, one for each cell of the kind, from the first
// cell. Check has to accept a genotype with these options. It returns nothing for a kind that such networks do not have,
// and panics with *torch.Error for more than MaxLayers.
func (o NetworkOptions) Places(kind genotype.Kind, from int) (places []Place) {
	o.needLayers()
	for at := range o.sizedCells() {
		if at.kind == kind {
			places = append(places, Place{int(at.channels), int(at.reads(from)), kind.Stride(from)})
		}
	}
	return places
}
