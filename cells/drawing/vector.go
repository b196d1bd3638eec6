package drawing

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"regexp"
	"strconv"
	"sync"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"

	"godarts/cells/draw"
)

// png returns the sheet as PNG.
func (s *sheet) png(width float64) ([]byte, error) {
	dpi := screenDPI
	if width > 0 {
		dpi = paperDPI
	}
	scale := s.points(width)
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(vg.Length(s.width*scale), vg.Length(s.height*scale)), vgimg.UseDPI(dpi))}
	return s.draw(c, c, scale)
}

// date matches the time at which a PDF was made.
var date = regexp.MustCompile(`/(CreationDate|ModDate) \(D:\d{14}`)

// pdf returns the sheet as PDF with embedded fonts. Its dates are those of no clock, so that the same cells give the
// same bytes.
func (s *sheet) pdf(width float64) ([]byte, error) {
	scale := s.points(width)
	c := vgpdf.New(vg.Length(s.width*scale), vg.Length(s.height*scale))
	content, err := s.draw(c, c, scale)
	return date.ReplaceAll(content, []byte("/$1 (D:19700101000000")), err
}

// draw draws the sheet on a canvas of scale points for each pixel, and returns what w then writes.
func (s *sheet) draw(on vg.Canvas, w io.WriterTo, scale float64) ([]byte, error) {
	c := canvas{Canvas: on, scale: scale, height: s.height}
	c.fill(rectangle(c.point(draw.Point{}), c.point(draw.Point{X: s.width, Y: s.height})), "#ffffff")
	for _, cell := range s.cells {
		c.top = cell.top
		if cell.title != "" {
			face := c.face(titleSize)
			c.write(face, draw.Point{X: titleLeft, Y: cell.baseline() - cell.top}, cell.title, "#000000")
		}
		cell.Draw(c)
	}
	var out bytes.Buffer
	if _, err := w.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("cells: drawing: %w", err)
	}
	return out.Bytes(), nil
}

// canvas draws a picture on a canvas of gonum, whose lengths are points and whose y goes up.
type canvas struct {
	vg.Canvas
	scale  float64 // points of a pixel
	height float64 // of the sheet in pixels
	top    float64 // of the picture on the sheet in pixels
}

func (c canvas) point(p draw.Point) vg.Point {
	return vg.Point{X: vg.Length(p.X * c.scale), Y: vg.Length((c.height - c.top - p.Y) * c.scale)}
}

func (c canvas) fill(path vg.Path, ink string) {
	c.SetColor(colorOf(ink))
	c.Fill(path)
}

func (c canvas) stroke(path vg.Path, ink string) {
	c.SetColor(colorOf(ink))
	c.SetLineWidth(vg.Length(draw.LineWidth * c.scale))
	c.Stroke(path)
}

// Curve implements draw.Canvas.
func (c canvas) Curve(curve draw.Curve, ink string) {
	var path vg.Path
	path.Move(c.point(curve.Start))
	for _, bend := range curve.Bends {
		if k := bend.Controls; k != nil {
			path.CubeTo(c.point(k[0]), c.point(k[1]), c.point(bend.To))
		} else {
			path.Line(c.point(bend.To))
		}
	}
	c.stroke(path, ink)
}

// Triangle implements draw.Canvas.
func (c canvas) Triangle(corners [3]draw.Point, ink string) {
	var path vg.Path
	path.Move(c.point(corners[0]))
	path.Line(c.point(corners[1]))
	path.Line(c.point(corners[2]))
	path.Close()
	c.fill(path, ink)
}

// quarter is how far a Bézier curve's controls are from its ends, in radii, to be a quarter of a circle.
const quarter = 0.5523

// Box implements draw.Canvas. Its corners are Bézier curves, since vgpdf puts arcs in wrong places.
func (c canvas) Box(centre draw.Point, width, height, radius float64, fill, stroke string) {
	var path vg.Path
	at := func(x, y float64) vg.Point { return c.point(draw.Point{X: centre.X + x, Y: centre.Y + y}) }
	// corner goes from before to after, which are radius away from the corner at x, y.
	corner := func(x, y float64, before, after draw.Point) {
		inner := radius * (1 - quarter)
		if start := at(x+before.X*radius, y+before.Y*radius); len(path) == 0 {
			path.Move(start)
		} else {
			path.Line(start)
		}
		path.CubeTo(at(x+before.X*inner, y+before.Y*inner), at(x+after.X*inner, y+after.Y*inner), at(x+after.X*radius, y+after.Y*radius))
	}
	right, bottom := width/2, height/2
	corner(right, bottom, draw.Point{Y: -1}, draw.Point{X: -1})
	corner(-right, bottom, draw.Point{X: 1}, draw.Point{Y: -1})
	corner(-right, -bottom, draw.Point{Y: 1}, draw.Point{X: 1})
	corner(right, -bottom, draw.Point{X: -1}, draw.Point{Y: 1})
	path.Close()
	c.fill(path, fill)
	if stroke != "" {
		c.stroke(path, stroke)
	}
}

// Text implements draw.Canvas.
func (c canvas) Text(middle draw.Point, word string, size float64, subscript, ink string) {
	face, small := c.face(size), c.face(draw.SubscriptSize)
	word, subscript = encoded(word), encoded(subscript)
	wide := float64(face.Width(word)) / c.scale
	x := middle.X - (wide+float64(small.Width(subscript))/c.scale)/2
	c.write(face, draw.Point{X: x, Y: middle.Y}, word, ink)
	if subscript != "" {
		c.write(small, draw.Point{X: x + wide, Y: middle.Y + draw.SubscriptDrop}, subscript, ink)
	}
}

func (c canvas) write(face font.Face, at draw.Point, text, ink string) {
	c.SetColor(colorOf(ink))
	c.FillString(face, c.point(at), text)
}

// encoded replaces what the fonts of PDF lack, all but the printable characters of ASCII, by question marks. Names of
// operations are of ASCII, unless a program registers others.
func encoded(text string) string {
	all := []rune(text)
	for i, r := range all {
		if r < ' ' || r > '~' {
			all[i] = '?'
		}
	}
	return string(all)
}

// fonts are Liberation Sans, which has the widths of Helvetica and Arial.
var fonts = sync.OnceValue(func() *font.Cache { return font.NewCache(liberation.Collection()) })

// face returns Liberation Sans of a size in pixels.
func (c canvas) face(size float64) font.Face {
	length := vg.Length(size * c.scale)
	return fonts().Lookup(font.Font{Typeface: "Liberation", Variant: "Sans", Size: length}, length)
}

// rectangle is a path from corner to corner.
func rectangle(from, to vg.Point) (path vg.Path) {
	path.Move(from)
	path.Line(vg.Point{X: to.X, Y: from.Y})
	path.Line(to)
	path.Line(vg.Point{X: from.X, Y: to.Y})
	path.Close()
	return path
}

// colorOf reads an ink of a draw.Canvas.
func colorOf(ink string) color.Color {
	rgb, _ := strconv.ParseUint(ink[1:], 16, 32) // draw writes #rrggbb
	return color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 0xff}
}
