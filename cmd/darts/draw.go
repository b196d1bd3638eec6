package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/names"
	"godarts/nas/runfolder"
)

func newDraw() *cobra.Command {
	var out string
	var recurrent bool
	return newCommand(spec{
		use: "draw GENOTYPE|FILE|RUN|EXPORT [flags]", short: "draw cells as SVG", example: "darts draw DARTS_V2 -o pictures",
		min: 1, max: 1, wanted: "one GENOTYPE", complete: cells,
		flags: func(f *pflag.FlagSet) {
			f.StringVarP(&out, "out", "o", ".", "`folder` for the pictures")
			f.BoolVar(&recurrent, "recurrent", false, "take a published NAME for that of a recurrent cell")
		},
		run: func(c *cobra.Command, args []string) error { return draw(args[0], out, recurrent, c.OutOrStdout()) },
	})
}

// draw draws the cells that where names into the folder out.
func draw(where, out string, recurrent bool, stdout io.Writer) error {
	find := runfolder.ReadGenotype
	if recurrent {
		find = runfolder.ReadRecurrent
	}
	g, err := find(where)
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, notesOf(where))
	if err := os.MkdirAll(out, 0o755); err != nil {
		return usagef("draw: %w", err)
	}
	for _, kind := range g.Kinds() {
		file := filepath.Join(out, kind.String()+".svg")
		if err := runfolder.DrawFile(file, *g.Cell(kind), kind); err != nil {
			return err
		}
		fmt.Fprintln(stdout, names.Escape(file))
	}
	return nil
}
