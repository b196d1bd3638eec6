package drawing

import (
	"bytes"
	"fmt"

	"godarts/cells/draw"
	"godarts/cells/genotype"
)

// Lengths on a sheet in CSS pixels.
const (
	titleSize   = 14.0
	titleHeight = 26.0 // of the strip above a cell that has its title
	titleLeft   = 10.0
	sheetMargin = 6.0 // below the last of several cells
)

// sheet has the pictures of cells one below the other.
type sheet struct {
	cells         []placed
	width, height float64
}

// placed is a picture of a cell, how far down it begins, and its title, which is empty for a single cell.
type placed struct {
	*draw.Picture
	top   float64
	title string
}

// titles are those of cells on a sheet of several.
var titles = map[genotype.Kind]string{genotype.Normal: "normal cell", genotype.Reduce: "reduction cell", genotype.Recurrent: "recurrent cell"}

func newSheet(g genotype.Genotype, kinds []genotype.Kind) (*sheet, error) {
	s := &sheet{}
	for _, kind := range kinds {
		picture, err := draw.LayOut(*g.Cell(kind), kind)
		if err != nil {
			return nil, err
		}
		width, height := picture.Size()
		cell := placed{picture, s.height, ""}
		if len(kinds) > 1 {
			cell.title = titles[kind]
			cell.top += titleHeight
		}
		s.cells = append(s.cells, cell)
		s.width, s.height = max(s.width, width), cell.top+height
	}
	if len(kinds) > 1 {
		s.height += sheetMargin
	}
	return s, nil
}

// baseline returns how far down the baseline of a title is.
func (p placed) baseline() float64 { return p.top - 4 }

// points returns the points of a pixel on a sheet that is width millimetres wide.
func (s *sheet) points(width float64) float64 {
	if width == 0 {
		return 72.0 / 96
	}
	return width / 25.4 * 72 / s.width
}

// svg returns the sheet as SVG.
func (s *sheet) svg(width float64) []byte {
	wide, high := fmt.Sprintf("%.0f", s.width), fmt.Sprintf("%.0f", s.height)
	if width > 0 {
		wide, high = fmt.Sprintf("%gmm", width), fmt.Sprintf("%.2fmm", width*s.height/s.width)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %.0f %.0f" font-family="%s" text-anchor="middle">`+"\n",
		wide, high, s.width, s.height, draw.SVGFonts)
	b.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	for _, cell := range s.cells {
		if cell.title == "" {
			b.Write(cell.SVGShapes())
			continue
		}
		fmt.Fprintf(&b, `<text x="%g" y="%g" font-size="%g" text-anchor="start">%s</text>`+"\n", titleLeft, cell.baseline(), titleSize, cell.title)
		fmt.Fprintf(&b, `<g transform="translate(0 %g)">`+"\n%s</g>\n", cell.top, cell.SVGShapes())
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
