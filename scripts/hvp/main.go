// Command hvp measures the error of the finite difference of DARTS' second order
// against the exact Hessian-vector product, and the error of float32, at the start of
// a search and after some steps. It prints two tables in Markdown:
//
//	go run ./scripts/hvp
//	go run ./scripts/hvp --data digits --steps 10 --float32-batch 16
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"godarts/nas/config"
	"godarts/nas/data/sets"
	"godarts/torch"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "hvp:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	data, root          string
	channels, layers    int
	batch, float32Batch int
	steps               int
	seed                int64
	radii               []float64
	forms               []string
}

func parse(args []string, out io.Writer) (o options, err error) {
	f := pflag.NewFlagSet("hvp", pflag.ContinueOnError)
	f.SortFlags = false
	f.SetOutput(out)
	f.StringVar(&o.data, "data", config.CIFAR10, "images: "+strings.Join(sets.Names(), " or "))
	f.StringVar(&o.root, "root", "", "folder of data sets; empty means $GODARTS_DATA, else ~/.cache/godarts")
	f.IntVar(&o.channels, "channels", 8, "channels of the first cell")
	f.IntVar(&o.layers, "layers", 5, "cells")
	f.IntVar(&o.batch, "batch", 16, "images per step, and in the comparison with the exact product")
	f.IntVar(&o.float32Batch, "float32-batch", 64, "images in the comparison of float32 with float64")
	f.IntVar(&o.steps, "steps", 40, "first-order steps between the two measurements")
	f.Int64Var(&o.seed, "seed", 2, "seed of weights and images")
	f.Float64SliceVar(&o.radii, "radius", []float64{0.01, 0.1, 1e-4, 1e-7}, "radii of the finite difference")
	f.StringSliceVar(&o.forms, "form", formNames(), "forms of the supernet to run in float32; the first also makes the search")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("no arguments wanted, given %q", f.Args())
	}
	for _, n := range []struct {
		flag  string
		value int
		least int
	}{{"batch", o.batch, 1}, {"float32-batch", o.float32Batch, 1}, {"steps", o.steps, 0}} {
		if n.value < n.least {
			return o, fmt.Errorf("--%s %d: want %d or more", n.flag, n.value, n.least)
		}
	}
	for _, radius := range o.radii {
		if !(radius > 0) {
			return o, fmt.Errorf("--radius %v: want more than 0", radius)
		}
	}
	if len(o.forms) == 0 {
		return o, fmt.Errorf("--form: want at least one of %s", strings.Join(formNames(), ", "))
	}
	return o, nil
}

func run(args []string, out, progress io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	set, err := sets.Open(o.data, o.root)
	if err != nil {
		return err
	}
	var moments []moment
	err = torch.Do(func() error {
		moments, err = measure(o, set, progress)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %d channels, %d cells, seed %d, libtorch %s, %d threads\n\n",
		o.data, o.channels, o.layers, o.seed, torch.Version(), torch.Threads())
	writeProducts(out, o, moments)
	writePrecisions(out, o, moments)
	return nil
}

func writeProducts(out io.Writer, o options, moments []moment) {
	fmt.Fprintf(out, "Finite difference against the exact product, float64, batch %d:\n\n", o.batch)
	fmt.Fprintln(out, "| steps | product by | norm / exact norm | error of the product | error of the gradient of α | its cosine |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|")
	for _, m := range moments {
		fmt.Fprintf(out, "| %d | double backward | 1 | 0 | 0 | 1 |\n", m.step)
		for i, d := range m.differences {
			product, gradient := compare(d.product, m.exact.product), compare(d.gradient, m.exact.gradient)
			fmt.Fprintf(out, "| %d | radius %v | %.3g | %.2g | %.2g | %.3f |\n",
				m.step, o.radii[i], product.ratio, product.error, gradient.error, gradient.cosine)
		}
	}
}

func writePrecisions(out io.Writer, o options, moments []moment) {
	fmt.Fprintf(out, "\nfloat32 against float64, batch %d:\n\n", o.float32Batch)
	fmt.Fprintln(out, "| steps | form | error of the finite difference | error of the first-order gradient |")
	fmt.Fprintln(out, "|---|---|---|---|")
	for _, m := range moments {
		for _, p := range m.precisions {
			fmt.Fprintf(out, "| %d | %s | %.2g | %.2g |\n", m.step, p.form, p.quotient.error, p.first.error)
		}
	}
}

// formNames lists the forms of the supernet.
func formNames() []string {
	var names []string
	for name := range forms {
		names = append(names, name)
	}
	return slices.Sorted(slices.Values(names))
}
