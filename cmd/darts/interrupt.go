package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// terminationSignals are the signals that ask the program to end: SIGHUP, of a connection or terminal that is
// gone, among them, unless it was started to ignore that, as nohup does.
func terminationSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// interruptible gives a context that ends when one of terminationSignals comes, see handleSignals. A run whose
// context has ended finishes its step and saves. stop gives the signals back, unless one came:
// the process is about to end then, and a late signal shall not alter how.
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

// handleSignals calls finish at the first signal. What ends jobs, such as timeout, Slurm or
// Kubernetes, may signal both a process and its group, that is twice at once, and kills what
// does not end in time: further SIGTERM and SIGHUP change nothing. Of SIGINT, which a user sends too, the
// next one warns and those behind it quit.
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

// ignoreBrokenPipe keeps this process from ending when the reader of its stdout or stderr goes
// away, as in `darts search CONFIG | head`: what it prints is lost, and the run goes on. Programs
// that it starts end as ever.
func ignoreBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
