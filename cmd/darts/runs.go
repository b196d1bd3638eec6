package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/names"
	"godarts/nas/runtable"
)

// runsFolder is the folder in which runs lie that were given no --out.
const runsFolder = "runs"

func newRuns() *cobra.Command {
	var asJSON bool
	return newCommand(spec{
		use: "runs [DIR] [flags]", short: "list runs: state, progress, best figure, time left", example: "darts runs",
		max: 1, wanted: "at most one DIR", complete: runsAndFolders,
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&asJSON, "json", false, "an object of JSON on a line for each run")
		},
		run: func(c *cobra.Command, args []string) error {
			return listRuns(args, asJSON, c.OutOrStdout(), c.ErrOrStderr())
		},
	})
}

// listRuns lists the runs in the folder that args name.
func listRuns(args []string, asJSON bool, stdout, stderr io.Writer) error {
	root := runsFolder
	if len(args) > 0 {
		root = args[0]
	}
	list, err := runtable.List(root)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(args) == 0:
		return usagef("runs: there is no folder %s here: name the folder of the runs", runsFolder)
	case errors.Is(err, fs.ErrNotExist):
		return usagef("runs: there is no folder %s", root)
	case err != nil:
		return usagef("runs: %w", err)
	case asJSON:
		text, err := runtable.JSON(list, root)
		if err != nil {
			return err
		}
		fmt.Fprint(stdout, text)
		return nil
	case len(list) == 0:
		fmt.Fprintf(stderr, "there are no runs in %s\n", names.Print(root))
		return nil
	}
	for _, line := range list {
		if line.Err != nil {
			printNotes(stderr, []string{oneLine(line.Err)})
		}
	}
	fmt.Fprint(stdout, runtable.Text(list, columns(stdout), isTerminal(stdout) && os.Getenv("NO_COLOR") == ""))
	return nil
}
