package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gonum.org/v1/plot/vg"

	"godarts/cells/drawing"
	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/runtable"
	"godarts/nas/wholefile"
)

// plotFlags are the flags of plot.
type plotFlags struct {
	what    []string
	out     string
	width   millimetres
	columns int
}

// ofOneRun are the figures of figure.Kinds that show the first run only.
var ofOneRun = []string{"alpha", "strip"}

func newPlot() *cobra.Command {
	var o plotFlags
	return newCommand(spec{
		use: "plot RUN|DIR... --what FIGURE -o FILE [flags]", short: "draw a figure of runs for a paper", example: "darts plot runs --what loss -o loss.pdf --width 85mm",
		min: 1, max: 1000, wanted: "at least one RUN or DIR", complete: runsAndFolders,
		flags: func(f *pflag.FlagSet) {
			f.StringArrayVar(&o.what, "what", nil, "`FIGURE`; can be given several times: "+strings.Join(figureNames(), ", "))
			f.StringVarP(&o.out, "out", "o", "", "`FILE` that ends in .svg, .png or .pdf")
			f.Var(&o.width, "width", "`WIDTH`, such as 85mm for one column of a paper, 170mm for two")
			f.IntVar(&o.columns, "columns", 0, "figures side by side; default as many as suit the width")
		},
		run: func(c *cobra.Command, args []string) error { return o.plot(args, c.OutOrStdout(), c.ErrOrStderr()) },
	})
}

// plot draws the figure of the runs that args name.
func (o *plotFlags) plot(args []string, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	runs, err := recordsOf("plot", args, stderr)
	if err != nil {
		return err
	}
	if slices.Contains(o.what, cellFigure) {
		return o.plotCell(runs, stdout)
	}
	labelled := make([]figure.Labelled, len(runs))
	for i, label := range runtable.Labels(runs) {
		labelled[i] = figure.Labelled{Run: runs[i], Label: label}
	}
	var figures []*figure.Figure
	for _, what := range o.what {
		kind := figure.Kinds[slices.IndexFunc(figure.Kinds, func(k figure.Kind) bool { return k.Name == what })]
		drawn := kind.Draw(labelled)
		if len(drawn) == 0 {
			return usagef("plot: --what %s: the runs have recorded nothing for it", what)
		}
		if slices.Contains(ofOneRun, what) && len(runs) > 1 {
			printNotes(stdout, []string{fmt.Sprintf("%s is of %s, the first run", what, labelled[0].Label)})
		}
		figures = append(figures, drawn...)
	}
	size := figure.Size{Width: vg.Length(o.width) * vg.Millimeter}
	if o.width > 0 {
		size.DPI = 300
	}
	content, err := figure.Grid(figures, o.columns).Encode(filepath.Ext(o.out), size)
	if err != nil {
		return err
	}
	if err := wholefile.Write(o.out, content); err != nil {
		return usagef("write %s: %w", o.out, wholefile.Cause(err))
	}
	fmt.Fprintln(stdout, names.Escape(o.out))
	return nil
}

// check returns an error if the flags make no sense.
func (o *plotFlags) check() error {
	if len(o.what) == 0 {
		return usagef("plot: --what wanted: %s", strings.Join(figureNames(), ", "))
	}
	for _, what := range o.what {
		if !slices.Contains(figureNames(), what) {
			return usagef("plot: --what %s: there is no such figure (nearest: %s)", names.Quote(what, 40), names.Nearest(what, figureNames()))
		}
	}
	if !slices.Contains(figure.Extensions, filepath.Ext(o.out)) {
		return usagef("plot: -o %s: wanted a file that ends in %s", names.Quote(o.out, 200), strings.Join(figure.Extensions, ", "))
	}
	if o.columns < 0 || o.columns > 10 {
		return usagef("plot: --columns %d: wanted 1 to 10", o.columns)
	}
	return checkOut("plot", o.out)
}

// plotCell draws the cell of a run.
func (o *plotFlags) plotCell(runs []*record.Run, stdout io.Writer) error {
	if len(o.what) > 1 || len(runs) > 1 {
		return usagef("plot: --what %s: wanted one run and no other --what", cellFigure)
	}
	g, err := runfolder.ReadGenotype(runs[0].Dir)
	if err != nil {
		return usageError{err}
	}
	return drawTo(o.out, g, drawing.Options{Format: strings.TrimPrefix(filepath.Ext(o.out), "."), Width: float64(o.width)}, stdout)
}
