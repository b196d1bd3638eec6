package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/onnx"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
)

// quantiseFlags are the flags of quantise.
type quantiseFlags struct {
	train.QuantiseOptions
	dir, onnx string
	set       []string
	threads   threadsFlag
}

func newQuantise() *cobra.Command {
	var o quantiseFlags
	return newCommand(spec{
		use: "quantise RUN [flags]", short: "make a trained network compute in integers of 8 bits",
		example: "darts quantise runs/cifar10-train-20260102-030405 -o int8.onnx\n  darts quantise runs/cifar10-train-20260102-030405 --epochs 5",
		min:     1, max: 1, wanted: "one RUN", outlives: true, complete: trained,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&o.Method, "method", "mse", "how the range of a tensor is chosen: min-max, percentile or mse")
			f.IntVar(&o.Images, "images", 512, "training images to calibrate on")
			f.StringVar(&o.Range, "range", train.AutoRange, "integers of weights: full, reduced, or auto, by this processor: reduced without VNNI")
			f.IntVar(&o.Epochs, "epochs", 0, "epochs of training in integers")
			f.Float64Var(&o.LR, "lr", 0, "learning rate of that training; default a hundredth of the run's")
			f.StringVar(&o.dir, "run", "", "run `folder`; default runs/NAME-TIME")
			f.StringVarP(&o.onnx, "out", "o", "", "`FILE` for the network in integers as ONNX")
			f.StringArrayVar(&o.set, "set", nil, "override a `KEY=VALUE` of the run's config")
			o.threads.add(f)
		},
		run: func(c *cobra.Command, args []string) error {
			return o.quantise(args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	})
}

// quantise makes, measures and exports a network in integers of the one in from.
func (o *quantiseFlags) quantise(from string, stdout, stderr io.Writer) error {
	c, err := train.QuantisedConfig(from, o.QuantiseOptions, o.set...)
	if err != nil {
		return usageError{err}
	}
	if err := o.threads.use("quantise"); err != nil {
		return err
	}
	dir := o.dir
	switch {
	case dir == "":
		if dir, err = reserve(strings.TrimRight(from, "/")+"-int8", time.Now()); err != nil {
			return usageError{err}
		}
	case runfolder.HoldsRun(dir) && !runfolder.HoldsOnlyStart(dir):
		return usagef("quantise: %s holds a run already: go on with `%s`, or choose another --run", names.Escape(dir), names.Command("darts", "train", "--resume", dir))
	}
	before, err := measured(from)
	if err != nil {
		return usageError{err}
	}
	k := kind{name: "train", experiment: config.Train, run: func(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error {
		result, err := train.Run(ctx, dir, c, s)
		if err == nil {
			err = o.report(stdout, from, dir, before, result)
		}
		return err
	}}
	err = k.start(dir, c, nas.Settings{Device: torch.CPU, Every: nas.CheckpointEvery{Interval: 10 * time.Minute}}, stdout, stderr)
	if err != nil && o.dir == "" {
		os.Remove(dir) // fails, as it should, unless nothing began in it
	}
	return err
}

// measured returns the test of the network in dir: that of the complete run, or of now of an export.
func measured(dir string) (result runfolder.TrainResult, err error) {
	if model.IsExport(dir) {
		return train.Test(context.Background(), dir, torch.CPU)
	}
	c, err := runfolder.ReadConfig(dir)
	if err == nil {
		err = runfolder.ReadResult(dir, c, &result)
	}
	return result, err
}

// report prints what the integers changed, and writes the ONNX file.
func (o *quantiseFlags) report(stdout io.Writer, from, dir string, before, after runfolder.TrainResult) error {
	c, err := runfolder.ReadConfig(dir)
	if err != nil {
		return err
	}
	floating, err := model.Floating(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "in floating point: %s, %s\n", errorOf(before), sizeOf(from, func(file string) error {
		_, err := model.ExportONNX(from, file, onnx.Options{Fold: true})
		return err
	}))
	fmt.Fprintf(stdout, "in integers:       %s, %s\n", errorOf(after), sizeOf(dir, func(file string) error {
		_, err := model.ExportONNX(dir, file, onnx.Options{})
		return err
	}))
	fmt.Fprintf(stdout, "weights of the %s range, scales by %s of %s\n", c.Quantise.Range, c.Quantise.Method, names.Count(c.Quantise.Images, "image"))
	fmt.Fprintf(stdout, "in floating point stay: %s\n", strings.Join(floating, ", "))
	if o.onnx != "" {
		if _, err := model.ExportONNX(dir, o.onnx, onnx.Options{}); err != nil {
			return usageError{err}
		}
		fmt.Fprintln(stdout, names.Escape(o.onnx))
	}
	fmt.Fprintf(stdout, "run folder: %s\n", names.Escape(dir))
	return nil
}

// errorOf prints the error of a network on test images, or on those held out.
func errorOf(r runfolder.TrainResult) string {
	if r.Tested == nil {
		return fmt.Sprintf("validation error %.2f %%", r.ValidError)
	}
	return fmt.Sprintf("test error %.2f %%", r.TestError)
}

// sizeOf prints the size of an ONNX file of the network in dir.
func sizeOf(dir string, write func(file string) error) string {
	folder, err := os.MkdirTemp("", "darts")
	if err != nil {
		return oneLine(err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "network.onnx")
	if err := write(file); err != nil {
		return oneLine(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return oneLine(err)
	}
	return names.Count(int(info.Size()), "byte") + " as ONNX"
}
