package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/torch"
)

func runTest(args []string, stdout, _ io.Writer) error {
	f := newFlags("test", "RUN|EXPORT [flags]\n       darts test [CONFIG] --weights FILE --genotype NAME|FILE|RUN [flags]",
		"darts test runs/cifar10-train-20260102-030405\n  darts test --weights cifar10.pt --genotype DARTS_V2", stdout)
	weights := f.String("weights", "", "`FILE` of weights under the reference's names: .safetensors, or .pt and .pth of PyTorch")
	genotype := f.String("genotype", "", "with --weights: their cell; default the config's, or what weights of this program say")
	set := f.StringArray("set", nil, "with --weights: override a config `KEY=VALUE`; can be given several times")
	device := f.String("device", "cpu", "cpu, cuda or cuda:N")
	threads := f.Int("threads", 0, "threads of an operator on the CPU; 0 is libtorch's choice")
	if err := parse(f, args, 0, 1, "one RUN or CONFIG"); err != nil {
		return err
	}
	if *threads > 0 {
		torch.SetThreads(*threads)
	}
	d, err := torch.ParseDevice(*device)
	if err != nil {
		return usageError{err}
	}
	if *weights == "" {
		if f.NArg() == 0 || *genotype != "" || len(*set) > 0 {
			return usagef("test: wanted one RUN, or --weights FILE with --genotype and --set as needed")
		}
		return testRun(f.Arg(0), d, stdout)
	}
	c, written, err := weightsConfig(f.Arg(0), *genotype, *set)
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, notesOf(*genotype))
	result, err := nas.TestWeights(context.Background(), c, written, *weights, d)
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, result.Notes)
	printResult(stdout, result)
	return nil
}

func testRun(dir string, device torch.Device, stdout io.Writer) error {
	c, err := nas.TrainedConfig(dir)
	if err != nil {
		return usageError{err}
	}
	result, err := nas.Test(context.Background(), dir, device)
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, result.Notes)
	printResult(stdout, result)
	printExpect(stdout, c)
	return nil
}

// notesOf is what is to be said of the cell that where names.
func notesOf(where string) []string {
	if note := nas.GenotypeNote(where); note != "" {
		return []string{note}
	}
	return nil
}

// printNotes prints what a test has to say besides its result.
func printNotes(w io.Writer, notes []string) {
	for _, note := range notes {
		fmt.Fprintln(w, "note:", names.Escape(note))
	}
}

// weightsConfig is the training that weights from elsewhere come from: that of the
// file, or the authors' on CIFAR-10. written are the keys that the user gave.
func weightsConfig(file, genotype string, set []string) (c *config.Config, written map[string]bool, err error) {
	c, written = config.Defaults(config.Train), map[string]bool{}
	switch {
	case file != "":
		if c, written, err = config.LoadWritten(file, set...); err != nil {
			return nil, nil, err
		}
		if c.Experiment != config.Train {
			return nil, nil, fmt.Errorf("test: %s is the config of a %s, weights need that of a train", file, c.Experiment)
		}
	case len(set) > 0:
		return nil, nil, fmt.Errorf("test: --set %s overrides a CONFIG, but none is given", set[0])
	}
	g, err := nas.GenotypeFor(c, cmp.Or(genotype, c.Genotype))
	if err != nil {
		return nil, nil, err
	}
	c.Genotype = g.String()
	written["genotype"] = written["genotype"] || genotype != ""
	return c, written, nil
}
