package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/names"
)

func runDraw(args []string, stdout, _ io.Writer) error {
	f := newFlags("draw", "GENOTYPE|FILE|RUN|EXPORT [flags]", "darts draw DARTS_V2 -o pictures", stdout)
	out := f.StringP("out", "o", ".", "`folder` for the pictures")
	recurrent := f.Bool("recurrent", false, "take a published NAME for that of a recurrent cell")
	if err := parse(f, args, 1, 1, "one GENOTYPE"); err != nil {
		return err
	}
	find := nas.ReadGenotype
	if *recurrent {
		find = nas.ReadRecurrent
	}
	g, err := find(f.Arg(0))
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, notesOf(f.Arg(0)))
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return usagef("draw: %w", err)
	}
	pictures := []struct {
		name string
		cell genotype.Cell
	}{{"normal", g.Normal}, {"reduce", g.Reduce}}
	if g.IsRecurrent() {
		pictures = pictures[:1]
		pictures[0].name, pictures[0].cell = "recurrent", g.Recurrent
	}
	for _, p := range pictures {
		file := filepath.Join(*out, p.name+".svg")
		if err := nas.DrawFile(file, p.cell, g.IsRecurrent()); err != nil {
			return err
		}
		fmt.Fprintln(stdout, names.Escape(file))
	}
	return nil
}
