package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// forFlag is the flag --for: the time after which a run ends as after a signal; 0 is never.
type forFlag time.Duration

func (d *forFlag) add(f *pflag.FlagSet) {
	f.DurationVar((*time.Duration)(d), "for", 0, "save and stop after `TIME`, such as 9m")
}

// check returns an error for a time in which no run can do anything.
func (d forFlag) check(command string) error {
	if d != 0 && time.Duration(d) < time.Second {
		return usagef("%s: --for %v: wanted a second or more, such as 9m", command, time.Duration(d))
	}
	return nil
}

// errTimeIsUp is the cause of a context that ended after the time of --for.
var errTimeIsUp = errors.New("the time of --for is up")

// terminationSignals returns the signals that ask the program to end. SIGHUP, which a lost connection or terminal
// sends, is one of them, unless the program was started to ignore it, as nohup does.
func terminationSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// interruptible returns a context that ends when one of terminationSignals comes, see handleSignals, and after the time
// limit, unless that is zero, with the cause errTimeIsUp. A run whose context has ended finishes its step and saves. stop
// ends the handling of signals, unless the context has ended: then the process is about to end, and a late signal must
// not change how.
func interruptible(limit forFlag, warn, quit func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, terminationSignals()...)
	go handleSignals(signals, func() { cancel(nil) }, warn, quit)
	if limit > 0 {
		time.AfterFunc(time.Duration(limit), func() { cancel(errTimeIsUp) })
	}
	return ctx, func() {
		if ctx.Err() == nil {
			signal.Stop(signals)
			close(signals)
			cancel(nil)
		}
	}
}

// handleSignals calls finish at the first signal. Programs that end jobs, such as timeout, Slurm or Kubernetes, may
// signal a process and its group, which gives two signals at once, and they kill a process that does not end in time:
// so further SIGTERM and SIGHUP change nothing. Users send SIGINT: a second one calls warn, and any later one calls
// quit.
func handleSignals(signals <-chan os.Signal, finish, warn, quit func()) {
	began, warned := false, false
	for s := range signals {
		switch {
		case !began:
			began = true
			finish()
		case s != os.Interrupt:
		case !warned:
			warned = true
			warn()
		default:
			quit()
		}
	}
}

// ignoreBrokenPipe keeps this process alive when the reader of its stdout or stderr ends, as in `darts search CONFIG
// | head`. The output is lost, and the run goes on. Child processes keep the default behaviour.
func ignoreBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
