package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/cells/drawing"
	"godarts/cells/genotype"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// drawFlags are the flags of draw.
type drawFlags struct {
	out       string
	recurrent bool
	kind      string
	width     millimetres
}

func newDraw() *cobra.Command {
	var o drawFlags
	return newCommand(spec{
		use: "draw GENOTYPE|FILE|RUN|EXPORT [flags]", short: "draw cells as SVG, PNG, PDF or for Graphviz", example: "darts draw DARTS_V2 -o cells.pdf",
		min: 1, max: 1, wanted: "one GENOTYPE", complete: cells,
		flags: func(f *pflag.FlagSet) {
			f.StringVarP(&o.out, "out", "o", ".", "`FILE` that ends in .svg, .png, .pdf or .dot, or a folder for an SVG of each cell")
			f.BoolVar(&o.recurrent, "recurrent", false, "take a published NAME for that of a recurrent cell")
			f.StringVar(&o.kind, "kind", "", "the cell to draw, normal or reduce; without it all")
			f.Var(&o.width, "width", "`WIDTH` of the drawing, such as 85mm or 3.3in")
		},
		run: func(c *cobra.Command, args []string) error { return o.draw(args[0], c.OutOrStdout()) },
	})
}

// draw draws the cells that where names.
func (o *drawFlags) draw(where string, stdout io.Writer) error {
	find := runfolder.ReadGenotype
	if o.recurrent {
		find = runfolder.ReadRecurrent
	}
	g, err := find(where)
	if err != nil {
		return usageError{err}
	}
	options := drawing.Options{Width: float64(o.width)}
	if options.Kinds, err = kindsOf(g, o.kind); err != nil {
		return err
	}
	printNotes(stdout, notesOf(where))
	if format := strings.TrimPrefix(filepath.Ext(o.out), "."); slices.Contains(drawing.Formats, format) && !isFolder(o.out) {
		options.Format = format
		return drawTo(o.out, g, options, stdout)
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return usagef("draw: %w", err)
	}
	for _, kind := range options.Kinds {
		one := options
		one.Kinds = []genotype.Kind{kind}
		if err := drawTo(filepath.Join(o.out, kind.String()+".svg"), g, one, stdout); err != nil {
			return err
		}
	}
	return nil
}

// drawTo draws cells of g into file.
func drawTo(file string, g genotype.Genotype, o drawing.Options, stdout io.Writer) error {
	var b bytes.Buffer
	if err := drawing.Write(&b, g, o); err != nil {
		return err
	}
	if err := wholefile.Write(file, b.Bytes()); err != nil {
		return usagef("write %s: %w", file, wholefile.Cause(err))
	}
	fmt.Fprintln(stdout, names.Escape(file))
	const legible = 5 // points, which journals ask for
	if size, err := drawing.SmallestText(g, o); err == nil && o.Width > 0 && size > 0 && size < legible {
		printNotes(stdout, []string{fmt.Sprintf("the smallest letters have %.1f points at this width, want %d or more: take a larger --width, or one cell by --kind", size, legible)})
	}
	return nil
}

// kindsOf returns the cells of g that name says, all if it is empty.
func kindsOf(g genotype.Genotype, name string) ([]genotype.Kind, error) {
	if name == "" {
		return g.Kinds(), nil
	}
	var there []string
	for _, kind := range g.Kinds() {
		if kind.String() == name {
			return []genotype.Kind{kind}, nil
		}
		there = append(there, kind.String())
	}
	return nil, usagef("draw: --kind %q: there is no such cell, only: %s", name, strings.Join(there, ", "))
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
