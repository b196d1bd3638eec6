package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether w is a terminal on which a line can be overwritten.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// terminalWidth returns a function that gives the number of columns of the terminal w, 0 if unknown. It is nil if w
// is no terminal.
func terminalWidth(w io.Writer) func() int {
	if !isTerminal(w) {
		return nil
	}
	fd := int(w.(*os.File).Fd())
	return func() int {
		columns, _, _ := term.GetSize(fd) // 0 with an error
		return columns
	}
}
