// Command reproduction writes a page of a protocol that scripts/reproduce runs, complete or not: how far each part has
// come, the test error beside the published one, curves, and the cell. The pictures lie in a folder beside the page.
//
//	go run ./scripts/reproduction -o docs/reproduction.md runs/reproduce-first-2
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"godarts/nas/names"
	_ "godarts/nas/search" // registers the strategies
	"godarts/nas/wholefile"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "reproduction:", err)
		os.Exit(1)
	}
}

// pictures is the folder, beside the page, of its pictures.
const pictures = "pictures"

// run writes the page of the protocol that args name, and prints the names of the files.
func run(args []string, stdout, stderr io.Writer) error {
	f := pflag.NewFlagSet("reproduction", pflag.ContinueOnError)
	f.SetOutput(stderr)
	out := f.StringP("out", "o", "docs/reproduction.md", "`FILE` of the page")
	machine := f.String("machine", "", "`TEXT` that names the machine")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return fmt.Errorf("one folder of a protocol wanted, %d given", f.NArg())
	}
	if filepath.Ext(*out) != ".md" {
		return fmt.Errorf("-o %s: wanted a name that ends in .md", *out)
	}
	p, err := read(f.Arg(0))
	if err != nil {
		return err
	}
	p.machine = *machine
	stem := strings.TrimSuffix(filepath.Base(*out), ".md")
	files, err := p.pictures(stem)
	if err != nil {
		return err
	}
	folder := filepath.Join(filepath.Dir(*out), pictures)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, picture := range files {
		file := filepath.Join(folder, picture.file)
		if err := wholefile.Write(file, picture.content); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		fmt.Fprintln(stdout, names.Escape(file))
	}
	if err := wholefile.Write(*out, []byte(p.page(files))); err != nil {
		return fmt.Errorf("write %s: %w", *out, err)
	}
	fmt.Fprintln(stdout, names.Escape(*out))
	return nil
}
