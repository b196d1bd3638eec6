package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/model"
	"godarts/nas/names"
)

func newExport() *cobra.Command {
	var out string
	var auxiliary bool
	return newCommand(spec{
		use: "export RUN -o DIR", short: "write a trained network for PyTorch", example: "darts export runs/cifar10-train-20260102-030405 -o exported",
		min: 1, max: 1, wanted: "one RUN", complete: trained,
		flags: func(f *pflag.FlagSet) {
			f.StringVarP(&out, "out", "o", "", "`folder` for weights.safetensors, config.json, genotype.txt and network.py, a module for PyTorch")
			f.BoolVar(&auxiliary, "auxiliary", false, "with the auxiliary head, which only training uses")
		},
		run: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usagef("export: no folder given: use -o DIR")
			}
			files, err := model.Export(args[0], out, auxiliary)
			if err != nil {
				return usageError{err}
			}
			for _, file := range files {
				fmt.Fprintln(c.OutOrStdout(), names.Escape(file))
			}
			return nil
		},
	})
}
