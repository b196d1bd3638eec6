package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	networks "godarts/cells"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/scale"
)

// scaleFlags are the flags of scale.
type scaleFlags struct {
	most, least, parameters count
	layers, sides           span
	compound, small         bool
	channels, classes       int
	out                     string
}

func newScale() *cobra.Command {
	o := scaleFlags{layers: span{14, 14, 1}, sides: span{224, 224, 32}}
	return newCommand(spec{
		use: "scale GENOTYPE|FILE|RUN [flags]", short: "find the network of a cell that meets a budget", example: "darts scale DARTS_V2 --max-multiply-adds 600M -o mobile.yaml",
		min: 1, max: 1, wanted: "one GENOTYPE", complete: cells,
		flags: func(f *pflag.FlagSet) {
			f.Var(&o.most, "max-multiply-adds", "most multiply-adds for an image, such as 600M")
			f.Var(&o.least, "min-multiply-adds", "least multiply-adds for an image")
			f.Var(&o.parameters, "max-parameters", "most weights, such as 5M")
			f.Var(&o.layers, "layers", "`LAYERS` to try, such as 14 or 8-20")
			f.Var(&o.sides, "resolution", "`SIDES` of the images to try, such as 224 or 160-256 (in steps of 32)")
			f.BoolVar(&o.compound, "compound", false, "scale layers, channels and resolution together from one base")
			f.IntVar(&o.channels, "channels", 48, "channels of the base, with --compound")
			f.BoolVar(&o.small, "small", false, "the network for small images, without the stem for ImageNet")
			f.IntVar(&o.classes, "classes", 1000, "number of classes")
			f.StringVarP(&o.out, "out", "o", "", "`FILE` for the config of a training of the network")
		},
		run: func(c *cobra.Command, args []string) error { return o.scale(args[0], c.OutOrStdout()) },
	})
}

func (o *scaleFlags) scale(where string, stdout io.Writer) error {
	g, err := runfolder.ReadGenotype(where)
	switch {
	case err != nil:
		return usageError{err}
	case g.IsRecurrent():
		return usagef("scale: %s is a recurrent cell, wanted cells for images", names.Print(where))
	case o.most == 0 && o.parameters == 0:
		return usagef("scale: no budget given: use --max-multiply-adds or --max-parameters")
	case o.compound && (o.layers.from != o.layers.to || o.sides.from != o.sides.to):
		return usagef("scale: --compound scales one base: give one number to --layers and to --resolution")
	}
	base := networks.NetworkOptions{Classes: o.classes, InputChannels: 3, StemMultiplier: 3, ImageNet: !o.small}
	budget := scale.Budget{MultiplyAdds: int64(o.most), Least: int64(o.least), Parameters: int64(o.parameters)}
	var all []scale.Size
	if o.compound {
		base.Channels, base.Layers, base.Size = o.channels, o.layers.from, o.sides.from
		all, err = scale.Compound(g, base, budget)
	} else {
		all, err = scale.Fill(g, base, budget, o.layers.all(), o.sides.all())
	}
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, notesOf(where))
	best := scale.Best(all)
	printSizes(stdout, all, best, o.compound)
	if o.out == "" {
		return nil
	}
	if err := runfolder.Write(o.out, []byte(scale.Config(g, where, base, all[best]))); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "config of its training: %s\n", names.Escape(o.out))
	return nil
}

// printSizes prints networks and marks the best.
func printSizes(w io.Writer, all []scale.Size, best int, compound bool) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := ""
	if compound {
		head = "φ\t"
	}
	fmt.Fprintln(table, head+"layers\tchannels\tresolution\tmultiply-adds\tparameters\t\t")
	for i, s := range all {
		mark, phi := "", ""
		if i == best {
			mark = "<-"
		}
		if compound {
			phi = fmt.Sprintf("%.2f\t", s.Phi)
		}
		fmt.Fprintf(table, "%s%d\t%d\t%d\t%.1f M\t%.2f M\t%s\t\n", phi, s.Layers, s.Channels, s.Side, float64(s.MultiplyAdds)/1e6, float64(s.Parameters)/1e6, mark)
	}
	table.Flush()
}

// count is a flag with a number such as 600M, 1.2G or 3500000.
type count int64

func (c *count) Type() string { return "N" }

func (c *count) String() string {
	if *c == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*c), 10)
}

func (c *count) Set(text string) error {
	factor := 1.0
	for suffix, of := range map[string]float64{"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			text, factor = rest, of
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0 && n*factor < math.MaxInt64/2) {
		return fmt.Errorf("wanted a number above 0, such as 600M, 1.2G or 3500000")
	}
	*c = count(math.Round(n * factor))
	return nil
}

// span is a flag with a number, or with a range of numbers.
type span struct{ from, to, step int }

func (s *span) Type() string { return "range" }

func (s *span) String() string {
	if s.from == s.to {
		return strconv.Itoa(s.from)
	}
	return fmt.Sprintf("%d-%d", s.from, s.to)
}

func (s *span) Set(text string) error {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	from, err := strconv.Atoi(first)
	to, failed := strconv.Atoi(last)
	if err != nil || failed != nil || from < 1 || to < from || to > networks.MaxLayers*10 {
		return fmt.Errorf("wanted a number or a range, such as 14 or 8-20")
	}
	s.from, s.to = from, to
	return nil
}

// all lists the numbers.
func (s *span) all() (list []int) {
	for n := s.from; n <= s.to; n += s.step {
		list = append(list, n)
	}
	return slices.Clip(list)
}
