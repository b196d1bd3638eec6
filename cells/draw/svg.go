package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// SVGFonts are the font families of the texts in SVG.
const SVGFonts = "Helvetica, Arial, 'Liberation Sans', sans-serif"

// svg returns the whole picture as SVG.
func (p *Picture) svg() []byte {
	var b bytes.Buffer
	width, height := p.Size()
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="%s" text-anchor="middle">`+"\n",
		width, height, width, height, SVGFonts)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	b.Write(p.SVGShapes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// SVGShapes returns the picture as the content of an element of SVG, without a background. The element has to set
// text-anchor="middle" and font-family.
func (p *Picture) SVGShapes() []byte {
	c := &svgCanvas{}
	fmt.Fprintf(c, `<g stroke-width="%g">`+"\n", LineWidth)
	p.drawArrows(c)
	c.WriteString("</g>\n")
	p.drawSpots(c)
	return c.Bytes()
}

// svgCanvas writes shapes as elements of SVG. Curves lie in a group that has the width of lines.
type svgCanvas struct{ bytes.Buffer }

// Curve implements Canvas.
func (b *svgCanvas) Curve(c Curve, ink string) {
	fmt.Fprintf(b, `<path d="M%.1f %.1f`, c.Start.X, c.Start.Y)
	for _, bend := range c.Bends {
		if k := bend.Controls; k != nil {
			fmt.Fprintf(b, "C%.1f %.1f %.1f %.1f %.1f %.1f", k[0].X, k[0].Y, k[1].X, k[1].Y, bend.To.X, bend.To.Y)
		} else {
			fmt.Fprintf(b, "L%.1f %.1f", bend.To.X, bend.To.Y)
		}
	}
	fmt.Fprintf(b, `" fill="none" stroke="%s"/>`+"\n", ink)
}

// Triangle implements Canvas for the tip of an arrow to the right.
func (b *svgCanvas) Triangle(corners [3]Point, ink string) {
	tip, upper, lower := corners[0], corners[1], corners[2]
	fmt.Fprintf(b, `<path d="M%.1f %.1fl%.1f %.1fv%.1fz" fill="%s"/>`+"\n", tip.X, tip.Y, upper.X-tip.X, upper.Y-tip.Y, lower.Y-upper.Y, ink)
}

// Box implements Canvas.
func (b *svgCanvas) Box(centre Point, width, height, radius float64, fill, stroke string) {
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%g" fill="%s"`,
		centre.X-width/2, centre.Y-height/2, width, height, radius, fill)
	if stroke != "" {
		fmt.Fprintf(b, ` stroke="%s" stroke-width="%g"`, stroke, LineWidth)
	}
	b.WriteString("/>\n")
}

// Text implements Canvas. Black is the colour of SVG without a fill.
func (b *svgCanvas) Text(middle Point, word string, size float64, subscript string, ink string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-size="%g"`, middle.X, middle.Y, size)
	if ink != black {
		fmt.Fprintf(b, ` fill="%s"`, ink)
	}
	b.WriteString(">")
	xml.EscapeText(b, []byte(word)) // a bytes.Buffer does not fail
	if subscript != "" {
		fmt.Fprintf(b, `<tspan dy="%g" font-size="%g">`, SubscriptDrop, SubscriptSize)
		xml.EscapeText(b, []byte(subscript))
		b.WriteString("</tspan>")
	}
	b.WriteString("</text>\n")
}
