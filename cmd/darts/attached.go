package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/names"
	"godarts/nas/notify"
	"godarts/nas/record"
	"godarts/nas/runfolder"
	"godarts/nas/serve"
)

// attachedFlags are the flags of what goes on beside a run: pages that show it, and messages that say how it ended.
type attachedFlags struct{ serve, notify string }

// defaultServe is the value of --serve without one.
const defaultServe = "on"

func (o *attachedFlags) addServe(f *pflag.FlagSet) {
	f.StringVar(&o.serve, "serve", "", "show the run at `ADDR` while it goes on")
	f.Lookup("serve").NoOptDefVal = defaultServe
}

func (o *attachedFlags) addNotify(f *pflag.FlagSet) {
	f.StringVar(&o.notify, "notify", "", "post to `URL` how it ended")
}

// attached is what goes on beside a run.
type attached struct {
	listener net.Listener // nil without pages
	sender   *notify.Sender
	end      func() // of the pages
}

// open takes the address of the pages and that of the messages, before anything runs.
func (o attachedFlags) open() (a attached, err error) {
	a.end = func() {}
	address := o.notify
	if address == "" {
		address = os.Getenv("GODARTS_NOTIFY")
	}
	if address != "" {
		if a.sender, err = notify.New(address); err != nil {
			return a, usageError{err}
		}
	}
	switch o.serve {
	case "":
		return a, nil
	case defaultServe:
		a.listener, err = serve.Listen(serve.DefaultAddress)
		if errors.Is(err, syscall.EADDRINUSE) { // by another run
			a.listener, err = serve.Listen("127.0.0.1:0")
		}
	default:
		a.listener, err = serve.Listen(o.serve)
	}
	if err != nil {
		return a, usageError{err}
	}
	a.end = func() { a.listener.Close() }
	return a, nil
}

// show serves the pages of the run in dir until end is called. The run goes on if it cannot.
func (a *attached) show(dir string, stdout io.Writer) {
	if a.listener == nil {
		return
	}
	server, err := serve.New(dir, a.listener)
	if err != nil {
		printNotes(stdout, []string{"no pages: " + oneLine(err)})
		return
	}
	fmt.Fprintf(stdout, "page until the run ends: %s\n", server.RunURL())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(ctx); err != nil {
			printNotes(stdout, []string{"no pages any more: " + oneLine(err)})
		}
	}()
	a.end = func() {
		cancel()
		<-ended
	}
}

// hooks post how parts of the run in dir diverge.
func (a *attached) hooks(command, dir string) nas.Hooks {
	return nas.Hooks{OnEnd: func(r *nas.Run, err error) error {
		var diverged *runfolder.DivergedError
		if a.sender != nil && r.Dir != dir && errors.As(err, &diverged) {
			a.sender.Post(messageOf(command, r.Dir, err))
		}
		return nil
	}}
}

// post tells how the run in dir ended, and waits five seconds at most until that has arrived.
func (a *attached) post(command, dir string, err error, stderr io.Writer) {
	if a.sender == nil {
		return
	}
	a.sender.Post(messageOf(command, dir, err))
	if lost := a.sender.Wait(); lost != nil {
		printNotes(stderr, []string{oneLine(lost)})
	}
}

// messageOf says how the command on the folder dir ended.
func messageOf(command, dir string, err error) notify.Message {
	m := notify.Message{Command: command, Run: dir, State: stateAfter(err)}
	if err != nil {
		m.Error = names.Limit(err.Error(), 1000)
	}
	s, failed := record.Summarize(dir)
	if failed != nil { // the folder of a set of runs
		return m
	}
	m.Epoch, m.Epochs = int(s.Done), s.Epochs
	if s.Best != nil {
		m.Figure = &notify.Figure{Name: s.Best.Name, Value: s.Best.Value, Percent: s.Best.Percent}
	}
	return m
}

// stateAfter says how a run stands that ended with err.
func stateAfter(err error) string {
	var diverged *runfolder.DivergedError
	var failed *runfolder.FailedError
	var interrupted interruptedError
	switch {
	case err == nil:
		return string(record.Done)
	case errors.As(err, &diverged), errors.As(err, &failed):
		return string(record.Diverged)
	case errors.Is(err, context.Canceled), errors.As(err, &interrupted):
		return string(record.Interrupted)
	}
	return "failed"
}
