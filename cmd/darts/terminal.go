package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal tells whether w is a terminal on which a line can be drawn over.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// terminalWidth gives the columns that the terminal w has whenever it is called, 0 where it does
// not say; it is nil for what is no terminal.
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
