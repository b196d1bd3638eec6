package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"

	"godarts/nas/data"
)

func runData(args []string, stdout, _ io.Writer) error {
	f := newFlags("data", "get NAME [flags]", "darts data get cifar10", stdout)
	root := f.String("root", "", "`folder` of data sets; default $GODARTS_DATA, else ~/.cache/godarts")
	if err := parse(f, args, 2, 2, "`get NAME`"); err != nil {
		return err
	}
	if f.Arg(0) != "get" {
		return usagef("data: unknown action %q (wanted: get)", f.Arg(0))
	}
	name := f.Arg(1)
	if !slices.Contains(data.Names(), name) {
		return usagef("data: unknown data set %q (there are: %s)", name, strings.Join(data.Names(), ", "))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := data.Get(ctx, name, *root, downloadProgress(stdout))
	if errors.Is(err, context.Canceled) || ctx.Err() != nil {
		return interruptedError{"darts data get " + name}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s is in %s\n", name, data.Root(*root))
	return nil
}

// downloadProgress reports by a bar on a terminal, else by a line now and then.
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
