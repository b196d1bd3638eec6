package cells

import (
	"fmt"
	"slices"

	"godarts/cells/genotype"
	"godarts/torch"
)

// Group are channels of a network that pruning may cut, each of them for itself: wherever a tensor has it. A group has
// all states of a cell between which operations keep each channel, or the inside of a sep_conv, or a convolution of
// the stem.
type Group struct {
	Place  string   // where it is, for people
	Halves [2]int   // channels of the first convolution that computes them, and of the second; 0 if there is one
	Norms  []string // places of the batch norms whose results are these channels, such as "cells.0._ops.1.op.3"

	axes          []axis
	layer         int // -1 for the stem
	states, inner []int
}

// axis is a dimension of a tensor: from at on its entries belong to count channels of a group, from first on.
type axis struct {
	tensor                string
	dim, at, first, count int
}

// Size returns the number of channels.
func (g *Group) Size() int { return total(g.Halves) }

// Groups returns the groups of the network of h, which Check accepts, in its order. Channels that an operation from
// outside of this module reads or gives, and those inside of a conv_7x1_1x7, are in none: they stay.
func (o NetworkOptions) Groups(h genotype.Genotype) []*Group {
	o.needLayers()
	if err := o.Check(h); err != nil {
		torch.Misuse("cells.Groups", "%s", err)
	}
	b := &grouping{}
	w := o.widths(h)
	s0, s1 := b.stems(o, w.Stem)
	reducedBefore := o.ImageNet
	for layer, widths := range w.Cells {
		kind := genotype.KindOfLayer(layer, o.Layers)
		s0, s1 = s1, b.cell(layer, *h.Cell(kind), widths, kind, reducedBefore, s0, s1)
		reducedBefore = kind == genotype.Reduce
		if layer == auxiliaryLayer(o.Layers) && o.Auxiliary {
			s1.read("auxiliary_head.features.2.weight")
		}
	}
	s1.read("classifier.weight")
	return b.groups
}

// grouping collects the groups of a network.
type grouping struct{ groups []*Group }

func (b *grouping) add(g *Group) *Group {
	b.groups = append(b.groups, g)
	return g
}

// channelsOf are channels in the order in which a layer reads them: those of groups, nil where none may be cut.
type channelsOf []part

type part struct {
	of   *Group
	size int
}

func of(g *Group, size int) channelsOf { return channelsOf{{g, size}} }

// read notes that the second dimension of a tensor has these channels.
func (c channelsOf) read(tensor string) { c.along(tensor, 1) }

// along notes that a dimension of a tensor has these channels.
func (c channelsOf) along(tensor string, dim int) {
	at := 0
	for _, p := range c {
		p.of.axis(axis{tensor, dim, at, 0, p.size})
		at += p.size
	}
}

// axis adds an axis, unless the channels may not be cut.
func (g *Group) axis(a axis) {
	if g != nil {
		g.axes = append(g.axes, a)
	}
}

// norm notes that the batch norm at a place gives these channels.
func (c channelsOf) norm(place string) {
	for _, p := range c {
		if p.of != nil {
			p.of.Norms = append(p.of.Norms, place)
		}
	}
	for _, name := range []string{"weight", "bias", "running_mean", "running_var"} {
		c.along(place+"."+name, 0)
	}
}

// convolution notes a convolution from channels to others, and the batch norm of its result.
func (c channelsOf) convolution(in channelsOf, conv, norm string) {
	in.read(conv + ".weight")
	c.along(conv+".weight", 0)
	c.norm(norm)
}

func (b *grouping) stems(o NetworkOptions, w []int) (s0, s1 channelsOf) {
	var all []channelsOf
	for i, n := range w {
		all = append(all, of(b.add(&Group{Place: fmt.Sprintf("convolution %d of the stem", i), Halves: [2]int{n, 0}, layer: -1, inner: []int{i}}), n))
	}
	if !o.ImageNet {
		all[0].convolution(nil, "stem.0", "stem.1")
		return all[0], all[0]
	}
	all[0].convolution(nil, "stem0.0", "stem0.1")
	all[1].convolution(all[0], "stem0.3", "stem0.4")
	all[2].convolution(all[1], "stem1.1", "stem1.2")
	return all[1], all[2]
}

// cell adds the groups of a cell and returns the channels of its output.
func (b *grouping) cell(layer int, g genotype.Cell, w genotype.CellWidths, kind genotype.Kind, reducedBefore bool, s0, s1 channelsOf) (out channelsOf) {
	place := fmt.Sprintf("cells.%d", layer)
	first, free := tied(g, kind)
	var states []channelsOf
	for s, f := range first {
		if f != s {
			states = append(states, states[f])
			if own := states[f][0].of; own != nil {
				own.states = append(own.states, s)
			}
			continue
		}
		var own *Group
		if free[s] {
			own = b.add(&Group{Place: fmt.Sprintf("state %d of cell %d", s, layer), Halves: w.States[s], layer: layer, states: []int{s}})
		}
		states = append(states, of(own, total(w.States[s])))
	}
	if reducedBefore {
		states[0].reduction(s0, place+".preprocess0", w.States[0])
	} else {
		states[0].convolution(s0, place+".preprocess0.op.1", place+".preprocess0.op.2")
	}
	states[1].convolution(s1, place+".preprocess1.op.1", place+".preprocess1.op.2")
	for i, e := range g.Edges {
		at := fmt.Sprintf("%s._ops.%d", place, i)
		in, node := states[e.From], states[2+i/2]
		switch e.Op {
		case genotype.SkipConnect:
			if kind.Stride(e.From) > 1 {
				node.reduction(in, at, w.States[2+i/2])
			}
		case genotype.SepConv3x3, genotype.SepConv5x5, genotype.SepConv7x7:
			inner := of(b.add(&Group{Place: fmt.Sprintf("inside of edge %d of cell %d", i, layer), Halves: [2]int{w.Inner[i], 0}, layer: layer, inner: []int{i}}), w.Inner[i])
			in.along(at+".op.1.weight", 0)
			inner.convolution(in, at+".op.2", at+".op.3")
			inner.along(at+".op.5.weight", 0)
			node.convolution(inner, at+".op.6", at+".op.7")
		case genotype.DilConv3x3, genotype.DilConv5x5:
			in.along(at+".op.1.weight", 0)
			node.convolution(in, at+".op.2", at+".op.3")
		case genotype.Conv7x1_1x7:
			in.read(at + ".1.weight")
			node.convolution(nil, at+".2", at+".3")
		}
	}
	for _, state := range g.Concat {
		out = append(out, states[state]...)
	}
	return out
}

// reduction notes a factorized reduction, whose convolutions give the halves.
func (c channelsOf) reduction(in channelsOf, place string, halves [2]int) {
	in.read(place + ".conv_1.weight")
	in.read(place + ".conv_2.weight")
	for _, p := range c {
		p.of.axis(axis{place + ".conv_1.weight", 0, 0, 0, halves[0]})
		p.of.axis(axis{place + ".conv_2.weight", 0, 0, halves[0], halves[1]})
	}
	c.norm(place + ".bn")
}

// Left returns the widths of the network of h after pruning: keep has for each of its Groups which channels stay.
func (o NetworkOptions) Left(h genotype.Genotype, keep [][]bool) genotype.Widths {
	groups := o.Groups(h)
	needKeep(groups, keep)
	w := o.widths(h)
	w.Stem, w.Cells = slices.Clone(w.Stem), slices.Clone(w.Cells)
	for i, cell := range w.Cells {
		w.Cells[i] = genotype.CellWidths{States: slices.Clone(cell.States), Inner: slices.Clone(cell.Inner)}
	}
	for i, g := range groups {
		var halves [2]int
		for k, kept := range keep[i] {
			half := 0
			if k >= g.Halves[0] {
				half = 1
			}
			if kept {
				halves[half]++
			}
		}
		for _, at := range g.inner {
			if g.layer < 0 {
				w.Stem[at] = halves[0]
			} else {
				w.Cells[g.layer].Inner[at] = halves[0]
			}
		}
		for _, state := range g.states {
			w.Cells[g.layer].States[state] = halves
		}
	}
	return w
}

func needKeep(groups []*Group, keep [][]bool) {
	if len(keep) != len(groups) {
		torch.Misuse("cells.Cut", "what to keep of %d groups, there are %d", len(keep), len(groups))
	}
	for i, g := range groups {
		if g == nil || len(keep[i]) != g.Size() {
			torch.Misuse("cells.Cut", "what to keep of %d channels of group %d, which has others", len(keep[i]), i)
		}
	}
}

// Cut returns the state dict sd of a network without the channels of its groups that keep does not keep. Tensors that
// lose none are those of sd.
func Cut(sd torch.StateDict, groups []*Group, keep [][]bool) torch.StateDict {
	needKeep(groups, keep)
	type place struct {
		tensor string
		dim    int
	}
	lost := map[place]map[int]bool{}
	for i, g := range groups {
		for _, a := range g.axes {
			at := place{a.tensor, a.dim}
			for k := range a.count {
				if keep[i][a.first+k] {
					continue
				}
				if lost[at] == nil {
					lost[at] = map[int]bool{}
				}
				lost[at][a.at+k] = true
			}
		}
	}
	cut := torch.StateDict{}
	for name, t := range sd {
		for dim := range t.Dim() {
			out := lost[place{name, dim}]
			if len(out) == 0 {
				continue
			}
			var left []int64
			for i := range t.Size(dim) {
				if !out[i] {
					left = append(left, int64(i))
				}
			}
			t = t.IndexSelect(dim, torch.FromSliceTo(left, []int{len(left)}, torch.Options{Dtype: torch.Int64, Device: t.Device()}))
		}
		cut[name] = t
	}
	return cut
}
