package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// terminationSignals returns the signals that ask the program to end. SIGHUP, which a lost connection or terminal
// sends, is one of them, unless the program was started to ignore it, as nohup does.
func terminationSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// interruptible returns a context that ends when one of terminationSignals comes, see handleSignals. A run whose
// context has ended finishes its step and saves. stop ends the handling of signals, unless one came: then the process
// is about to end, and a late signal must not change how.
func interruptible(warn, quit func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, terminationSignals()...)
	go handleSignals(signals, cancel, warn, quit)
	return ctx, func() {
		if ctx.Err() == nil {
			signal.Stop(signals)
			close(signals)
			cancel()
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
