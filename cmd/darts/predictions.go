package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/train"
)

// predictionFlags are the flags of test for what the network says of single images.
type predictionFlags struct {
	perClass, confusion bool
	file                string
}

func (o *predictionFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&o.perClass, "per-class", false, "print error and precision of each class of images")
	f.BoolVar(&o.confusion, "confusion", false, "print how many images of each class are given which class")
	f.StringVar(&o.file, "predictions", "", "`FILE` for a table (CSV) of what the network says of each image")
}

// wanted returns where predictions are kept; nil if no flag asks for them. They are an error for a text.
func (o *predictionFlags) wanted(c *config.Config) (*train.Predictions, error) {
	if *o == (predictionFlags{}) {
		return nil, nil
	}
	if c.Data.IsText() {
		return nil, usagef("test: --per-class, --confusion and --predictions are for images, and %s is a text", c.Data.Name)
	}
	return &train.Predictions{}, nil
}

// print prints and writes what the flags ask for; p may be nil.
func (o *predictionFlags) print(w io.Writer, p *train.Predictions) error {
	if p == nil {
		return nil
	}
	if o.perClass {
		printPerClass(w, p)
	}
	if o.confusion {
		printConfusion(w, p)
	}
	if o.file == "" {
		return nil
	}
	content, err := p.CSV()
	if err == nil {
		err = runfolder.Write(o.file, content)
	}
	if err == nil {
		fmt.Fprintln(w, names.Escape(o.file))
	}
	return err
}

// printPerClass prints the error of each class, and the precision: the part that is right of the images that
// are given the class.
func printPerClass(w io.Writer, p *train.Predictions) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "class\timages\terror\tprecision\t")
	all := p.Confusion()
	for class, row := range all {
		images, given := 0, 0
		for other := range row {
			images += row[other]
			given += all[other][class]
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t\n", names.Print(p.ClassNames[class]), images, percentOf(images-row[class], images), percentOf(row[class], given))
	}
	table.Flush()
}

// percentOf writes a part of a number, and - of nothing.
func percentOf(part, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(of))
}

// widestConfusion is the most classes whose confusions are printed as a matrix.
const widestConfusion = 20

// printConfusion prints a matrix, with a row for each class, or for many classes the pairs that are confused most.
func printConfusion(w io.Writer, p *train.Predictions) {
	all := p.Confusion()
	if len(all) > widestConfusion {
		printPairs(w, p, all)
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "of, given as\t")
	for _, name := range p.ClassNames {
		fmt.Fprint(table, names.Print(name), "\t")
	}
	fmt.Fprintln(table)
	for class, row := range all {
		fmt.Fprint(table, names.Print(p.ClassNames[class]), "\t")
		for _, n := range row {
			fmt.Fprint(table, n, "\t")
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

func printPairs(w io.Writer, p *train.Predictions, all [][]int) {
	type pair struct{ of, as, n int }
	var pairs []pair
	for of, row := range all {
		for as, n := range row {
			if of != as && n > 0 {
				pairs = append(pairs, pair{of, as, n})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.n, a.n) })
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "of\tgiven as\timages")
	for _, c := range pairs[:min(len(pairs), widestConfusion)] {
		fmt.Fprintf(table, "%s\t%s\t%d\n", names.Print(p.ClassNames[c.of]), names.Print(p.ClassNames[c.as]), c.n)
	}
	table.Flush()
}
