package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/config"
	"godarts/nas/home"
	"godarts/nas/names"
	"godarts/nas/nasbench201"
	"godarts/nas/report"
	"godarts/nas/wholefile"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	set     []string
	out     string
	seed    int64
	workers int
	keep    int
	share   shareFlags // on networks
}

// newCompare makes the sub-command compare; words are the command line.
func newCompare(words []string) *cobra.Command {
	var o compareFlags
	return newCommand(spec{
		use: "compare CONFIG [flags]", short: "compare strategies, on a table of results or on networks",
		example: "darts compare configs/nasbench201.yaml --out runs/nasbench201",
		min:     1, max: 1, wanted: "one CONFIG", outlives: true, experiment: config.Comparison, complete: configFiles,
		flags: o.register,
		run: func(c *cobra.Command, _ []string) error {
			return o.run(c.Flags(), words, c.OutOrStdout(), c.ErrOrStderr())
		},
	})
}

func (o *compareFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&o.set, "set", nil, "override a config `KEY=VALUE`, search.KEY or train.KEY in the configs it names")
	f.StringVar(&o.out, "out", "", "`folder` for tables and charts, and for runs on networks, where it goes on with those in it, also together with other processes; default runs/NAME-TIME")
	f.Int64Var(&o.seed, "seed", 0, "the first of the seeds; default the config's")
	f.IntVar(&o.workers, "workers", 0, "searches at a time; 0 is one for each core")
	registerKeep(f, &o.keep)
	o.share.register(f)
}

// run makes the comparison that the config describes; words are the command line.
func (o *compareFlags) run(f *pflag.FlagSet, words []string, stdout, stderr io.Writer) error {
	t, err := o.load(f)
	if err == nil {
		err = checkKeep(f, o.keep)
	}
	if err != nil {
		return usageError{err}
	}
	if len(t.Searches) > 0 {
		return o.runNetworks(f, t, words, stdout, stderr)
	}
	beside, err := o.share.attached.open()
	if err != nil {
		return err
	}
	err = o.runTable(f, t.Compare, words, stdout)
	var usage usageError
	if !errors.As(err, &usage) {
		beside.post("compare", o.out, err, stderr)
	}
	return err
}

// runTable compares strategies on a table of results, and leaves in o.out where they are.
func (o *compareFlags) runTable(f *pflag.FlagSet, c *config.Config, words []string, stdout io.Writer) error {
	if f.Changed("keep") {
		return usagef("compare: --keep has no effect on a table: nothing is trained, and no run has checkpoints")
	}
	for _, flag := range []string{"stale", "no-wait"} {
		if f.Changed(flag) {
			return usagef("compare: --%s has no effect on a table: no other process shares in its searches", flag)
		}
	}
	if f.Changed("for") {
		return usagef("compare: --for has no effect on a table: its searches take seconds, and none can go on")
	}
	table, err := o.prepare(f, c)
	if err != nil {
		return usageError{err}
	}
	if o.out == "" {
		o.out, err = reserve(f.Arg(0), time.Now())
	} else {
		err = newFolder(o.out)
	}
	if err != nil {
		return usageError{err}
	}
	dir := o.out
	ctx, stop := signal.NotifyContext(context.Background(), terminationSignals()...)
	defer stop()
	start := time.Now()
	comparison, err := table.Compare(ctx, c, o.workers)
	if err != nil {
		os.Remove(dir) // nothing is in it yet
		if errors.Is(err, context.Canceled) {
			return interruptedError{how: names.Command(append([]string{"darts"}, words...)...)}
		}
		return err
	}
	fmt.Fprintf(stdout, "%s%d searches in %.1f s with %d workers\n", comparison.Text(), len(comparison.Entries)*c.Compare.Seeds, time.Since(start).Seconds(), o.workers)
	if e := c.Compare.Expect; e != nil {
		fmt.Fprintf(stdout, "published: %s\n", names.Print(e.Source))
	}
	if err := writeComparison(dir, c, comparison); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "tables and charts: %s\n", names.Escape(dir))
	return nil
}

// load reads the config and the configs that it names.
func (o *compareFlags) load(f *pflag.FlagSet) (*config.NetworkComparison, error) {
	t, err := config.LoadNetworkComparison(f.Arg(0), o.set...)
	if err != nil {
		return nil, err
	}
	if own := t.Compare.Experiment; own != config.Comparison {
		return nil, fmt.Errorf("compare: %s is the config of a %s: use `darts %s`", f.Arg(0), own, own)
	}
	return t, nil
}

// prepare opens the table that c names, and fills in the seed and the number of workers.
func (o *compareFlags) prepare(f *pflag.FlagSet, c *config.Config) (*nasbench201.Table, error) {
	if f.Changed("seed") {
		if o.seed < 0 {
			return nil, fmt.Errorf("compare: --seed %d: wanted 0 or more", o.seed)
		}
		c.Seed = o.seed
	}
	switch {
	case o.workers < 0 || o.workers > 1024:
		return nil, fmt.Errorf("compare: --workers %d: wanted 1 to 1024, or 0 for one for each core", o.workers)
	case o.workers == 0:
		o.workers = runtime.NumCPU()
	}
	return nasbench201.ForConfig(c, home.DataRoot(c.Data.Root))
}

// newFolder makes a folder, or accepts an empty one.
func newFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("compare: %s is not empty: choose another --out", dir)
	}
	return nil
}

// writeComparison writes the config, the tables and the charts.
func writeComparison(dir string, c *config.Config, comparison report.TableComparison) error {
	resolved, err := c.YAML()
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"config.yaml":    resolved,
		"comparison.md":  []byte(comparison.Markdown()),
		"comparison.csv": []byte(comparison.CSV()),
		"curves.csv":     []byte(comparison.CurvesCSV()),
		"searches.csv":   []byte(comparison.RunsCSV()),
	}
	for _, extension := range []string{".png", ".svg"} {
		picture, err := comparison.Chart(extension)
		if err != nil {
			return err
		}
		files["curves"+extension] = picture
	}
	for name, content := range files {
		if err := wholefile.Write(filepath.Join(dir, name), content); err != nil {
			return fmt.Errorf("compare: %w", err)
		}
	}
	return nil
}
