package cells

import (
	"fmt"

	"godarts/cells/genotype"
	"godarts/torch"
)

// MaxLayers is the most cells that a network may have: ten times what has been published, and more. A larger number
// is a mistake that would keep a machine busy or take its memory before any error.
const MaxLayers = 1000

// validateSize follows the images through the stems and both reductions. A factorized reduction needs an even size.
// There is one in the cell after each reduction cell, in the first cell for ImageNet, and on skip connections from a
// reduction cell's inputs. The other operations of stride 2 round up.
func (o NetworkOptions) validateSize(g genotype.Genotype) error {
	wrong := func(where string, size int, want string) error {
		return fmt.Errorf("images of %dx%d reach %s as %dx%d, want %s", o.Size, o.Size, where, size, size, want)
	}
	size := o.Size
	if o.ImageNet {
		between := half(half(size))
		size = half(between)
		if last := half(half(size)); last < imageNetMinSize || last > imageNetMaxSize {
			return wrong("the last pooling", last, fmt.Sprintf("%d to %d pixels there: images of 224x224, or the stem for small images", imageNetMinSize, imageNetMaxSize))
		}
		if between%2 != 0 {
			return wrong("cell 0", between, "an even size there")
		}
	}
	skips := false
	for _, e := range g.Reduce.Edges {
		skips = skips || e.Op == genotype.SkipConnect && e.From < 2
	}
	for layer := range o.Layers {
		if genotype.KindOfLayer(layer, o.Layers) != genotype.Reduce {
			continue
		}
		if factorized := skips || layer+1 < o.Layers; factorized && size%2 != 0 {
			return wrong(fmt.Sprintf("the reduction in cell %d", layer), size, "an even size there")
		}
		size = half(size)
	}
	least, most, usual := auxiliaryMinSize, auxiliaryMaxSize, 32
	if o.ImageNet {
		least, most, usual = imageNetAuxiliaryMinSize, imageNetAuxiliaryMaxSize, 224
	}
	if o.Auxiliary && (size < least || size > most) {
		return wrong("the auxiliary head", size, fmt.Sprintf("%d to %d pixels there: images of %dx%d, or no auxiliary head", least, most, usual, usual))
	}
	return nil
}

// needLayers panics with *torch.Error for more layers than Check accepts: a loop over them would not end.
func (o NetworkOptions) needLayers() {
	if o.Layers > MaxLayers {
		torch.Misuse("cells.Network", "%d layers, wanted at most %d", o.Layers, MaxLayers)
	}
}

// needCells panics with *torch.Error for cells or Widths that Check does not accept.
func (o NetworkOptions) needCells(g genotype.Genotype) {
	o.needLayers()
	err := g.Check()
	if err == nil && !g.IsRecurrent() {
		err = o.checkWidths(g)
	}
	if err != nil {
		torch.Misuse("cells.Network", "%s", err)
	}
}

// half returns the side of an image after stride 2.
func half(size int) int { return (size + 1) / 2 }

// NormedSide returns the side in pixels of the smallest maps that a batch norm of the network of g reads in training.
// Where it is 1 a batch needs two images, because a batch norm needs more than one value per channel. The sizes are
// such as Check accepts.
func (o NetworkOptions) NormedSide(g genotype.Genotype) int {
	o.needLayers()
	if o.Auxiliary && !o.ImageNet {
		return 1 // the head's last batch norm
	}
	size := o.Size
	if o.ImageNet {
		size = half(half(half(size)))
	}
	least := size
	for layer := range o.Layers {
		least = min(least, size) // what the inputs are made to
		kind := genotype.KindOfLayer(layer, o.Layers)
		if kind == genotype.Reduce {
			size = half(size)
		}
		for _, e := range g.Cell(kind).Edges {
			if e.Op.Normed(kind.Stride(e.From)) {
				least = min(least, size)
			}
		}
	}
	return least
}

// FinalSide returns the side in pixels of the last cell's maps.
func (o NetworkOptions) FinalSide() int {
	if o.ImageNet {
		return half(half(half(half(half(o.Size)))))
	}
	return half(half(o.Size))
}

// Estimate is the number of a network's weights, and a lower bound of the numbers that a training pass holds for each
// image. They are floating point, since sizes may be absurd.
type Estimate struct{ Weights, PerImage float64 }

// Estimate computes the estimate of the network of g, which Check accepts. The auxiliary head counts among the
// weights.
func (o NetworkOptions) Estimate(g genotype.Genotype) (e Estimate) {
	o.needCells(g)
	w, c, side := o.widths(g), o.Channels, float64(o.Size)
	in, stem := float64(o.InputChannels), floats(w.Stem)
	if o.ImageNet {
		e.Weights = 9*in*stem[0] + 2*stem[0] + 9*stem[0]*stem[1] + 2*stem[1] + 9*stem[1]*stem[2] + 2*stem[2]
		side = float64(half(half(half(o.Size))))
	} else {
		e.Weights = 9*in*stem[0] + 2*stem[0]
	}
	before, last := stemOutputs(stem)
	e.PerImage = in * float64(o.Size) * float64(o.Size)
	for layer := range o.Layers {
		kind := genotype.KindOfLayer(layer, o.Layers)
		cell, widths := *g.Cell(kind), w.Cells[layer]
		if kind == genotype.Reduce {
			c, side = 2*c, float64(half(int(side)))
		}
		first, second := float64(total(widths.States[0])), float64(total(widths.States[1]))
		e.Weights += before*first + 2*first + last*second + 2*second
		for i, op := range cell.Edges {
			e.Weights += op.Op.WeightsOf(edge(widths, cell, i, c).float(), kind.Stride(op.From), true)
		}
		before, last = last, float64(joined(widths, cell))
		e.PerImage += last * side * side
		if o.Auxiliary && layer == auxiliaryLayer(o.Layers) {
			e.Weights += last*128 + 4*128*768 + 2*128 + float64(o.Classes)*769
			if !o.ImageNet {
				e.Weights += 2 * 768
			}
		}
	}
	e.Weights += (last + 1) * float64(o.Classes)
	return e
}

func floats(all []int) []float64 {
	f := make([]float64, len(all))
	for i, n := range all {
		f[i] = float64(n)
	}
	return f
}
