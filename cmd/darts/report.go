package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/names"
	"godarts/nas/page"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runtable"
	"godarts/nas/tensorboard"
)

// reportFlags are the flags of report.
type reportFlags struct {
	tableFlags
	out, events string
}

// tableFlags say in which format a table alone is written, and its rows.
type tableFlags struct{ text, csv, markdown, latex, fold bool }

func newReport() *cobra.Command {
	var o reportFlags
	return newCommand(spec{
		use: "report RUN|DIR... [flags]", short: "write a page of runs, or a table", example: "darts report runs/quickstart -o report.html",
		min: 1, max: 1000, wanted: "at least one RUN or DIR", complete: runsAndFolders,
		flags: func(f *pflag.FlagSet) {
			o.add(f)
			f.StringVarP(&o.out, "out", "o", "", "`FILE` for the page, default report.html in the folder that is given; for a table, which else is printed")
			f.StringVar(&o.events, "tensorboard", "", "write event files for TensorBoard, a folder below `DIR` for each run")
		},
		run: func(c *cobra.Command, args []string) error { return o.write(args, c.OutOrStdout(), c.ErrOrStderr()) },
	})
}

func (o *tableFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&o.text, "text", false, "write the table alone, for a terminal")
	f.BoolVar(&o.csv, "csv", false, "write the table alone, as CSV")
	f.BoolVar(&o.markdown, "markdown", false, "write the table alone, in Markdown")
	f.BoolVar(&o.latex, "latex", false, "write the table alone, in LaTeX for the package booktabs")
	f.BoolVar(&o.fold, "fold", false, "one row for all runs that differ in their seed only: mean ± deviation, and the best")
}

// write writes the page of the runs that args name, or the table.
func (o *reportFlags) write(args []string, stdout, stderr io.Writer) error {
	format, err := o.format()
	if err != nil {
		return err
	}
	onlyEvents := o.events != "" && format == nil && o.out == ""
	if format == nil && !onlyEvents {
		if err := o.preparePage(args); err != nil {
			return err
		}
	}
	if err := checkOut("report", o.out); err != nil {
		return err
	}
	runs, err := recordsOf("report", args, stderr)
	if err != nil {
		return err
	}
	if o.events != "" {
		if err := writeEvents(o.events, runs, stdout); err != nil || onlyEvents {
			return err
		}
	}
	if format == nil {
		return o.writePage(runs, stdout)
	}
	width := columns(stdout)
	if o.out != "" {
		width = defaultColumns
	}
	return writeOut(o.out, format(runtable.Of(runs, runtable.Options{Fold: o.fold}), width), stdout)
}

// writeEvents writes an event file for each run into a folder of dir, and prints dir.
func writeEvents(dir string, runs []*record.Run, stdout io.Writer) error {
	for i, name := range runtable.Names(runs) {
		if err := tensorboard.Export(runs[i], filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	fmt.Fprintln(stdout, names.Escape(dir))
	return nil
}

// preparePage fills in the name of the page.
func (o *reportFlags) preparePage(args []string) error {
	if o.fold {
		return usagef("report: --fold is for a table: give --text, --csv, --markdown or --latex too")
	}
	if o.out == "" {
		o.out = "report.html"
		if len(args) == 1 {
			o.out = filepath.Join(args[0], o.out)
		}
	}
	if extension := strings.ToLower(filepath.Ext(o.out)); extension != ".html" && extension != ".htm" {
		return usagef("report: -o %s: wanted a name that ends in .html, or one of --text, --csv, --markdown and --latex", o.out)
	}
	return nil
}

// writePage writes the page of a run, or of several.
func (o *reportFlags) writePage(runs []*record.Run, stdout io.Writer) error {
	var text bytes.Buffer
	write := func() error { return page.WriteRuns(&text, runs, page.Options{}) }
	if len(runs) == 1 {
		write = func() error { return page.WriteRun(&text, runs[0], page.Options{}) }
	}
	if err := write(); err != nil {
		return err
	}
	return writeOut(o.out, text.String(), stdout)
}

// format returns the function that writes a table in the format of the flags, for a terminal of that many columns. It
// is nil without such a flag.
func (o *tableFlags) format() (write func(t report.Table, width int) string, err error) {
	given := 0
	for _, f := range []struct {
		set   bool
		write func(t report.Table, width int) string
	}{
		{o.text, report.Table.Text},
		{o.csv, func(t report.Table, _ int) string { return t.CSV() }},
		{o.markdown, func(t report.Table, _ int) string { return t.Markdown() }},
		{o.latex, func(t report.Table, _ int) string { return t.LaTeX() }},
	} {
		if f.set {
			given, write = given+1, f.write
		}
	}
	if given > 1 {
		return nil, usagef("report: one of --text, --csv, --markdown and --latex wanted, %d given", given)
	}
	return write, nil
}
