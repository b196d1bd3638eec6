// Package draw makes pictures of cells, as SVG and in Graphviz's language.
package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"godarts/cells/genotype"
	"io"
	"strings"
)

// maxDrawnNodes bounds the size of a picture. The published cells have at most 11 nodes.
const maxDrawnNodes = 32

// SVG writes a picture of the cell of that kind to w, left to right: the inputs c_{k-2} and c_{k-1} (x_t and h_{t-1} of a
// recurrent cell), the numbered nodes with one labelled edge per operation, and the output c_{k} (h_t).
// Sizes are in CSS pixels. The same cell gives the same bytes.
//
// It fails if the cell is not valid, has more than 32 nodes, or w fails.
func SVG(w io.Writer, c genotype.Cell, kind genotype.Kind) error {
	g, err := newCellGraph(c, kind)
	if err != nil {
		return fmt.Errorf("cells: draw: %w", err)
	}
	p := g.layOut()
	if _, err := w.Write(p.svg()); err != nil {
		return fmt.Errorf("cells: draw: %w", err)
	}
	return nil
}

// DOT returns the graph that SVG draws in Graphviz's language, for other layouts and formats. The cell must be valid.
func DOT(c genotype.Cell, kind genotype.Kind) (string, error) {
	g, err := newCellGraph(c, kind)
	if err != nil {
		return "", fmt.Errorf("cells: dot: %w", err)
	}
	var b strings.Builder
	b.WriteString("digraph cell {\n\trankdir=LR\n\tnode [shape=box, style=\"rounded,filled\", fontname=Helvetica]\n" +
		"\tedge [fontname=Helvetica, fontsize=11]\n")
	for _, box := range g.boxes {
		fmt.Fprintf(&b, "\t%q [fillcolor=%q]\n", box.dotName(), box.paint.fill)
	}
	for _, a := range g.arrows {
		from, to := g.boxes[a.from].dotName(), g.boxes[a.to].dotName()
		if a.label == "" {
			fmt.Fprintf(&b, "\t%q -> %q\n", from, to)
		} else {
			fmt.Fprintf(&b, "\t%q -> %q [label=%q]\n", from, to, a.label)
		}
	}
	b.WriteString("}\n")
	return b.String(), nil
}

// cellGraph is the content of both pictures. Boxes are in topological order.
type cellGraph struct {
	boxes  []cellBox
	arrows []cellArrow
}

// cellBox is a state of the cell, or its output.
type cellBox struct {
	name, subscript string // "c", "k-2"
	paint           boxPaint
}

func (b cellBox) dotName() string {
	if b.subscript == "" {
		return b.name
	}
	return b.name + "_{" + b.subscript + "}"
}

// cellArrow joins two boxes. Only edges of the genotype have a label.
type cellArrow struct {
	from, to int
	label    string
}

type boxPaint struct{ fill, stroke string }

var (
	inputPaint  = boxPaint{"#d9ead3", "#5b8a4a"}
	nodePaint   = boxPaint{"#d6e4f5", "#44699c"}
	outputPaint = boxPaint{"#fbeecb", "#a8842c"}
)

func newCellGraph(c genotype.Cell, kind genotype.Kind) (*cellGraph, error) {
	if err := c.Check(kind); err != nil {
		return nil, err
	}
	nodes := len(c.Edges) / kind.EdgesPerNode()
	if nodes > maxDrawnNodes {
		return nil, fmt.Errorf("the cell has %d nodes, want at most %d in a picture", nodes, maxDrawnNodes)
	}
	g := &cellGraph{}
	output := cellBox{"c", "k", outputPaint}
	firstState := 0 // the box of state 0
	if kind == genotype.Recurrent {
		// State 0 is drawn as node 0, the mix of the two inputs, as in the paper's figure.
		g.boxes = []cellBox{{"x", "t", inputPaint}, {"h", "t-1", inputPaint}, {"0", "", nodePaint}}
		g.arrows = []cellArrow{{0, 2, ""}, {1, 2, ""}}
		output, firstState = cellBox{"h", "t", outputPaint}, 2
	} else {
		g.boxes = []cellBox{{"c", "k-2", inputPaint}, {"c", "k-1", inputPaint}}
	}
	for node := range nodes {
		number := node
		if kind == genotype.Recurrent {
			number = node + 1
		}
		g.boxes = append(g.boxes, cellBox{fmt.Sprint(number), "", nodePaint})
	}
	for i, e := range c.Edges {
		to := firstState + kind.Inputs() + i/kind.EdgesPerNode()
		g.arrows = append(g.arrows, cellArrow{firstState + e.From, to, string(e.Op)})
	}
	g.boxes = append(g.boxes, output)
	for _, s := range c.Concat {
		g.arrows = append(g.arrows, cellArrow{firstState + s, len(g.boxes) - 1, ""})
	}
	return g, nil
}

// opPaint returns the colours of a label by the family of its operation.
func opPaint(op string) boxPaint {
	switch {
	case strings.HasPrefix(op, "sep_conv"), op == string(genotype.ActTanh):
		return boxPaint{"#e8f0fb", "#2f5fa3"}
	case strings.HasPrefix(op, "dil_conv"), strings.HasPrefix(op, "conv"), op == string(genotype.ActSigmoid):
		return boxPaint{"#f1e8f8", "#74459a"}
	case strings.HasSuffix(op, "pool_3x3"), op == string(genotype.ActReLU):
		return boxPaint{"#fcebe2", "#b0522a"}
	}
	return boxPaint{"#f0f0f0", "#555555"}
}

// Sizes of the picture in pixels.
const (
	nameSize       = 15.0
	subscriptSize  = 10.0
	labelSize      = 11.0
	arrowLength    = 7.0
	arrowPitch     = 7.5 // between the tips of arrows into one box
	pictureMargin  = 10.0
	advancePerSize = 0.57 // mean advance of Helvetica's lower case and digits, as a part of the font size
)

func textWidth(s string, size float64) float64 { return advancePerSize * size * float64(len(s)) }

func (b cellBox) width() float64 {
	return max(34, textWidth(b.name, nameSize)+textWidth(b.subscript, subscriptSize)+18)
}

// boxHeight returns a height with room for the tips of all arrows into the box.
func boxHeight(arrowsIn int) float64 { return max(30, arrowPitch*float64(arrowsIn)+8) }

// svg writes arrows first, so that boxes and labels cover them.
func (p *cellPicture) svg() []byte {
	var b bytes.Buffer
	width, height := p.size()
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" text-anchor="middle">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	b.WriteString(`<g stroke-width="1.2">` + "\n")
	for i, a := range p.graph.arrows {
		ink := "#3c3c3c"
		if a.label == "" {
			ink = "#8c8c8c" // no operation: less to look at
		}
		x, y := p.target(i)
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s"/>`+"\n", p.curve(i), ink)
		fmt.Fprintf(&b, `<path d="M%.1f %.1fl%.1f %.1fv%.1fz" fill="%s"/>`+"\n", x, y, -arrowLength, -3.2, 6.4, ink)
	}
	b.WriteString("</g>\n")
	for _, s := range p.spots {
		switch {
		case s.box >= 0:
			writeBox(&b, s, p.graph.boxes[s.box])
		case s.label != "":
			writeLabel(&b, s)
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func writeBox(b *bytes.Buffer, s *pictureSpot, box cellBox) {
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="5" fill="%s" stroke="%s" stroke-width="1.2"/>`+"\n",
		s.x-s.width/2, s.y-s.height/2, s.width, s.height, box.paint.fill, box.paint.stroke)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-size="%g">%s`, s.x, s.y+5, nameSize, box.name)
	if box.subscript != "" {
		fmt.Fprintf(b, `<tspan dy="4" font-size="%g">%s</tspan>`, subscriptSize, box.subscript)
	}
	b.WriteString("</text>\n")
}

func writeLabel(b *bytes.Buffer, s *pictureSpot) {
	paint := opPaint(s.label)
	width := textWidth(s.label, labelSize) + 8
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3" fill="%s"/>`+"\n",
		s.x-width/2, s.y-s.height/2, width, s.height, paint.fill)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-size="%g" fill="%s">`, s.x, s.y+4, labelSize, paint.stroke)
	xml.EscapeText(b, []byte(s.label)) // a bytes.Buffer does not fail
	b.WriteString("</text>\n")
}
