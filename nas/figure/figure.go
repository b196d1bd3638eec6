// Package figure makes figures of runs: curves over epochs, α as a heat map, how a cell changed, errors
// against costs. A figure can be drawn at any size, as SVG, PNG or PDF, and as SVG whose colours follow the
// style sheet of a page. Its colours differ for colour-blind readers, its lines and markers in black and
// white too.
//
//	f := figure.Losses(figure.Label(runs))
//	picture, err := f.Encode(".pdf", figure.Size{Width: 85 * vg.Millimeter})
//
// A function that makes a figure returns nil where the runs have nothing to show in it.
package figure

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"godarts/nas/figure/canvas"
)

// Figure is a picture of one or several runs.
type Figure struct {
	Title string

	width  vg.Length                                // where no size is given
	height func(width vg.Length, s style) vg.Length // that suits a width
	paint  func(c draw.Canvas, s style)
}

// Size is the size of a picture. A width of 0 is the figure's own, a height of 0 the one that suits the
// width.
type Size struct {
	Width, Height vg.Length
	DPI           int // dots to an inch of PNG; 0 is 192
}

// Extensions are the kinds of files that Encode writes.
var Extensions = []string{".svg", ".png", ".pdf"}

// dotsPerInch is the resolution of PNG where none is given.
const dotsPerInch = 192

// Encode returns the figure as a file of that extension, on white. It returns an error for an extension that is none of
// Extensions.
func (f *Figure) Encode(extension string, size Size) ([]byte, error) {
	width, height := f.measure(size)
	if extension == ".svg" {
		picture := canvas.NewSVG(width, height)
		c := draw.New(picture)
		fill(&c, paper, c.Min, c.Max)
		f.paint(c, usual)
		return picture.Bytes(f.Title), nil
	}
	var to vg.CanvasWriterTo
	switch extension {
	case ".png":
		to = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(cmp.Or(size.DPI, dotsPerInch)))}
	case ".pdf":
		to = canvas.NewPDF(width, height, f.Title)
	default:
		return nil, fmt.Errorf("figure: %q is no kind of picture (there are: .svg, .png, .pdf)", extension)
	}
	c := draw.New(to)
	fill(&c, paper, c.Min, c.Max)
	f.paint(c, usual)
	var out bytes.Buffer
	if _, err := to.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("figure: %w", err)
	}
	return out.Bytes(), nil
}

// Inline returns the figure as an SVG element for a page whose style sheet has the variables of Colors.
func (f *Figure) Inline(size Size) []byte {
	width, height := f.measure(size)
	picture := canvas.NewInline(width, height, gap)
	f.paint(draw.New(picture), usual)
	return picture.Bytes(f.Title)
}

func (f *Figure) measure(size Size) (width, height vg.Length) {
	width, height = size.Width, size.Height
	if width <= 0 {
		width = f.width
	}
	if height <= 0 {
		height = f.height(width, usual)
	}
	return width, height
}

// style has the sizes of a figure's text and lines.
type style struct{ title, text, small, line vg.Length }

// usual suits a column of a paper, and a page.
var usual = style{title: 9, text: 8, small: 7, line: 1.2}

// Inks of text and axes.
var (
	paper = canvas.NewInk("paper", 0xffffff)
	black = canvas.NewInk("ink", 0x1a1a1a)
	muted = canvas.NewInk("muted", 0x5c5c5c)
	grid  = canvas.NewInk("grid", 0xe4e4e4)
	hot   = canvas.NewInk("hot", 0xd55e00) // of marks
)

// seriesInks are the colours of Okabe and Ito (2008), but for black and yellow, in an order that keeps
// similar ones apart.
var seriesInks = []canvas.Ink{
	canvas.NewInk("c1", 0x0072b2), canvas.NewInk("c2", 0xd55e00), canvas.NewInk("c3", 0x009e73), canvas.NewInk("c4", 0xcc79a7), canvas.NewInk("c5", 0xe69f00), canvas.NewInk("c6", 0x56b4e9),
}

// dashes tell lines apart without colour.
var dashes = [][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}, {3, 1.5}, {8, 2, 1.5, 2, 1.5, 2}}

// markers tell points apart without colour.
var markers = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.RingGlyph{}, draw.PlusGlyph{},
}

func fill(c *draw.Canvas, with color.Color, from, to vg.Point) {
	c.FillPolygon(with, []vg.Point{from, {X: to.X, Y: from.Y}, to, {X: from.X, Y: to.Y}})
}
