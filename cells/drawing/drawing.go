// Package drawing writes drawings of cells as SVG, PNG and PDF for pages, slides and papers, and in Graphviz's
// language. Package draw lays the cells out.
package drawing

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"godarts/cells/draw"
	"godarts/cells/genotype"
)

// Formats are the formats of drawings, which are also the endings of their files.
var Formats = []string{"svg", "png", "pdf", "dot"}

// Options say what Write draws, and how.
type Options struct {
	Format string          // one of Formats; empty for svg
	Kinds  []genotype.Kind // the cells to draw, one below the other; nil for all of the genotype

	// Width is the width of the drawing in millimetres; 0 stands for a CSS pixel, 1/96 inch, to each unit of draw.Picture.
	// Graphviz's language has none.
	Width float64
}

// Widest is the largest Options.Width: a metre.
const Widest = 1000

// Resolutions of PNG in dots to an inch: on paper, and on screens.
const (
	paperDPI  = 300
	screenDPI = 192
)

// Write draws cells of g on w. Several have their kinds as titles. A single cell as SVG without Width has the bytes of
// draw.SVG. The same arguments give the same bytes.
//
// It fails if a cell is not valid or too large to draw, the options make no sense, or w fails.
func Write(w io.Writer, g genotype.Genotype, o Options) error {
	kinds, err := o.check(g)
	if err != nil {
		return fmt.Errorf("cells: drawing: %w", err)
	}
	content, err := o.bytes(g, kinds)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("cells: drawing: %w", err)
	}
	return nil
}

// check returns the kinds of cells to draw.
func (o Options) check(g genotype.Genotype) ([]genotype.Kind, error) {
	switch {
	case o.Format != "" && !slices.Contains(Formats, o.Format):
		return nil, fmt.Errorf("there is no format %q (there are: %s)", o.Format, strings.Join(Formats, ", "))
	case !(0 <= o.Width && o.Width <= Widest):
		return nil, fmt.Errorf("width %g mm, wanted 0 to %d", o.Width, Widest)
	case o.Kinds == nil:
		if len(g.Kinds()) == 0 {
			return nil, errors.New("the genotype has no cell")
		}
		return g.Kinds(), nil
	}
	for _, kind := range o.Kinds {
		if !slices.Contains(g.Kinds(), kind) {
			return nil, fmt.Errorf("the genotype has no %s cell", kind)
		}
	}
	return o.Kinds, nil
}

func (o Options) bytes(g genotype.Genotype, kinds []genotype.Kind) ([]byte, error) {
	if o.Format == "dot" {
		return dot(g, kinds)
	}
	s, err := newSheet(g, kinds)
	if err != nil {
		return nil, err
	}
	switch o.Format {
	case "png":
		return s.png(o.Width)
	case "pdf":
		return s.pdf(o.Width)
	}
	return s.svg(o.Width), nil
}

// dot returns the cells as one graph each: dot -Tpdf makes a page of each.
func dot(g genotype.Genotype, kinds []genotype.Kind) ([]byte, error) {
	var all strings.Builder
	for _, kind := range kinds {
		text, err := draw.DOT(*g.Cell(kind), kind)
		if err != nil {
			return nil, err
		}
		all.WriteString(text)
	}
	return []byte(all.String()), nil
}

// SmallestText returns the size in points of the smallest letters of a drawing with these options, which papers want
// at 5 or more; 0 for Graphviz's language, whose reader chooses. It fails as Write does.
func SmallestText(g genotype.Genotype, o Options) (float64, error) {
	kinds, err := o.check(g)
	if err != nil {
		return 0, fmt.Errorf("cells: drawing: %w", err)
	}
	if o.Format == "dot" {
		return 0, nil
	}
	s, err := newSheet(g, kinds)
	if err != nil {
		return 0, err
	}
	return draw.SubscriptSize * s.points(o.Width), nil
}
