// Command knots prints for each package of the module its number of files and the size of its largest
// knot. A knot is a set of files in which each file needs every other, directly or through others. One
// has to read all of them to understand one.
//
//	go run ./scripts/knots            all packages
//	go run ./scripts/knots ./nas/...  these, with the files of every knot
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	patterns, verbose := os.Args[1:], true
	if len(patterns) == 0 {
		patterns, verbose = []string{"./..."}, false
	}
	found, err := measure(".", patterns...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "knots:", err)
		os.Exit(1)
	}
	fmt.Println("files  lines  knot  package")
	for _, p := range found {
		fmt.Printf("%5d  %5d  %4d  %s\n", len(p.files), p.lines, len(p.largest()), p.path)
		if verbose {
			for _, knot := range p.knots {
				fmt.Printf("       %s\n", strings.Join(knot, " "))
			}
		}
	}
}
