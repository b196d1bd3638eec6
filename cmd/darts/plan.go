package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/claim"
	"godarts/nas/names"
	"godarts/nas/plan"
	"godarts/torch"
)

// shareFlags are the flags of a command whose parts many processes share.
type shareFlags struct {
	noWait   bool
	stale    time.Duration
	limit    forFlag
	attached attachedFlags
}

func (o *shareFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&o.noWait, "no-wait", false, "end when others work on all the rest, status 0")
	f.DurationVar(&o.stale, "stale", claim.DefaultStale, "silence before a take-over")
	o.limit.add(f)
	o.attached.addNotify(f)
}

// settings returns what the flags say, for the parts' settings s. Messages go to stdout.
func (o *shareFlags) settings(command string, s nas.Settings, stdout io.Writer) (plan.Settings, error) {
	if o.stale < time.Second {
		return plan.Settings{}, usagef("%s: --stale %v: wanted a second or more", command, o.stale)
	}
	if err := o.limit.check(command); err != nil {
		return plan.Settings{}, err
	}
	note := func(format string, a ...any) { fmt.Fprintln(stdout, names.Escape(fmt.Sprintf(format, a...))) }
	return plan.Settings{Settings: s, Stale: o.stale, NoWait: o.noWait, Note: note}, nil
}

// elsewhere reports whether err says that other processes work on all that is left. It prints that.
func elsewhere(err error, stdout io.Writer) bool {
	if !errors.Is(err, plan.ErrElsewhere) {
		return false
	}
	fmt.Fprintln(stdout, oneLine(err))
	return true
}

// partFlags are the flags of the runs of a plan.
type partFlags struct {
	checkpointEvery string
	keep            int
	device          string
	threads         threadsFlag
}

func (o *partFlags) register(f *pflag.FlagSet) {
	f.StringVar(&o.checkpointEvery, "checkpoint-every", "10m", "save after `STEPS` or a time")
	registerKeep(f, &o.keep)
	f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
	o.threads.add(f)
}

// settings returns what the flags say.
func (o *partFlags) settings(f *pflag.FlagSet, command string) (s nas.Settings, err error) {
	s.Keep = o.keep
	if s.Every, err = parseEvery(o.checkpointEvery); err == nil {
		err = checkKeep(f, o.keep)
	}
	if err != nil {
		return s, usageError{err}
	}
	if err := o.threads.use(command); err != nil {
		return s, err
	}
	if s.Device, err = torch.ParseDevice(o.device); err != nil {
		return s, usageError{err}
	}
	return s, nil
}
