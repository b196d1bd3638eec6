package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
)

// testFlags are the flags of test.
type testFlags struct {
	weights, genotype string
	set               []string
	device            string
	threads           threadsFlag
	predictions       predictionFlags
}

func newTest() *cobra.Command {
	var o testFlags
	return newCommand(spec{
		use:     "test RUN|EXPORT [flags]\n       darts test [CONFIG] --weights FILE --genotype NAME|FILE|RUN [flags]",
		short:   "measure a trained network on the test images or text",
		example: "darts test runs/cifar10-train-20260102-030405\n  darts test --weights cifar10.pt --genotype DARTS_V2",
		max:     1, wanted: "one RUN or CONFIG", complete: trained,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&o.weights, "weights", "", "`FILE` of weights under the reference's names: .safetensors, or .pt and .pth of PyTorch")
			f.StringVar(&o.genotype, "genotype", "", "with --weights: their cell; default the config's, or what weights of this program say")
			f.StringArrayVar(&o.set, "set", nil, "with --weights: override a config `KEY=VALUE`; can be given several times")
			f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
			o.threads.add(f)
			o.predictions.add(f)
		},
		run: func(c *cobra.Command, _ []string) error { return o.test(c.Flags().Arg(0), c.OutOrStdout()) },
	})
}

// test measures the network of a run or an export, or weights with a config; where may be empty.
func (o *testFlags) test(where string, stdout io.Writer) error {
	if err := o.threads.use("test"); err != nil {
		return err
	}
	d, err := torch.ParseDevice(o.device)
	if err != nil {
		return usageError{err}
	}
	if o.weights == "" {
		if where == "" || o.genotype != "" || len(o.set) > 0 {
			return usagef("test: wanted one RUN, or --weights FILE with --genotype and --set as needed")
		}
		return o.testRun(where, d, stdout)
	}
	c, written, err := weightsConfig(where, o.genotype, o.set)
	if err != nil {
		return usageError{err}
	}
	p, err := o.predictions.wanted(c)
	if err != nil {
		return err
	}
	printNotes(stdout, notesOf(o.genotype))
	result, err := train.TestWeightsInto(context.Background(), c, written, o.weights, d, p)
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, result.Notes)
	printResult(stdout, result)
	return o.predictions.print(stdout, p)
}

func (o *testFlags) testRun(dir string, device torch.Device, stdout io.Writer) error {
	c, err := model.TrainedConfig(dir)
	if err != nil {
		return usageError{err}
	}
	p, err := o.predictions.wanted(c)
	if err != nil {
		return err
	}
	result, err := train.TestInto(context.Background(), dir, device, p)
	if err != nil {
		return usageError{err}
	}
	printNotes(stdout, result.Notes)
	printResult(stdout, result)
	printExpect(stdout, c)
	return o.predictions.print(stdout, p)
}

// weightsConfig returns the training that weights from elsewhere come from: the training in file, or the authors' on
// CIFAR-10. written has the keys that the user gave.
func weightsConfig(file, genotype string, set []string) (c *config.Config, written map[string]bool, err error) {
	c, written = config.Defaults(config.Train), map[string]bool{}
	switch {
	case file != "":
		if c, written, err = config.LoadWritten(file, set...); err != nil {
			return nil, nil, err
		}
		if c.Experiment != config.Train {
			return nil, nil, fmt.Errorf("test: %s is the config of a %s, weights need the config of a train", file, c.Experiment)
		}
	case len(set) > 0:
		return nil, nil, fmt.Errorf("test: --set %s overrides a CONFIG, but none is given", set[0])
	}
	g, err := runfolder.GenotypeFor(c, cmp.Or(genotype, c.Genotype))
	if err != nil {
		return nil, nil, err
	}
	c.Genotype = g.String()
	written["genotype"] = written["genotype"] || genotype != ""
	return c, written, nil
}
