package main

import (
	"fmt"
	"strings"
	"time"

	"godarts/nas/names"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1   // the run failed
	exitUsage       = 2   // wrong usage or config: no run began
	exitInterrupted = 130 // as a shell reports SIGINT; also after the time of --for
)

// usageError is a mistake in the arguments, in the config or in what they name. It was found before a run began.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// interruptedError says how to continue a run that a signal stopped, or the time of --for.
type interruptedError struct {
	how   string
	after forFlag // the time that was up; 0 after a signal
}

func (e interruptedError) Error() string {
	if e.after > 0 {
		return fmt.Sprintf("stopped after %v; go on with: %s", time.Duration(e.after), e.how)
	}
	return "interrupted; go on with: " + e.how
}

// longestError is the most characters of an error that are printed. A path has up to 4096.
const longestError = 1500

// oneLine joins the lines of an error and escapes what cannot be printed.
func oneLine(err error) string {
	return names.Ends(names.Escape(strings.ReplaceAll(err.Error(), "\n", "; ")), longestError)
}
