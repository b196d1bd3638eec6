package cells

import (
	"math"

	"godarts/cells/genotype"
)

// Count returns the weights and the multiply-adds for one image of the network of g, which Check accepts, without the
// auxiliary head. They are those of Network.Cost, from formulas, so that no network is made. With an operation from
// outside of this module that does not say them, they are 0.
func (o NetworkOptions) Count(g genotype.Genotype) (parameters, multiplyAdds int64) {
	o.Auxiliary = false
	for _, kind := range g.Kinds() {
		for _, edge := range g.Cell(kind).Edges {
			if _, known := edge.Op.MultiplyAdds(1, 1, 1); !known {
				return 0, 0
			}
		}
	}
	return whole(o.Estimate(g).Weights), whole(o.multiplyAdds(g))
}

// whole returns n, or 0 for an absurd size.
func whole(n float64) int64 {
	if !(n >= 0 && n < math.MaxInt64) {
		return 0
	}
	return int64(n)
}

func (o NetworkOptions) multiplyAdds(g genotype.Genotype) (n float64) {
	c, side, in := float64(o.Channels), float64(o.Size), float64(o.InputChannels)
	var before, last float64 // channels of the two inputs of a cell
	if o.ImageNet {
		first, second := float64(half(o.Size)), float64(half(half(o.Size)))
		side = float64(half(half(half(o.Size))))
		n = 9*in*c/2*first*first + 9*c/2*c*second*second + 9*c*c*side*side
		before, last = c, c
	} else {
		stem := float64(o.StemMultiplier) * c
		n = 9 * in * stem * side * side
		before, last = stem, stem
	}
	for at := range o.sizedCells() {
		n += (before + last) * at.channels * at.side * at.side
		cell := g.Cell(at.kind)
		for _, edge := range cell.Edges {
			each, _ := edge.Op.MultiplyAdds(at.channels, at.reads(edge.From), at.kind.Stride(edge.From))
			n += each
		}
		before, last = last, float64(len(cell.Concat))*at.channels
	}
	return n + last*float64(o.Classes)
}

// Count returns the weights and the multiply-adds for one token of the language model around a cell of that many nodes,
// which Check accepts. The tied matrix counts once as weights.
func (o LanguageOptions) Count(nodes int) (parameters, multiplyAdds int64) {
	words, units := float64(o.Tokens), float64(o.Units)
	products := words*units + 4*units*units + float64(nodes)*2*units*units
	return whole(products + words), whole(products)
}
