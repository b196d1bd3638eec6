package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

func newSearch() *cobra.Command {
	return newExperiment("search a cell", kind{name: "search", experiment: config.Search, run: runSearch,
		example: "darts search configs/cifar10-darts-second.yaml --seed 3 --out runs/second-3"})
}

func runSearch(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error {
	result, err := search.Run(ctx, dir, c, s)
	var failed *runfolder.FailedError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	fmt.Fprintln(stdout, result.Genotype)
	if len(result.Evaluations) > 0 {
		table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "cell\tparameters\ttest error\t")
		for _, r := range result.Evaluations {
			if r.Diverged != nil {
				fmt.Fprintf(table, "%s\t\tdiverged\t\n", r.Name)
				continue
			}
			fmt.Fprintf(table, "%s\t%d\t%.2f %%\t\n", r.Name, r.Parameters, r.TestError)
		}
		table.Flush()
	}
	if result.Valid != nil {
		fmt.Fprintln(stdout, "validation", result.Valid)
	}
	printExpect(stdout, c)
	fmt.Fprintf(stdout, "run folder: %s\n", names.Escape(dir))
	return err
}
