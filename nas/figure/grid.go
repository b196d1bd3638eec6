package figure

import (
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// gutter is the space between figures of a grid.
const gutter = 10 * vg.Length(1)

// squeezed is the least part of its own width that a figure has in a grid which chooses its columns.
const squeezed = 0.7

// gridOf is a figure of several figures, row after row from the top left.
type gridOf struct {
	figures []*Figure
	columns int // 0 for as many as suit the width
}

// Grid puts figures, at least one, side by side in columns. With 0 columns it takes two where each figure has nearly
// its own width then, else one.
func Grid(figures []*Figure, columns int) *Figure {
	if len(figures) == 1 {
		return figures[0]
	}
	g := gridOf{figures, min(columns, len(figures))}
	var titles []string
	for _, f := range figures {
		titles = append(titles, f.Title)
	}
	own := vg.Length(max(1, g.columns))
	return &Figure{
		Title: strings.Join(titles, ", "), width: own*(g.widest()+gutter) - gutter, paint: g.paint,
		height: func(width vg.Length, s style) vg.Length {
			sum := -gutter
			for _, h := range g.heights(width, s) {
				sum += h + gutter
			}
			return sum
		},
	}
}

func (g gridOf) widest() (width vg.Length) {
	for _, f := range g.figures {
		width = max(width, f.width)
	}
	return width
}

// columnsIn returns the number of columns in a width, and the width of each.
func (g gridOf) columnsIn(width vg.Length) (n int, each vg.Length) {
	if n = g.columns; n == 0 {
		n = 1
		if width >= 2*squeezed*g.widest()+gutter {
			n = 2
		}
	}
	return n, (width - gutter*vg.Length(n-1)) / vg.Length(n)
}

// heights returns the heights of the rows.
func (g gridOf) heights(width vg.Length, s style) (all []vg.Length) {
	n, each := g.columnsIn(width)
	for i, f := range g.figures {
		if i%n == 0 {
			all = append(all, 0)
		}
		last := &all[len(all)-1]
		*last = max(*last, f.height(each, s))
	}
	return all
}

func (g gridOf) paint(c draw.Canvas, s style) {
	width := c.Max.X - c.Min.X
	n, each := g.columnsIn(width)
	rows := g.heights(width, s)
	top := c.Max.Y
	for i, f := range g.figures {
		if i%n == 0 && i > 0 {
			top -= rows[i/n-1] + gutter
		}
		part := c
		part.Min.X = c.Min.X + vg.Length(i%n)*(each+gutter)
		part.Max.X = part.Min.X + each
		part.Max.Y = top
		part.Min.Y = top - f.height(each, s)
		f.paint(part, s)
	}
}
