package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
)

const repeatExample = "darts repeat configs/protocol-cifar10-second.yaml --out runs/second"

// repeatFlags are the flags of repeat.
type repeatFlags struct {
	set         []string
	out, resume string
	share       shareFlags
	parts       partFlags
}

func (o *repeatFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&o.set, "set", nil, "override a config `KEY=VALUE`, search.KEY or train.KEY in the configs it names")
	f.StringVar(&o.out, "out", "", "`folder`, with others too; default runs/NAME-TIME")
	f.StringVar(&o.resume, "resume", "", "go on with the protocol in `DIR`")
	o.share.register(f)
	o.parts.register(f)
}

func newRepeat() *cobra.Command {
	var o repeatFlags
	return newCommand(spec{
		use: "repeat CONFIG [flags]\n       darts repeat --resume DIR", short: "search, choose and train with several seeds: the paper's protocol", example: repeatExample,
		max: 1, wanted: "one CONFIG", outlives: true, experiment: config.Repeat, complete: configFiles,
		flags: o.register,
		run:   func(c *cobra.Command, _ []string) error { return o.run(c.Flags(), c.OutOrStdout(), c.ErrOrStderr()) },
	})
}

// run begins or continues the protocol.
func (o *repeatFlags) run(f *pflag.FlagSet, stdout, stderr io.Writer) error {
	whole, err := o.load(f)
	if err != nil {
		return usageError{err}
	}
	s, err := o.parts.settings(f, "repeat")
	if err != nil {
		return err
	}
	share, err := o.share.settings("repeat", s, stdout)
	if err != nil {
		return err
	}
	dir := cmp.Or(o.resume, o.out)
	reserved := dir == ""
	if reserved {
		if dir, err = reserve(f.Arg(0), time.Now()); err != nil {
			return usageError{err}
		}
	}
	err = o.start(dir, whole, share, stdout, stderr)
	if err != nil && reserved {
		os.Remove(dir) // fails, as it should, unless nothing began in it
	}
	return err
}

// load reads the protocol from a config, or from the folder to continue.
func (o *repeatFlags) load(f *pflag.FlagSet) (*config.Whole, error) {
	file := f.Arg(0)
	if o.resume != "" {
		for _, flag := range []string{"set", "out"} {
			if f.Changed(flag) {
				return nil, fmt.Errorf("repeat: --%s does not go with --resume: the protocol's folder says it", flag)
			}
		}
		if file != "" {
			return nil, fmt.Errorf("repeat: --resume takes the config from the protocol's folder, but %q is given", file)
		}
		if !plan.HoldsProtocol(o.resume) {
			return nil, fmt.Errorf("repeat: %s holds no protocol: there is no %s", o.resume, plan.WholeConfig(o.resume))
		}
		return plan.ReadProtocol(o.resume)
	}
	if file == "" {
		return nil, fmt.Errorf("repeat: no CONFIG given; for example: %s", repeatExample)
	}
	whole, err := config.LoadWhole(file, o.set...)
	if err != nil {
		return nil, err
	}
	if own := whole.Repeat.Experiment; own != config.Repeat {
		return nil, fmt.Errorf("repeat: %s is the config of a %s: use `darts %s`", file, own, own)
	}
	return whole, nil
}

// start works on the protocol as kind.start does on a run, and handles signals.
func (o *repeatFlags) start(dir string, whole *config.Whole, s plan.Settings, stdout, stderr io.Writer) error {
	repeat := kind{name: "repeat", attached: o.share.attached, limit: o.share.limit, run: func(ctx context.Context, dir string, _ *config.Config, parts nas.Settings, stdout io.Writer) error {
		s.Settings = parts
		result, err := plan.Repeat(ctx, dir, whole, s)
		if elsewhere(err, stdout) {
			return err
		}
		var failed *runfolder.FailedError
		if err != nil && (!errors.As(err, &failed) || len(result.Trainings) == 0) {
			return err
		}
		fmt.Fprint(stdout, result.Text())
		fmt.Fprintf(stdout, "protocol folder: %s\n", names.Escape(dir))
		return err
	}}
	return repeat.start(dir, nil, s.Settings, stdout, stderr)
}
