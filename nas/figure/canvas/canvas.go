// Package canvas has canvases for gonum/plot: SVG whose colours may be variables of a style sheet, and PDF
// with text in Unicode. It knows no figures.
package canvas

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// base is what SVG and PDF have in common of a vg.Canvas: the state of the pen. Transformations are
// carried out at once, so that files have plain coordinates.
type base struct {
	width, height vg.Length
	pen           pen
	stack         []pen
}

// pen is the state that Push saves.
type pen struct {
	color  color.Color
	width  vg.Length
	dashes []vg.Length
	at     [6]float64 // x' = at[0]·x + at[2]·y + at[4], y' = at[1]·x + at[3]·y + at[5], y upwards
}

func newBase(width, height vg.Length) base {
	return base{width: width, height: height, pen: pen{at: [6]float64{1, 0, 0, 1, 0, 0}}}
}

// Size implements vg.CanvasSizer.
func (c *base) Size() (x, y vg.Length) { return c.width, c.height }

// SetLineWidth implements vg.Canvas, as the methods below do.
func (c *base) SetLineWidth(w vg.Length) { c.pen.width = w }

// SetLineDash sets the pattern; no figure has an offset.
func (c *base) SetLineDash(pattern []vg.Length, _ vg.Length) { c.pen.dashes = pattern }

// SetColor sets the colour, black for nil.
func (c *base) SetColor(with color.Color) {
	if with == nil {
		with = color.Black
	}
	c.pen.color = with
}

// Rotate turns what is drawn next about the origin, counterclockwise.
func (c *base) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.transform([6]float64{cos, sin, -sin, cos, 0, 0})
}

// Translate moves what is drawn next.
func (c *base) Translate(pt vg.Point) {
	c.transform([6]float64{1, 0, 0, 1, float64(pt.X), float64(pt.Y)})
}

// Scale stretches what is drawn next, but for the size of text and lines.
func (c *base) Scale(x, y float64) { c.transform([6]float64{x, 0, 0, y, 0, 0}) }

// transform makes m the first step of the way from coordinates to places.
func (c *base) transform(m [6]float64) {
	t := c.pen.at
	c.pen.at = [6]float64{
		t[0]*m[0] + t[2]*m[1], t[1]*m[0] + t[3]*m[1],
		t[0]*m[2] + t[2]*m[3], t[1]*m[2] + t[3]*m[3],
		t[0]*m[4] + t[2]*m[5] + t[4], t[1]*m[4] + t[3]*m[5] + t[5],
	}
}

// Push saves the state.
func (c *base) Push() { c.stack = append(c.stack, c.pen) }

// Pop restores the state of the last Push.
func (c *base) Pop() {
	c.pen = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

// DrawImage draws nothing: no figure has images.
func (c *base) DrawImage(vg.Rectangle, image.Image) {}

// place returns where a point lies, in points from the upper left corner.
func (c *base) place(x, y vg.Length) (px, py float64) {
	t := c.pen.at
	return t[0]*float64(x) + t[2]*float64(y) + t[4], c.height.Points() - (t[1]*float64(x) + t[3]*float64(y) + t[5])
}

// angle returns by how many degrees the pen is turned, counterclockwise.
func (c *base) angle() float64 { return math.Atan2(c.pen.at[1], c.pen.at[0]) * 180 / math.Pi }

// solid returns the colour without what shines through, and how opaque it is.
func (c *base) solid() (r, g, b uint8, opacity float64) {
	n := color.NRGBAModel.Convert(c.pen.color).(color.NRGBA)
	return n.R, n.G, n.B, float64(n.A) / 0xff
}

// withoutArcs replaces arcs by lines: those of figures are small markers.
func withoutArcs(p vg.Path) (lines vg.Path) {
	const parts = 16
	for i, part := range p {
		if part.Type != vg.ArcComp {
			lines = append(lines, part)
			continue
		}
		for k := range parts + 1 {
			sin, cos := math.Sincos(part.Start + part.Angle*float64(k)/parts)
			at := vg.Point{X: part.Pos.X + part.Radius*vg.Length(cos), Y: part.Pos.Y + part.Radius*vg.Length(sin)}
			if k == 0 && i == 0 {
				lines.Move(at)
			} else {
				lines.Line(at)
			}
		}
	}
	return lines
}
