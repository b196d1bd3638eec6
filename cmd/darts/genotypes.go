package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"godarts/cells/genotype"
)

func newGenotypes() *cobra.Command {
	return newCommand(spec{use: "genotypes", short: "list the published cells", example: "darts genotypes", wanted: "no argument", run: runGenotypes})
}

func runGenotypes(c *cobra.Command, _ []string) error {
	stdout := c.OutOrStdout()
	fmt.Fprintln(stdout, "convolutional cells:")
	for _, g := range genotype.Published {
		fmt.Fprintf(stdout, "  %s = %s\n", g.Name, g.Genotype)
	}
	fmt.Fprintln(stdout, "recurrent cells:")
	for _, g := range genotype.PublishedRecurrent {
		fmt.Fprintf(stdout, "  %s = %s\n", g.Name, g.Genotype)
	}
	return nil
}
