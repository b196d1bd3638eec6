package cells

import (
	"fmt"

	"godarts/cells/genotype"
)

// stemChannels returns the channels of the convolutions of the stem before pruning.
func (o NetworkOptions) stemChannels() []int {
	if o.ImageNet {
		return []int{o.Channels / 2, o.Channels, o.Channels}
	}
	return []int{o.StemMultiplier * o.Channels}
}

// widths returns the channels of each layer of the network of g: Widths, or those before pruning.
func (o NetworkOptions) widths(g genotype.Genotype) genotype.Widths {
	if o.Widths != nil {
		return *o.Widths
	}
	return o.fullWidths(g)
}

// fullWidths returns the channels of each layer before pruning.
func (o NetworkOptions) fullWidths(g genotype.Genotype) genotype.Widths {
	w := genotype.Widths{Stem: o.stemChannels()}
	c := o.Channels
	for layer := range o.Layers {
		kind := genotype.KindOfLayer(layer, o.Layers)
		if kind == genotype.Reduce {
			c *= 2
		}
		w.Cells = append(w.Cells, fullCell(*g.Cell(kind), c))
	}
	return w
}

// fullCell returns the channels of a cell of c channels before pruning.
func fullCell(g genotype.Cell, c int) genotype.CellWidths {
	w := genotype.CellWidths{Inner: make([]int, len(g.Edges))}
	for range 2 + len(g.Edges)/2 {
		w.States = append(w.States, halves(c))
	}
	for i, e := range g.Edges {
		if e.Op.HasInner() {
			w.Inner[i] = c
		}
	}
	return w
}

// tied returns for each state of a cell, its two inputs and its nodes, the first state whose channels pruning cuts
// together with its own, and whether it may cut any.
func tied(c genotype.Cell, kind genotype.Kind) (first []int, free []bool) {
	for i := range 2 + len(c.Edges)/2 {
		first, free = append(first, i), append(free, true)
	}
	for i, e := range c.Edges {
		if !e.Op.Ties(kind.Stride(e.From)) {
			continue
		}
		a, b := first[e.From], first[2+i/2]
		for state, f := range first {
			if f == max(a, b) {
				first[state] = min(a, b)
			}
		}
	}
	for i, e := range c.Edges {
		if e.Op.Fixed() {
			free[first[2+i/2]] = false
		}
	}
	for state := range free {
		free[state] = free[first[state]]
	}
	return first, free
}

// checkWidths returns an error if no pruning of the network of g leaves Widths.
func (o NetworkOptions) checkWidths(g genotype.Genotype) error {
	if o.Widths == nil {
		return nil
	}
	w, full := *o.Widths, o.fullWidths(g)
	if len(w.Stem) != len(full.Stem) || len(w.Cells) != len(full.Cells) {
		return fmt.Errorf("widths of %d convolutions of the stem and of %d cells, want %d and %d", len(w.Stem), len(w.Cells), len(full.Stem), len(full.Cells))
	}
	var errs []error
	for i, n := range w.Stem {
		errs = append(errs, left(n, full.Stem[i], "convolution %d of the stem", i))
	}
	for layer, cell := range w.Cells {
		kind := genotype.KindOfLayer(layer, len(w.Cells))
		if err := checkCell(cell, full.Cells[layer], *g.Cell(kind), kind); err != nil {
			errs = append(errs, fmt.Errorf("widths of cell %d: %w", layer, err))
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// left returns an error if pruning cannot leave n of most channels.
func left(n, most int, where string, args ...any) error {
	if n < 1 || n > most {
		return fmt.Errorf("%s has %d channels, want 1 to %d", fmt.Sprintf(where, args...), n, most)
	}
	return nil
}

func checkCell(w, full genotype.CellWidths, g genotype.Cell, kind genotype.Kind) error {
	if len(w.States) != len(full.States) || len(w.Inner) != len(full.Inner) {
		return fmt.Errorf("%d states and %d edges, want %d and %d", len(w.States), len(w.Inner), len(full.States), len(full.Inner))
	}
	first, free := tied(g, kind)
	for s, own := range w.States {
		for half, n := range own {
			if err := left(n, full.States[s][half], "half %d of state %d", half, s); err != nil {
				return err
			}
		}
		switch {
		case own != w.States[first[s]]:
			return fmt.Errorf("states %d and %d have %v and %v channels, want the same: an operation between them keeps each channel", first[s], s, w.States[first[s]], own)
		case !free[s] && own != full.States[s]:
			return fmt.Errorf("state %d has %v channels, want %v: an operation at it takes all", s, own, full.States[s])
		}
	}
	for i, n := range w.Inner {
		switch {
		case full.Inner[i] > 0:
			if err := left(n, full.Inner[i], "the inside of edge %d", i); err != nil {
				return err
			}
		case n != 0:
			return fmt.Errorf("the inside of edge %d has %d channels, want 0: only a sep_conv has some", i, n)
		}
	}
	return nil
}

// channels are those of an operation in a network.
type channels struct {
	in, inner int
	out       [2]int // of each half
	of        int    // of each before pruning
}

// unpruned returns channels of an operation that pruning has not touched.
func unpruned(c int) channels { return channels{c, c, halves(c), c} }

// halves returns what each of two convolutions gives of c channels.
func halves(c int) [2]int { return [2]int{c / 2, c - c/2} }

// float returns the channels for formulas.
func (c channels) float() genotype.Channels {
	return genotype.Channels{In: float64(c.in), Inner: float64(c.inner), Out: float64(total(c.out))}
}

// total returns the channels of a state.
func total(of [2]int) int { return of[0] + of[1] }

// joined returns the channels of the output of a cell of these widths.
func joined(w genotype.CellWidths, g genotype.Cell) (n int) {
	for _, state := range g.Concat {
		n += total(w.States[state])
	}
	return n
}

// edge returns the channels of edge i of a cell of these widths; of is what each state has before pruning.
func edge(w genotype.CellWidths, g genotype.Cell, i, of int) channels {
	c := channels{total(w.States[g.Edges[i].From]), of, w.States[2+i/2], of}
	if g.Edges[i].Op.HasInner() {
		c.inner = w.Inner[i]
	}
	return c
}
