package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/onnx"
)

// exportFlags are the flags of export.
type exportFlags struct {
	out, onnx string
	auxiliary bool
	options   onnx.Options
}

func newExport() *cobra.Command {
	var o exportFlags
	return newCommand(spec{
		use: "export RUN -o DIR|--onnx FILE [flags]", short: "write a trained network for PyTorch, or as ONNX",
		example: "darts export runs/cifar10-train-20260102-030405 -o exported\n  darts export runs/cifar10-train-20260102-030405 --onnx cifar10.onnx --fold",
		min:     1, max: 1, wanted: "one RUN", complete: trained,
		flags: func(f *pflag.FlagSet) {
			f.StringVarP(&o.out, "out", "o", "", "`folder` for weights.safetensors, config.json, genotype.txt and network.py, a module for PyTorch")
			f.BoolVar(&o.auxiliary, "auxiliary", false, "with -o: with the auxiliary head, which only training uses")
			f.StringVar(&o.onnx, "onnx", "", "`FILE` for the network as ONNX, in float32; its input is normalised inside")
			f.BoolVar(&o.options.Fold, "fold", false, "with --onnx: join each batch norm with the convolution before it")
			f.BoolVar(&o.options.Softmax, "softmax", false, "with --onnx: the output is probabilities in place of logits")
		},
		run: func(c *cobra.Command, args []string) error { return o.export(args[0], c.OutOrStdout()) },
	})
}

// export writes what the flags ask for of the network in dir, and prints the files.
func (o *exportFlags) export(dir string, stdout io.Writer) error {
	switch {
	case o.out == "" && o.onnx == "":
		return usagef("export: no folder given: use -o DIR, or --onnx FILE")
	case o.out == "" && o.auxiliary:
		return usagef("export: --auxiliary goes with -o")
	case o.onnx == "" && (o.options.Fold || o.options.Softmax):
		return usagef("export: --fold and --softmax go with --onnx")
	}
	var files []string
	if o.out != "" {
		var err error
		if files, err = model.Export(dir, o.out, o.auxiliary); err != nil {
			return usageError{err}
		}
	}
	if o.onnx != "" {
		notes, err := model.ExportONNX(dir, o.onnx, o.options)
		if err != nil {
			return usageError{err}
		}
		printNotes(stdout, notes)
		files = append(files, o.onnx)
	}
	for _, file := range files {
		fmt.Fprintln(stdout, names.Escape(file))
	}
	return nil
}
