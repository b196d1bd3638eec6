package canvas

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"

	"godarts/nas/names"
)

// SVG is a vg.Canvas that writes SVG. In a page an Ink is its variable of the style sheet, so that
// a picture follows the page into the dark.
type SVG struct {
	base
	inPage bool
	margin vg.Length // at both sides, left out in a page, which has its own
	body   bytes.Buffer
}

// NewSVG returns an empty picture for a file.
func NewSVG(width, height vg.Length) *SVG {
	c := &SVG{base: newBase(width, height)}
	vg.Initialize(c)
	return c
}

// NewInline returns an empty picture for a page, which shows it without the margins at its sides.
func NewInline(width, height, margin vg.Length) *SVG {
	c := NewSVG(width, height)
	c.inPage, c.margin = true, margin
	return c
}

// Bytes returns the picture, which says its label to those who cannot see it.
func (c *SVG) Bytes(label string) []byte {
	var b bytes.Buffer
	left, width := 0.0, c.width.Points()
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg"`)
	if c.inPage {
		left, width = c.margin.Points(), width-2*c.margin.Points()
	} else {
		fmt.Fprintf(&b, ` width="%spt" height="%spt"`, coordinate(width), coordinate(c.height.Points()))
	}
	fmt.Fprintf(&b, ` viewBox="%s 0 %s %s" role="img" aria-label="`, coordinate(left), coordinate(width), coordinate(c.height.Points()))
	escapeText(&b, label)
	b.WriteString(`" font-family="'Liberation Sans', Arial, Helvetica, sans-serif">` + "\n")
	b.Write(c.body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// escapeText writes text as XML. Nothing in it ends the element or the attribute.
func escapeText(b *bytes.Buffer, text string) {
	_ = xml.EscapeText(b, []byte(names.Escape(text))) // a bytes.Buffer does not fail
}

// Stroke implements vg.Canvas, as the methods below do.
func (c *SVG) Stroke(path vg.Path) {
	if c.pen.width <= 0 {
		return
	}
	fmt.Fprintf(&c.body, `<path d="%s" fill="none" stroke="%s" stroke-width="%s" stroke-linejoin="round"`,
		c.path(path), c.ink(), coordinate(c.pen.width.Points()))
	c.opacity("stroke")
	if len(c.pen.dashes) > 0 {
		var words []string
		for _, d := range c.pen.dashes {
			words = append(words, coordinate(d.Points()))
		}
		fmt.Fprintf(&c.body, ` stroke-dasharray="%s"`, strings.Join(words, " "))
	}
	c.body.WriteString("/>\n")
}

func (c *SVG) Fill(path vg.Path) {
	fmt.Fprintf(&c.body, `<path d="%s" fill="%s"`, c.path(path), c.ink())
	c.opacity("fill")
	c.body.WriteString("/>\n")
}

func (c *SVG) FillString(f font.Face, pt vg.Point, text string) {
	if f.Font.Size == 0 || text == "" {
		return
	}
	x, y := c.words(pt.X, pt.Y)
	fmt.Fprintf(&c.body, `<text x="%s" y="%s" font-size="%s" fill="%s"`, x, y, coordinate(f.Font.Size.Points()), c.ink())
	if Bold(f.Font) {
		c.body.WriteString(` font-weight="bold"`)
	}
	if angle := c.angle(); math.Abs(angle) > 1e-6 {
		fmt.Fprintf(&c.body, ` transform="rotate(%s %s %s)"`, coordinate(-angle), x, y)
	}
	c.body.WriteString(">")
	escapeText(&c.body, text)
	c.body.WriteString("</text>\n")
}

// ink returns the colour: in a page the variable of a colour that has one.
func (c *SVG) ink() string {
	if named, ok := c.pen.color.(Ink); ok && c.inPage {
		return "var(--" + named.Name + ")"
	}
	r, g, b, _ := c.solid()
	return fmt.Sprintf("#%02x%02x%02x", r, g, b)
}

// opacity writes the attribute for a colour that others shine through.
func (c *SVG) opacity(of string) {
	if _, _, _, opacity := c.solid(); opacity < 1 {
		fmt.Fprintf(&c.body, ` %s-opacity="%s"`, of, coordinate(opacity))
	}
}

// words returns the words of a point.
func (c *SVG) words(x, y vg.Length) (string, string) {
	px, py := c.place(x, y)
	return coordinate(px), coordinate(py)
}

// path returns the attribute d.
func (c *SVG) path(p vg.Path) string {
	var b strings.Builder
	var beforeX, beforeY string
	point := func(command string, x, y vg.Length) {
		px, py := c.words(x, y)
		switch {
		case command == "L" && py == beforeY:
			b.WriteString("H" + px)
		case command == "L" && px == beforeX:
			b.WriteString("V" + py)
		default:
			b.WriteString(command + px + " " + py)
		}
		beforeX, beforeY = px, py
	}
	for _, part := range withoutArcs(p) {
		switch part.Type {
		case vg.MoveComp:
			point("M", part.Pos.X, part.Pos.Y)
		case vg.LineComp:
			point("L", part.Pos.X, part.Pos.Y)
		case vg.CurveComp:
			command := map[int]string{1: "Q", 2: "C"}[len(part.Control)]
			for _, control := range part.Control {
				point(command, control.X, control.Y)
				command = " "
			}
			point(" ", part.Pos.X, part.Pos.Y)
		case vg.CloseComp:
			b.WriteString("Z")
		}
	}
	return b.String()
}

// coordinate returns x to a hundredth.
func coordinate(x float64) string {
	s := strconv.FormatFloat(x, 'f', 2, 64)
	s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}
