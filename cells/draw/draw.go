// Package draw lays cells out and draws them as SVG, in Graphviz's language, or on any Canvas.
package draw

import (
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
	p, err := LayOut(c, kind)
	if err != nil {
		return err
	}
	if _, err := w.Write(p.svg()); err != nil {
		return fmt.Errorf("cells: draw: %w", err)
	}
	return nil
}

// LayOut gives every part of the picture that SVG draws its place. It fails as SVG does.
func LayOut(c genotype.Cell, kind genotype.Kind) (*Picture, error) {
	g, err := newCellGraph(c, kind)
	if err != nil {
		return nil, fmt.Errorf("cells: draw: %w", err)
	}
	return g.layOut(), nil
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
	labelSize      = 11.0
	arrowLength    = 7.0
	arrowHalf      = 3.2 // of the width at the base of a tip
	arrowPitch     = 7.5 // between the tips of arrows into one box
	pictureMargin  = 10.0
	advancePerSize = 0.57 // mean advance of Helvetica's lower case and digits, as a part of the font size
)

func textWidth(s string, size float64) float64 { return advancePerSize * size * float64(len(s)) }

func (b cellBox) width() float64 {
	return max(34, textWidth(b.name, nameSize)+textWidth(b.subscript, SubscriptSize)+18)
}

// boxHeight returns a height with room for the tips of all arrows into the box.
func boxHeight(arrowsIn int) float64 { return max(30, arrowPitch*float64(arrowsIn)+8) }
