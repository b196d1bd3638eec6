package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/info"
)

// infoFlags are the flags of info.
type infoFlags struct {
	layers, recurrent bool
	batch             int
	set               []string
}

func newInfo() *cobra.Command {
	var o infoFlags
	return newCommand(spec{
		use: "info GENOTYPE|CONFIG|RUN|EXPORT [flags]", short: "tell what a network takes: weights, multiply-adds, memory", example: "darts info DARTS_V2 --layers",
		min: 1, max: 1, wanted: "one GENOTYPE, CONFIG or RUN", complete: cells,
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&o.layers, "layers", false, "list every layer")
			f.IntVar(&o.batch, "batch", 0, "images in a training step; default the config's, or the paper's")
			f.BoolVar(&o.recurrent, "recurrent", false, "take a published NAME for that of a recurrent cell")
			f.StringArrayVar(&o.set, "set", nil, "override a config `KEY=VALUE`; can be given several times")
		},
		run: func(c *cobra.Command, args []string) error { return o.print(args[0], c.OutOrStdout()) },
	})
}

// print prints the costs of the networks that where names.
func (o *infoFlags) print(where string, stdout io.Writer) error {
	if o.batch < 0 || o.batch > 1<<20 {
		return usagef("info: --batch %d: wanted 1 to %d, or 0 for the usual one", o.batch, 1<<20)
	}
	infos, err := info.ReadInfo(where, o.recurrent, o.set...)
	if err != nil {
		return usageError{err}
	}
	for i, info := range infos {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		printInfo(stdout, info, cmp.Or(o.batch, info.Batch))
		if o.layers && info.Cost.Layers != nil {
			fmt.Fprintln(stdout)
			printLayers(stdout, info)
		}
	}
	return nil
}

func printInfo(w io.Writer, info info.Info, batch int) {
	c := info.Cost
	printNotes(w, info.Notes)
	fmt.Fprintln(w, info.Network)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  parameters\t%d\n", c.Parameters-c.Auxiliary.Parameters)
	if c.Layers == nil { // of a language model only the weights are counted
		table.Flush()
		return
	}
	if c.Auxiliary.Parameters > 0 {
		fmt.Fprintf(table, "  with auxiliary head\t%d\n", c.Parameters)
	}
	fmt.Fprintf(table, "  multiply-adds of an image\t%.1f M\n", float64(c.MultiplyAdds-c.Auxiliary.MultiplyAdds)/1e6)
	fmt.Fprintf(table, "  activations kept in training\t%.1f MB an image, %.2f GB at batch %d\n",
		float64(c.KeptBytes)/1e6, float64(c.KeptBytes)*float64(batch)/1e9, batch)
	table.Flush()
}

func printLayers(w io.Writer, info info.Info) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "layer\toperation\tresult\tparameters\tmultiply-adds\tkept bytes\t")
	for _, l := range info.Cost.Layers {
		fmt.Fprintf(table, "%s\t%s\t%dx%dx%d\t%d\t%d\t%d\t\n",
			l.Name, l.Op, l.Channels, l.Height, l.Width, l.Parameters, l.MultiplyAdds, l.KeptBytes)
	}
	table.Flush()
}
