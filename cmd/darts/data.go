package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/config"
	"godarts/nas/data/corpus"
	"godarts/nas/data/sets"
	"godarts/nas/home"
	"godarts/nas/names"
	"godarts/nas/nasbench201"
)

// newData makes the sub-command data; words are the command line.
func newData(words []string) *cobra.Command {
	var root string
	var n int
	return newCommand(spec{
		use: "data get NAME [flags]\n       darts data export NAME DIR [flags]", short: "get data sets",
		example: "darts data get cifar10\n  darts data export cifar10 photos --n 2000",
		min:     2, max: 3, wanted: "`get NAME` or `export NAME DIR`", outlives: true, complete: completeData,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&root, "root", "", "`folder` of data sets; default $GODARTS_DATA, else ~/.cache/godarts")
			f.IntVar(&n, "n", 2000, "images to export as PNG: four fifths to DIR/train, the others, of the test images, to DIR/val")
		},
		run: func(c *cobra.Command, args []string) error { return runData(words, args, root, n, c.OutOrStdout()) },
	})
}

// completeData completes an action, its data set, and the folder of an export.
func completeData(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const nothingElse = cobra.ShellCompDirectiveNoFileComp
	switch {
	case len(args) == 0:
		return []cobra.Completion{"get", "export"}, nothingElse
	case len(args) == 1 && args[0] == "get":
		return slices.Concat(sets.Names(), corpus.Names(), []string{nasbench201.Name}), nothingElse
	case len(args) == 1:
		return sets.Names(), nothingElse
	case len(args) == 2 && args[0] == "export":
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return nil, nothingElse
}

func runData(words, args []string, root string, n int, stdout io.Writer) error {
	action, wanted := args[0], map[string]int{"get": 2, "export": 3}
	switch arguments, ok := wanted[action]; {
	case !ok:
		return usagef("data: unknown action %q (wanted: get or export)", action)
	case len(args) != arguments:
		return usagef("data: %s: %d arguments wanted, %d given", action, arguments-1, len(args)-1)
	}
	name := args[1]
	if name == nasbench201.Name && action == "get" {
		return getTable(root, stdout)
	}
	text, isText := corpus.Find(name)
	if _, isSet := sets.Find(name); !isText && !isSet {
		return usagef("data: unknown data set %q (there are: %s; texts: %s; to get: %s)", name,
			strings.Join(sets.Names(), ", "), strings.Join(corpus.Names(), ", "), nasbench201.Name)
	}
	if isText {
		return getText(action, text, root, stdout)
	}
	if action == "export" {
		return exportData(name, root, args[2], n, stdout)
	}
	ctx, stop := signal.NotifyContext(context.Background(), terminationSignals()...)
	defer stop()
	err := sets.Get(ctx, name, root, downloadProgress(stdout))
	if errors.Is(err, context.Canceled) || ctx.Err() != nil {
		return interruptedError{how: names.Command(append([]string{"darts"}, words...)...)}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s is in %s\n", name, names.Escape(home.DataRoot(root)))
	return nil
}

// getTable checks the table of NAS-Bench-201. Where there is none it says how to make one: the benchmark is published
// in files of gigabytes that only Python reads.
func getTable(root string, stdout io.Writer) error {
	root = home.DataRoot(root)
	if _, err := os.Stat(nasbench201.File(root)); errors.Is(err, fs.ErrNotExist) {
		return usagef("data: get %s: there is no %s, and no download of such a table: %s", nasbench201.Name, nasbench201.File(root), nasbench201.HowToGet)
	}
	table, err := nasbench201.Open(root)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s is in %s: %d cells, the best %.2f %% on %v, %.2f %% on %v, %.2f %% on %v\n", nasbench201.Name, names.Escape(root), nasbench201.Cells,
		table.Best(nasbench201.CIFAR10), nasbench201.CIFAR10, table.Best(nasbench201.CIFAR100), nasbench201.CIFAR100,
		table.Best(nasbench201.ImageNet16), nasbench201.ImageNet16)
	return nil
}

// getText checks a text. Where there is none it says which files it needs.
func getText(action string, text corpus.Text, root string, stdout io.Writer) error {
	name := text.Name
	if action == "export" {
		return usagef("data: export: %s is a text, which has no images", name)
	}
	c, err := corpus.Options{Name: name, Root: root}.Open()
	if wanted := text.WantedFiles(root); errors.Is(err, fs.ErrNotExist) && wanted != "" {
		return usagef("data: get %s: not there, and no download of it: %s", name, wanted)
	}
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintf(stdout, "%s: %d words, %d tokens to train, %d to validate, %d to test\n", name, len(c.Words), len(c.Train), len(c.Valid), len(c.Test))
	return nil
}

// exportData writes n images of a data set to a new image folder.
func exportData(name, root, dir string, n int, stdout io.Writer) error {
	if n < 1 {
		return usagef("data: export: --n %d: wanted 1 or more", n)
	}
	if name == config.ImageFolder {
		return usagef("data: export: an imagefolder is one already")
	}
	set, err := sets.Open(name, root)
	if err != nil {
		return usageError{err}
	}
	if err := set.Export(dir, n); err != nil {
		return usageError{err}
	}
	fmt.Fprintf(stdout, "%s holds %d images of %s in %d classes: use it with --set data.name=imagefolder --set %s\n",
		names.Escape(dir), n, name, set.Train.Classes, names.Shell("data.root="+dir))
	return nil
}

// downloadProgress reports a download by a bar on a terminal, else by a line from time to time.
func downloadProgress(w io.Writer) func(done, total int64) {
	if isTerminal(w) {
		var bar *progressbar.ProgressBar
		return func(done, total int64) {
			if bar == nil {
				bar = progressbar.DefaultBytes(total, "download")
			}
			_ = bar.Set64(done) // a terminal that is gone stops no download
		}
	}
	const every = 5 * time.Second
	last := time.Now()
	return func(done, total int64) {
		if time.Since(last) < every {
			return
		}
		last = time.Now()
		fmt.Fprintf(w, "%d of %d MB\n", done>>20, total>>20)
	}
}
