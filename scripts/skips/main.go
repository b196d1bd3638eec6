// Command skips prints the output of `go test -json` as go test prints it without -json, and
// records which tests were skipped and why.
//
//	go test -json ./... | go run ./scripts/skips FILE
//
// adds a line to FILE for each test that ended: its package and name, a tab, and the reason
// why it was skipped, or nothing if it was not.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is an event of `go doc test2json`.
type event struct {
	Action, Package, Test, Output string
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go test -json ./... | skips FILE")
		os.Exit(2)
	}
	notes, err := os.OpenFile(os.Args[1], os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err == nil {
		err = follow(os.Stdin, os.Stdout, notes)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "skips:", err)
		os.Exit(1)
	}
}

// follow reads the events. It shows the output of a test if the test fails or never ends.
func follow(events io.Reader, shown, notes io.Writer) error {
	printed := map[string]string{} // by test, for tests that have not ended
	in := bufio.NewReader(events)
	for {
		line, err := in.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Fprint(shown, line) // a line of go itself
		} else if err := e.handle(printed, shown, notes); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// handle shows or keeps an output, and notes a test that ended.
func (e event) handle(printed map[string]string, shown, notes io.Writer) error {
	test := e.Package + "." + e.Test
	switch {
	case e.Action == "output" && e.Test != "":
		printed[test] += e.Output
	case e.Action == "output" && e.Output == "PASS\n":
	case e.Action == "output" || e.Action == "build-output":
		fmt.Fprint(shown, e.Output)
	case e.Action == "fail" && e.Test == "": // the package failed; its other tests never ended, by a panic or a time-out
		for open, text := range printed {
			if strings.HasPrefix(open, test) {
				fmt.Fprint(shown, text)
				delete(printed, open)
			}
		}
	case e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
		if e.Action == "fail" {
			fmt.Fprint(shown, printed[test])
		}
		why := ""
		if e.Action == "skip" {
			why = reason(printed[test])
		}
		delete(printed, test)
		_, err := fmt.Fprintf(notes, "%s\t%s\n", test, why)
		return err
	}
	return nil
}

// reason returns the text of t.Skip: the last line of a skipped test that begins with a file
// and a line number.
func reason(printed string) string {
	why := "no reason given"
	for line := range strings.Lines(printed) {
		file, rest, found := strings.Cut(strings.TrimSpace(line), ".go:")
		number, said, also := strings.Cut(rest, ": ")
		if found && also && !strings.ContainsAny(file, " \t") && strings.Trim(number, "0123456789") == "" {
			why = said
		}
	}
	return why
}
