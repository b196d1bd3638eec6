package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/figure"
	"godarts/nas/names"
	"godarts/nas/page"
	"godarts/nas/plan"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/train"
)

// compressFlags are the flags of compress.
type compressFlags struct {
	plan.Compression
	shares      percents
	out, resume string
	batch       int
	share       shareFlags
	parts       partFlags
}

func newCompress() *cobra.Command {
	var o compressFlags
	return newCommand(spec{
		use: "compress RUN|DIR... [flags]\n       darts compress --resume DIR", short: "make trained networks smaller in several ways, and compare",
		example: "darts compress runs/0 runs/1 --multiply-adds 70%,50% --out runs/small",
		max:     1000, wanted: "at least one RUN or DIR", outlives: true, complete: runsAndFolders,
		flags: o.register,
		run: func(c *cobra.Command, args []string) error {
			return o.run(c.Flags(), args, c.OutOrStdout(), c.ErrOrStderr())
		},
	})
}

func (o *compressFlags) register(f *pflag.FlagSet) {
	o.shares = percents{70, 50}
	f.Var(&o.shares, "multiply-adds", "`SHARES` of them that are left")
	f.StringVar(&o.By, "by", prune.Taylor, "cut by taylor or scale")
	f.IntVar(&o.Multiple, "multiple", prune.DefaultMultiple, multipleUsage)
	f.IntVar(&o.Epochs, "epochs", 0, "after pruning; default half of the recipe's")
	f.StringVar(&o.Range, "range", train.AutoRange, "full, reduced or auto")
	f.IntVar(&o.IntegerEpochs, "int8-epochs", 1, "of training in integers")
	f.BoolVar(&o.Scaled, "scaled", false, "also train networks of fewer channels")
	f.IntVar(&o.batch, "batch", 16, "images of a pass that is timed")
	f.StringVar(&o.out, "out", "", "`folder`; default runs/RUN-compressed-TIME")
	f.StringVar(&o.resume, "resume", "", "go on in `DIR`, or print its table again")
	o.share.register(f)
	o.parts.register(f)
}

// run begins or continues.
func (o *compressFlags) run(f *pflag.FlagSet, args []string, stdout, stderr io.Writer) error {
	if o.batch < 1 || o.batch > mostBatch {
		return usagef("compress: --batch %d: wanted 1 to %d", o.batch, mostBatch)
	}
	of, err := o.settings(f, args)
	if err != nil {
		return err
	}
	parts, err := o.parts.settings(f, "compress")
	if err != nil {
		return err
	}
	share, err := o.share.settings("compress", parts, stdout)
	if err != nil {
		return err
	}
	dir := o.out
	if dir == "" {
		if dir, err = reserve(filepath.Base(of.Runs[0])+"-compressed", time.Now()); err != nil {
			return usageError{err}
		}
	}
	compress := kind{name: "compress", attached: o.share.attached, limit: o.share.limit,
		run: func(ctx context.Context, dir string, _ *config.Config, parts nas.Settings, stdout io.Writer) error {
			share.Settings = parts
			result, err := plan.Compress(ctx, dir, of, plan.CompressionSettings{Settings: share, Batch: o.batch})
			if elsewhere(err, stdout) {
				return err
			}
			var failed *runfolder.FailedError
			if err != nil && !errors.As(err, &failed) {
				return err
			}
			if err := writeCompression(dir, result); err != nil {
				return err
			}
			fmt.Fprint(stdout, result.Text(columns(stdout)))
			fmt.Fprintf(stdout, "folder of page, tables, ONNX files and runs: %s\n", names.Escape(dir))
			return err
		}}
	err = compress.start(dir, nil, parts, stdout, stderr)
	if err != nil && o.out == "" {
		os.Remove(dir) // fails, as it should, unless nothing began in it
	}
	return err
}

// settings returns what the flags and arguments say, or what the folder to go on with does.
func (o *compressFlags) settings(f *pflag.FlagSet, args []string) (of plan.Compression, err error) {
	if o.resume != "" {
		for _, flag := range []string{"multiply-adds", "by", "multiple", "epochs", "range", "int8-epochs", "scaled", "out"} {
			if f.Changed(flag) {
				return of, usagef("compress: --%s goes not with --resume: the folder says it", flag)
			}
		}
		if len(args) > 0 {
			return of, usagef("compress: --resume DIR goes without a RUN: the folder says which")
		}
		o.out = o.resume
		if of, err = plan.ReadCompression(o.resume); err != nil {
			return of, usageError{err}
		}
		return of, nil
	}
	of = o.Compression
	if of.Runs, err = trainedIn(args); err != nil {
		return of, err
	}
	if !slices.Contains([]string{prune.Taylor, prune.Scale}, of.By) {
		return of, usagef("compress: --by %s: wanted taylor or scale", names.Quote(of.By, 40))
	}
	if err := checkMultiple("compress", of.Multiple); err != nil {
		return of, err
	}
	if of.IntegerEpochs < 0 {
		return of, usagef("compress: --int8-epochs %d: wanted 0 or more", of.IntegerEpochs)
	}
	of.MultiplyAdds, of.Range = o.shares, train.QuantiseOptions{Range: of.Range}.Integers()
	return of, nil
}

// trainedIn returns the trainings that paths name: run folders, the trainings of the chosen cell of a protocol, or all
// runs in a folder.
func trainedIn(paths []string) (all []string, err error) {
	if len(paths) == 0 {
		return nil, usagef("compress: no RUN given: name one or several trained runs, or --resume DIR")
	}
	for _, path := range paths {
		dirs, err := runsBelow(path)
		if err != nil {
			return nil, usagef("compress: %w", err)
		}
		if plan.HoldsProtocol(path) {
			dirs = slices.DeleteFunc(dirs, func(dir string) bool { return !strings.HasPrefix(filepath.Base(dir), "train-") })
		}
		if len(dirs) == 0 {
			return nil, usagef("compress: there is no training in %s", names.Escape(path))
		}
		all = append(all, dirs...)
	}
	return all, nil
}

// writeCompression writes the page and the figure of a compression.
func writeCompression(dir string, r plan.CompressionResult) error {
	var html bytes.Buffer
	if err := page.WriteRuns(&html, r.Runs, page.Options{Title: filepath.Base(dir), Table: &r.Table, Outcomes: r.Outcomes}); err != nil {
		return err
	}
	if err := writeOut(filepath.Join(dir, "report.html"), html.String(), io.Discard); err != nil {
		return err
	}
	var figures []*figure.Figure
	for _, by := range []figure.Cost{figure.ByTime, figure.ByONNXTime, figure.ByBytes} {
		if drawn := figure.Pareto(r.Outcomes, by); drawn != nil {
			figures = append(figures, drawn)
		}
	}
	if len(figures) == 0 {
		return nil
	}
	for _, extension := range figure.Extensions {
		picture, err := figure.Grid(figures, 0).Encode(extension, figure.Size{})
		if err != nil {
			return err
		}
		if err := writeOut(filepath.Join(dir, "compression"+extension), string(picture), io.Discard); err != nil {
			return err
		}
	}
	return nil
}
