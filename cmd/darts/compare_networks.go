package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
	"godarts/nas/wholefile"
)

// runNetworks compares strategies on networks, or continues the comparison in the folder of --out.
func (o *compareFlags) runNetworks(f *pflag.FlagSet, t *config.NetworkComparison, words []string, stdout, stderr io.Writer) error {
	for _, flag := range []string{"seed", "workers"} {
		if f.Changed(flag) {
			return usagef("compare: --%s has no effect on networks: seeds are those of the configs that %s names, cores those of each search", flag, f.Arg(0))
		}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("compare: this program does not find itself: %w", err)
	}
	dir := o.out
	if dir == "" {
		if dir, err = reserve(f.Arg(0), time.Now()); err != nil {
			return usageError{err}
		}
		words = append(slices.Clone(words), "--out", dir)
	}
	compare := kind{name: "compare", attached: o.share.attached, limit: o.share.limit, resume: names.Command(append([]string{"darts"}, words...)...),
		run: func(ctx context.Context, dir string, _ *config.Config, s nas.Settings, stdout io.Writer) error {
			share, err := o.share.settings("compare", s, stdout)
			if err != nil {
				return err
			}
			c := plan.ComparisonSettings{Settings: share, Search: func(ctx context.Context, dir string, c *config.Config) (plan.Cost, error) {
				return searchInChild(ctx, self, dir, c, s.Keep, stdout, stderr)
			}}
			comparison, err := plan.Compare(ctx, dir, t, c)
			var failed *runfolder.FailedError
			if elsewhere(err, stdout) {
				return err
			}
			if err != nil && !errors.As(err, &failed) {
				return err
			}
			fmt.Fprint(stdout, comparison.Text())
			fmt.Fprintf(stdout, "folder of tables and runs: %s\n", names.Escape(dir))
			return err
		}}
	return compare.start(dir, nil, nas.Settings{Keep: o.keep}, stdout, stderr)
}

// searchInChild runs a search in a child process, so that the peak memory is the search's.
func searchInChild(ctx context.Context, self, dir string, c *config.Config, keep int, stdout, stderr io.Writer) (cost plan.Cost, err error) {
	args := []string{"search", "--resume", dir}
	if !runfolder.HoldsRun(dir) || runfolder.HoldsOnlyStart(dir) {
		c, err := c.AbsolutePaths()
		if err != nil {
			return cost, err
		}
		text, err := c.YAML()
		if err != nil {
			return cost, err
		}
		file := dir + ".yaml"
		if err := wholefile.Write(file, text); err != nil {
			return cost, fmt.Errorf("compare: %w", err)
		}
		args = []string{"search", file, "--out", dir}
	}
	if keep > 0 {
		args = append(args, "--keep", strconv.Itoa(keep))
	}
	child := exec.CommandContext(ctx, self, args...)
	child.Stdout, child.Stderr = stdout, stderr
	// The child saves and ends when this process is killed. For the kernel this process ends when the thread ends that
	// started the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) } // it saves, then ends
	start := time.Now()
	err = child.Run()
	cost.Seconds = time.Since(start).Seconds()
	if child.ProcessState != nil {
		cost.PeakBytes = child.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024 // Linux counts kilobytes
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return cost, ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() == exitInterrupted:
		return cost, context.Canceled
	case err != nil:
		return cost, fmt.Errorf("compare: the search in %s: %w", dir, err)
	}
	return cost, nil
}
