// Command skips shows `go test -json` as go test shows it without, and notes what was skipped and why.
//
//	go test -json ./... | go run ./scripts/skips FILE
//
// adds a line to FILE for each test that ended: its package and name, a tab, and why it
// was skipped, or nothing if it was not.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is what `go doc test2json` describes.
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

// follow reads the events. What a test printed is shown when it fails or never ends.
func follow(events io.Reader, shown, notes io.Writer) error {
	printed := map[string]string{} // by tests that have not ended
	in := bufio.NewReader(events)
	for {
		line, err := in.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Fprint(shown, line) // of go itself
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

func (e event) handle(printed map[string]string, shown, notes io.Writer) error {
	test := e.Package + "." + e.Test
	switch {
	case e.Action == "output" && e.Test != "":
		printed[test] += e.Output
	case e.Action == "output" && e.Output == "PASS\n":
	case e.Action == "output" || e.Action == "build-output":
		fmt.Fprint(shown, e.Output)
	case e.Action == "fail" && e.Test == "": // tests that never ended: a panic, or the time is up
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

// reason is what t.Skip said, the last line of a skipped test with a file and a line number.
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
