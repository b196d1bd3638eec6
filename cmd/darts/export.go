package main

import (
	"fmt"
	"io"

	"godarts/nas"
	"godarts/nas/names"
)

func runExport(args []string, stdout, _ io.Writer) error {
	f := newFlags("export", "RUN -o DIR", "darts export runs/cifar10-train-20260102-030405 -o exported", stdout)
	out := f.StringP("out", "o", "", "`folder` for weights.safetensors, genotype.txt and network.py, a module for PyTorch")
	auxiliary := f.Bool("auxiliary", false, "with the auxiliary head, which serves training alone")
	if err := parse(f, args, 1, 1, "one RUN"); err != nil {
		return err
	}
	if *out == "" {
		return usagef("export: no folder given: use -o DIR")
	}
	files, err := nas.Export(f.Arg(0), *out, *auxiliary)
	if err != nil {
		return usageError{err}
	}
	for _, file := range files {
		fmt.Fprintln(stdout, names.Escape(file))
	}
	return nil
}
