package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/train"
)

func newTrain() *cobra.Command {
	return newExperiment("train the network of a cell from scratch", kind{name: "train", experiment: config.Train, run: runTraining,
		example: "darts train configs/cifar10-train.yaml --genotype runs/second-3"})
}

func runTraining(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error {
	result, err := train.Run(ctx, dir, c, s)
	if err != nil {
		return err
	}
	printResult(stdout, result)
	printExpect(stdout, c)
	fmt.Fprintf(stdout, "run folder: %s\n", names.Escape(dir))
	return nil
}
