package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/plan"
	"godarts/nas/runfolder"
)

// kind is a sub-command that runs until it ends or signals come.
type kind struct {
	name, experiment, example string
	run                       func(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error
	resume                    string // the command that goes on; empty for --resume
	attached                  attachedFlags
	limit                     forFlag
}

// cellName returns the published name of the cell that the training c trains, or its text.
func cellName(c *config.Config) string {
	for _, cell := range slices.Concat(genotype.Published, genotype.PublishedRecurrent) {
		if cell.Genotype.String() == c.Genotype {
			return cell.Name
		}
	}
	return c.Genotype
}

// start runs the experiment until it ends, a signal comes, or its time is up.
func (k kind) start(dir string, c *config.Config, s nas.Settings, stdout, stderr io.Writer) error {
	beside, err := k.attached.open()
	if err != nil {
		return err
	}
	resume := cmp.Or(k.resume, names.Command("darts", k.name, "--resume", dir))
	ctx, stop := interruptible(k.limit, func() {
		fmt.Fprintln(stderr, "still finishing the step and saving; once more quits without")
	}, func() {
		fmt.Fprintln(stderr, "quit; go on from the last checkpoint with:", resume)
		os.Exit(exitInterrupted)
	})
	defer stop()
	began := false
	start := nas.Hooks{OnStart: func(*nas.Run) error {
		if !began && c != nil { // from here on the folder stays
			fmt.Fprintf(stdout, "run folder: %s\n", names.Escape(dir))
			if c.Experiment == config.Train {
				fmt.Fprintf(stdout, "cell: %s\n", cellName(c))
			}
			beside.show(dir, stdout)
		}
		began = true
		return nil
	}}
	s.Hooks = append(s.Hooks, start, nas.Progress(stdout, terminalWidth(stdout)), beside.hooks(k.name, dir))
	err = k.run(ctx, dir, c, s, stdout)
	if errors.Is(err, plan.ErrElsewhere) { // it has not ended
		beside.end()
		return nil
	}
	interrupted := interruptedError{how: resume}
	if context.Cause(ctx) == errTimeIsUp {
		interrupted.after = k.limit
	}
	var failed *runfolder.FailedError
	if began || err == nil || errors.As(err, &failed) || errors.Is(err, context.Canceled) {
		beside.post(k.name, dir, err, stderr)
	}
	beside.end()
	switch {
	case err == nil, errors.As(err, &failed):
		return err
	case errors.Is(err, context.Canceled) && c != nil && !runfolder.HoldsRun(dir): // while image files were checked
		interrupted.how = "the same command, since no run had begun"
		return interrupted
	case errors.Is(err, context.Canceled):
		return interrupted
	case !began:
		return usageError{err}
	}
	return err
}
