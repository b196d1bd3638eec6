package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
)

// sweepFlags are the flags of sweep.
type sweepFlags struct {
	set   []string
	out   string
	share shareFlags
	parts partFlags
}

func (o *sweepFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&o.set, "set", nil, "override a config `KEY=VALUE`, base.KEY in the config of the runs")
	f.StringVar(&o.out, "out", "", "`folder` of the sweep; goes on with the one in it, also together with other processes; default runs/NAME-TIME")
	o.share.register(f)
	o.parts.register(f)
}

// newSweep makes the sub-command sweep; words are the command line.
func newSweep(words []string) *cobra.Command {
	var o sweepFlags
	return newCommand(spec{
		use: "sweep CONFIG [flags]", short: "run an experiment with other values of some keys", example: "darts sweep configs/sweep-digits.yaml --out runs/sweep",
		min: 1, max: 1, wanted: "one CONFIG", outlives: true, experiment: config.Sweep, complete: configFiles,
		flags: o.register,
		run: func(c *cobra.Command, _ []string) error {
			return o.run(c.Flags(), words, c.OutOrStdout(), c.ErrOrStderr())
		},
	})
}

// run begins or continues the sweep; words are the command line.
func (o *sweepFlags) run(f *pflag.FlagSet, words []string, stdout, stderr io.Writer) error {
	s, err := config.LoadSweep(f.Arg(0), o.set...)
	if err != nil {
		return usageError{err}
	}
	if own := s.Sweep.Experiment; own != config.Sweep {
		return usagef("sweep: %s is the config of a %s: use `darts %s`", f.Arg(0), own, own)
	}
	parts, err := o.parts.settings(f, "sweep")
	if err != nil {
		return err
	}
	share, err := o.share.settings("sweep", parts, stdout)
	if err != nil {
		return err
	}
	dir := o.out
	if dir == "" {
		if dir, err = reserve(f.Arg(0), time.Now()); err != nil {
			return usageError{err}
		}
		words = append(slices.Clone(words), "--out", dir)
	}
	sweep := kind{name: "sweep", attached: o.share.attached, limit: o.share.limit, resume: names.Command(append([]string{"darts"}, words...)...),
		run: func(ctx context.Context, dir string, _ *config.Config, parts nas.Settings, stdout io.Writer) error {
			share.Settings = parts
			result, err := plan.Sweep(ctx, dir, s, share)
			if elsewhere(err, stdout) {
				return err
			}
			var failed *runfolder.FailedError
			if err != nil && !errors.As(err, &failed) {
				return err
			}
			fmt.Fprint(stdout, result.Text(columns(stdout)))
			fmt.Fprintf(stdout, "folder of tables and runs: %s\n", names.Escape(dir))
			return err
		}}
	err = sweep.start(dir, nil, parts, stdout, stderr)
	if err != nil && o.out == "" {
		os.Remove(dir) // fails, as it should, unless nothing began in it
	}
	return err
}
