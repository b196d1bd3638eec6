package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/wholefile"
	"godarts/torch"
)

// kind is what differs between a search and a training.
type kind struct {
	name, experiment, example string
	run                       func(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error
	resume                    string // the command that goes on; empty for --resume
}

var (
	searches  = kind{name: "search", experiment: config.Search, example: "darts search configs/cifar10-darts-second.yaml --seed 3 --out runs/second-3", run: search}
	trainings = kind{name: "train", experiment: config.Train, example: "darts train configs/cifar10-train.yaml --genotype runs/second-3", run: train}
)

// experimentFlags are the flags of search and train.
type experimentFlags struct {
	set             []string
	out, resume     string
	checkpointEvery string
	keep            int
	device          string
	threads         int
	seed            int64
	genotype        string // train
}

func (o *experimentFlags) register(f *pflag.FlagSet, k kind) {
	if k.experiment == config.Train {
		f.StringVar(&o.genotype, "genotype", "", "cell to train: a published `NAME`, a genotype's text, a file with one, or the folder of a run or an export")
	}
	f.StringArrayVar(&o.set, "set", nil, "override a config `KEY=VALUE`, with --resume one of epochs (upwards), data.root, data.on_bad_file and data.check; can be given several times")
	f.StringVar(&o.out, "out", "", "run `folder`; default runs/NAME-TIME")
	f.StringVar(&o.checkpointEvery, "checkpoint-every", "10m", "save after that many steps (`100`) or that much time (10m), and after each epoch")
	registerKeep(f, &o.keep)
	f.StringVar(&o.resume, "resume", "", "go on with the run in `DIR`; needs nothing else")
	f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:N")
	f.IntVar(&o.threads, "threads", 0, "threads of an operator on the CPU; 0 is libtorch's choice")
	f.Int64Var(&o.seed, "seed", 0, "seed of every random stream; default the config's")
}

// command is the sub-command.
func (k kind) command(args []string, stdout, stderr io.Writer) error {
	f := newFlags(k.name, "CONFIG [flags]\n       darts "+k.name+" --resume DIR", k.example, stdout)
	usage := f.Usage
	f.Usage = func() {
		usage()
		fmt.Fprintf(stdout, "\nkeys of a config, for files and --set:\n  %s\n", strings.Join(config.Keys(), "\n  "))
	}
	var o experimentFlags
	o.register(f, k)
	if err := parse(f, args, 0, 1, "one CONFIG"); err != nil {
		return err
	}
	c, dir, err := o.prepare(f, k)
	if err != nil {
		return usageError{err}
	}
	every, err := parseEvery(o.checkpointEvery)
	if err == nil {
		err = checkKeep(f, o.keep)
	}
	if err != nil {
		return usageError{err}
	}
	if o.threads < 0 || o.threads > 1024 {
		return usagef("%s: --threads %d: wanted 1 to 1024, or 0 for libtorch's choice", k.name, o.threads)
	}
	if o.threads > 0 {
		torch.SetThreads(o.threads)
	}
	printNotes(stdout, notesOf(o.genotype))
	if dir != "" && nas.Finished(dir) { // its device need not be here
		own, err := nas.ReadConfig(dir) // without what --set changes
		if err == nil {
			err = nas.CheckResult(dir, own)
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
	err = k.start(dir, c, nas.Settings{Device: device, Every: every, Keep: o.keep, Changed: o.resume != "" && len(o.set) > 0}, stdout, stderr)
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

// start runs the experiment until it ends or signals come.
func (k kind) start(dir string, c *config.Config, s nas.Settings, stdout, stderr io.Writer) error {
	resume := cmp.Or(k.resume, names.Command("darts", k.name, "--resume", dir))
	ctx, stop := interruptible(func() {
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
		}
		began = true
		return nil
	}}
	s.Hooks = append(s.Hooks, start, nas.Progress(stdout, terminalWidth(stdout)))
	err := k.run(ctx, dir, c, s, stdout)
	var failed *nas.FailedError
	switch {
	case err == nil, errors.As(err, &failed):
		return err
	case errors.Is(err, context.Canceled) && c != nil && !nas.HoldsRun(dir): // while image files were checked
		return interruptedError{"the same command, since no run had begun"}
	case errors.Is(err, context.Canceled):
		return interruptedError{resume}
	case !began:
		return usageError{err}
	}
	return err
}

// isTerminal tells whether w is a terminal on which a line can be drawn over.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// terminalWidth gives the columns that the terminal w has whenever it is called, 0 where it does
// not say; it is nil for what is no terminal.
func terminalWidth(w io.Writer) func() int {
	if !isTerminal(w) {
		return nil
	}
	fd := int(w.(*os.File).Fd())
	return func() int {
		columns, _, _ := term.GetSize(fd) // 0 with an error
		return columns
	}
}

// prepare finds the config and the run folder, of a new run or of the one to go
// on with. The folder is empty if a new run is to get the default one.
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
	if o.resume == "" && dir != "" && nas.HoldsRun(dir) && !nas.Begun(dir) {
		return nil, "", fmt.Errorf("%s: %s holds a run already: go on with --resume %s, or choose another --out", k.name, dir, names.Shell(dir))
	}
	return c, dir, nil
}

// reserve makes the default run folder of a config. Runs that start in the same
// second get one each.
func reserve(file string, now time.Time) (string, error) {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	first := filepath.Join("runs", name+now.Format("-20060102-150405"))
	if err := wholefile.MakeFolder(filepath.Dir(first)); err != nil {
		return "", fmt.Errorf("run folder: %w", err)
	}
	dir := first
	for n := 2; ; n++ {
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("run folder: %w", err)
		}
		dir = fmt.Sprintf("%s-%d", first, n)
	}
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
		g, err := nas.GenotypeFor(c, cmp.Or(o.genotype, c.Genotype))
		if err != nil {
			return nil, err
		}
		c.Genotype = g.String()
	}
	return c, nil
}

// prepareResume takes device and threads from the run, where the flags do not
// say otherwise.
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
	a, err := nas.ReadAbout(o.resume)
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
		o.threads = a.Threads
	}
	return c, nil
}

func search(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error {
	result, err := nas.Search(ctx, dir, c, s)
	var failed *nas.FailedError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	fmt.Fprintln(stdout, result.Genotype)
	if len(result.Evaluations) > 0 {
		table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "cell\tparameters\ttest error\t")
		for _, r := range result.Evaluations {
			if r.Diverged != nil {
				fmt.Fprintf(table, "%s\t\tdiverged\t\n", r.Name)
				continue
			}
			fmt.Fprintf(table, "%s\t%d\t%.2f %%\t\n", r.Name, r.Parameters, r.TestError)
		}
		table.Flush()
	}
	if result.Valid != nil {
		fmt.Fprintln(stdout, "validation", result.Valid)
	}
	printExpect(stdout, c)
	fmt.Fprintf(stdout, "run folder: %s\n", names.Escape(dir))
	return err
}

func train(ctx context.Context, dir string, c *config.Config, s nas.Settings, stdout io.Writer) error {
	result, err := nas.Train(ctx, dir, c, s)
	if err != nil {
		return err
	}
	printResult(stdout, result)
	printExpect(stdout, c)
	fmt.Fprintf(stdout, "run folder: %s\n", names.Escape(dir))
	return nil
}

func printResult(w io.Writer, r nas.TrainResult) {
	if r.Modelled != nil {
		printModelled(w, r)
		return
	}
	if r.Validated != nil {
		printMeasured(w, r, "validation", r.ValidError, r.ValidTopFiveError, r.ValidLoss)
		return
	}
	printMeasured(w, r, "test", r.TestError, r.TestTopFiveError, r.TestLoss)
}

// printMeasured prints r, in which e is the error on some images.
func printMeasured(w io.Writer, r nas.TrainResult, images string, e float64, topFive *float64, loss float64) {
	fmt.Fprintf(w, "%s error %.2f %%", images, e)
	if topFive != nil {
		fmt.Fprintf(w, ", top-5 error %.2f %%", *topFive)
	}
	fmt.Fprintf(w, ", loss %.4f, %d parameters", loss, r.Parameters)
	if r.Skipped > 0 {
		fmt.Fprintf(w, "; images left out, which could not be decoded: %d", r.Skipped)
	}
	fmt.Fprintln(w)
}

// printModelled prints what a language model reached.
func printModelled(w io.Writer, r nas.TrainResult) {
	fmt.Fprintf(w, "test %v; %d parameters\n", r.Test, r.Parameters)
	if r.Valid == nil {
		return
	}
	fmt.Fprintf(w, "validation %v; the best was epoch %d", r.Valid, r.BestEpoch)
	if r.Restarts > 0 {
		fmt.Fprintf(w, "; times that training diverged and went back: %d", r.Restarts)
	}
	fmt.Fprintln(w)
}

func printExpect(w io.Writer, c *config.Config) {
	if e := c.Expect; e != nil && c.Data.IsText() {
		fmt.Fprintf(w, "%s: test perplexity %.2f (%s)\n", names.Print(e.Title()), e.TestPerplexity, names.Print(e.Source))
	} else if e != nil {
		text := fmt.Sprintf("%.2f", e.TestError)
		if e.Std > 0 {
			text += fmt.Sprintf(" ± %.2f", e.Std)
		}
		if e.TopFive > 0 {
			text += fmt.Sprintf(" %%, top-5 error %.2f", e.TopFive)
		}
		fmt.Fprintf(w, "%s: test error %s %% (%s)\n", names.Print(e.Title()), text, names.Print(e.Source))
	}
}

func runGenotypes(args []string, stdout, _ io.Writer) error {
	f := newFlags("genotypes", "", "darts genotypes", stdout)
	if err := parse(f, args, 0, 0, "no argument"); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "convolutional cells:")
	for _, g := range genotype.Published {
		fmt.Fprintf(stdout, "  %s = %s\n", g.Name, g.Genotype)
	}
	fmt.Fprintln(stdout, "recurrent cells:")
	for _, g := range genotype.PublishedRecurrent {
		fmt.Fprintf(stdout, "  %s = %s\n", g.Name, g.Genotype)
	}
	return nil
}
