package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/tensorboard"
	"godarts/torch"
)

// experimentFlags are the flags of search and train.
type experimentFlags struct {
	set             []string
	out, resume     string
	checkpointEvery string
	keep            int
	device          string
	threads         threadsFlag
	seed            int64
	genotype        string // train
	tensorboard     bool
	attached        attachedFlags
	limit           forFlag
}

func (o *experimentFlags) register(f *pflag.FlagSet, k kind) {
	if k.experiment == config.Train {
		f.StringVar(&o.genotype, "genotype", "", "`NAME`, text, file, run or export of a cell")
	}
	f.StringArrayVar(&o.set, "set", nil, "override a `KEY=VALUE`; a few with --resume")
	f.StringVar(&o.out, "out", "", "run `folder`; default runs/NAME-TIME")
	f.StringVar(&o.checkpointEvery, "checkpoint-every", "10m", "save after `STEPS` or a time")
	registerKeep(f, &o.keep)
	o.limit.add(f)
	f.StringVar(&o.resume, "resume", "", "go on with the run in `DIR`")
	f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
	o.threads.add(f)
	f.Int64Var(&o.seed, "seed", 0, "seed of random streams; default the config's")
	f.BoolVar(&o.tensorboard, "tensorboard", false, "write files for TensorBoard into events/")
	o.attached.addServe(f)
	o.attached.addNotify(f)
}

// newExperiment makes the sub-command of a search or a training.
func newExperiment(short string, k kind) *cobra.Command {
	var o experimentFlags
	return newCommand(spec{
		use: k.name + " CONFIG [flags]\n       darts " + k.name + " --resume DIR", short: short, example: k.example,
		max: 1, wanted: "one CONFIG", outlives: true, experiment: k.experiment, complete: configFiles,
		flags: func(f *pflag.FlagSet) { o.register(f, k) },
		run: func(c *cobra.Command, _ []string) error {
			return o.start(c.Flags(), k, c.OutOrStdout(), c.ErrOrStderr())
		},
	})
}

// start begins or continues the experiment.
func (o *experimentFlags) start(f *pflag.FlagSet, k kind, stdout, stderr io.Writer) error {
	c, dir, err := o.prepare(f, k)
	if err != nil {
		return usageError{err}
	}
	k.attached, k.limit = o.attached, o.limit
	every, err := parseEvery(o.checkpointEvery)
	if err == nil {
		err = checkKeep(f, o.keep)
	}
	if err == nil {
		err = o.limit.check(k.name)
	}
	if err != nil {
		return usageError{err}
	}
	if err := o.threads.use(k.name); err != nil {
		return err
	}
	printNotes(stdout, notesOf(o.genotype))
	if dir != "" && runfolder.Finished(dir) { // its device need not be here
		own, err := runfolder.ReadConfig(dir) // without what --set changes
		if err == nil {
			err = runfolder.CheckResult(dir, own)
		}
		if err != nil {
			return usageError{err}
		}
		fmt.Fprintf(stdout, "the run in %s is complete\n", names.Escape(dir))
		if err := adoptFinished(dir, c, o.set, stdout); err != nil {
			return usageError{err}
		}
		return k.start(dir, c, nas.Settings{}, stdout, stderr)
	}
	device, err := torch.ParseDevice(o.device)
	if err != nil {
		return usageError{err}
	}
	reserved := dir == ""
	if reserved {
		if dir, err = reserve(f.Arg(0), time.Now()); err != nil {
			return usageError{err}
		}
	}
	settings := nas.Settings{Device: device, Every: every, Keep: o.keep, Changed: o.resume != "" && len(o.set) > 0}
	if o.tensorboard || o.resume != "" && runfolder.Has(dir, tensorboard.Folder) {
		live := tensorboard.NewLive()
		settings.Hooks = append(settings.Hooks, live.Hooks())
		defer func() {
			if err := live.Close(); err != nil {
				printNotes(stderr, []string{"event files are not complete: " + oneLine(err)})
			}
		}()
	}
	err = k.start(dir, c, settings, stdout, stderr)
	if err != nil && reserved {
		os.Remove(dir) // fails, as it should, unless nothing began in it
	}
	return err
}

// adoptFinished writes what set changes of the complete run in dir, whose config becomes c.
func adoptFinished(dir string, c *config.Config, set []string, stdout io.Writer) error {
	if len(set) == 0 {
		return nil
	}
	changes, err := nas.AdoptFinished(dir, c)
	if err == nil && changes != "" {
		fmt.Fprintln(stdout, "note: changed:", changes)
	}
	return err
}

// prepare finds the config and the run folder of a new run, or of the run to continue. The folder is empty if a new
// run gets the default one.
func (o *experimentFlags) prepare(f *pflag.FlagSet, k kind) (*config.Config, string, error) {
	var c *config.Config
	var dir string
	var err error
	if o.resume != "" {
		dir = o.resume
		c, err = o.prepareResume(f, k)
	} else {
		dir = o.out
		c, err = o.prepareNew(f, k)
	}
	if err != nil {
		return nil, "", err
	}
	if c.Experiment != k.experiment {
		return nil, "", fmt.Errorf("%s: %s is the config of a %s: use `darts %s`", k.name, cmp.Or(o.resume, f.Arg(0)), c.Experiment, c.Experiment)
	}
	if o.resume == "" && dir != "" && runfolder.HoldsRun(dir) && !runfolder.HoldsOnlyStart(dir) {
		return nil, "", fmt.Errorf("%s: %s holds a run already: go on with --resume %s, or choose another --out", k.name, dir, names.Shell(dir))
	}
	return c, dir, nil
}

func (o *experimentFlags) prepareNew(f *pflag.FlagSet, k kind) (*config.Config, error) {
	if f.NArg() != 1 {
		return nil, fmt.Errorf("%s: no CONFIG given; for example: %s", k.name, k.example)
	}
	c, err := config.Load(f.Arg(0), o.set...)
	if err != nil {
		return nil, err
	}
	if f.Changed("seed") {
		if o.seed < 0 {
			return nil, fmt.Errorf("%s: --seed %d: wanted 0 or more", k.name, o.seed)
		}
		c.Seed = o.seed
	}
	if c.Experiment == config.Train {
		g, err := runfolder.GenotypeFor(c, cmp.Or(o.genotype, c.Genotype))
		if err != nil {
			return nil, err
		}
		c.Genotype = g.String()
	}
	return c, nil
}

// prepareResume takes device and threads from the run where no flag sets them.
func (o *experimentFlags) prepareResume(f *pflag.FlagSet, k kind) (*config.Config, error) {
	for _, flag := range []string{"out", "seed", "genotype"} {
		if f.Changed(flag) {
			return nil, fmt.Errorf("%s: --%s does not go with --resume: the run folder says it", k.name, flag)
		}
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%s: --resume takes the config from the run folder, but %q is given", k.name, f.Arg(0))
	}
	c, err := nas.Changed(o.resume, o.set)
	if err != nil {
		return nil, err
	}
	a, err := runfolder.ReadRunInfo(o.resume)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil // the run then notes what it goes on with
	}
	if err != nil {
		return nil, err
	}
	if !f.Changed("device") {
		o.device = a.Device
	}
	if !f.Changed("threads") {
		o.threads = threadsFlag(a.Threads)
	}
	return c, nil
}
