package canvas

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"

	"godarts/nas/names"
)

// PDF is a vg.Canvas that writes PDF with text in Unicode, which gonum's lacks: that writes α as two
// other characters. Fonts are embedded, text can be selected. Equal figures give equal bytes.
type PDF struct {
	base
	doc *fpdf.Fpdf
}

const pdfFont = "sans"

// NewPDF returns an empty page with a title for the list of a viewer.
func NewPDF(width, height vg.Length, title string) *PDF {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: width.Points(), Ht: height.Points()}})
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.SetCatalogSort(true)
	doc.SetCreationDate(time.Unix(0, 0).UTC())
	doc.SetModificationDate(time.Unix(0, 0).UTC())
	doc.SetTitle(writable(title), true)
	doc.AddUTF8FontFromBytes(pdfFont, "", liberationsansregular.TTF)
	doc.AddUTF8FontFromBytes(pdfFont, "B", liberationsansbold.TTF)
	doc.SetLineJoinStyle("round")
	doc.AddPage()
	c := &PDF{newBase(width, height), doc}
	vg.Initialize(c)
	return c
}

// WriteTo implements io.WriterTo.
func (c *PDF) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{w: w}
	if err := c.doc.Output(counted); err != nil {
		return counted.n, fmt.Errorf("figure: %w", err)
	}
	return counted.n, nil
}

// counter counts the bytes that pass.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Stroke implements vg.Canvas, as the methods below do.
func (c *PDF) Stroke(path vg.Path) {
	if c.pen.width <= 0 {
		return
	}
	r, g, b, opacity := c.solid()
	c.doc.SetDrawColor(int(r), int(g), int(b))
	c.doc.SetLineWidth(c.pen.width.Points())
	pattern := make([]float64, len(c.pen.dashes))
	for i, d := range c.pen.dashes {
		pattern[i] = d.Points()
	}
	c.doc.SetDashPattern(pattern, 0)
	c.draw(path, "D", opacity)
}

// Fill fills the path.
func (c *PDF) Fill(path vg.Path) {
	r, g, b, opacity := c.solid()
	c.doc.SetFillColor(int(r), int(g), int(b))
	c.draw(path, "F", opacity)
}

func (c *PDF) draw(path vg.Path, how string, opacity float64) {
	if opacity < 1 {
		c.doc.SetAlpha(opacity, "Normal")
		defer c.doc.SetAlpha(1, "Normal")
	}
	for _, part := range withoutArcs(path) {
		x, y := c.place(part.Pos.X, part.Pos.Y)
		switch part.Type {
		case vg.MoveComp:
			c.doc.MoveTo(x, y)
		case vg.LineComp:
			c.doc.LineTo(x, y)
		case vg.CurveComp:
			x0, y0 := c.place(part.Control[0].X, part.Control[0].Y)
			if len(part.Control) == 1 {
				c.doc.CurveTo(x0, y0, x, y)
			} else {
				x1, y1 := c.place(part.Control[1].X, part.Control[1].Y)
				c.doc.CurveBezierCubicTo(x0, y0, x1, y1, x, y)
			}
		case vg.CloseComp:
			c.doc.ClosePath()
		}
	}
	c.doc.DrawPath(how)
}

// FillString writes text.
func (c *PDF) FillString(f font.Face, pt vg.Point, text string) {
	if f.Font.Size == 0 || text == "" {
		return
	}
	weight := ""
	if Bold(f.Font) {
		weight = "B"
	}
	r, g, b, _ := c.solid()
	c.doc.SetTextColor(int(r), int(g), int(b))
	c.doc.SetFont(pdfFont, weight, f.Font.Size.Points())
	x, y := c.place(pt.X, pt.Y)
	if angle := c.angle(); math.Abs(angle) > 1e-6 {
		c.doc.TransformBegin()
		defer c.doc.TransformEnd()
		c.doc.TransformRotate(angle, x, y)
	}
	c.doc.Text(x, y, writable(text))
}

// writable returns the text with what fpdf cannot write replaced: control characters, and those beyond
// U+FFFF, which the fonts lack too.
func writable(text string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return utf8.RuneError
		}
		return r
	}, names.Escape(text))
}
