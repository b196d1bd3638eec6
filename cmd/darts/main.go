// Command darts searches cells, trains and tests the networks they make, and
// draws them.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"godarts/nas/home"
	"godarts/nas/names"
	"godarts/torch"
)

// init keeps main on the process's first thread, where TuneMalloc takes effect.
func init() { runtime.LockOSThread() }

func main() {
	spinBriefly(os.Args)
	torch.TuneMalloc()
	// The ranks of a supernet are in libtorch for nearly all of their time. Where the
	// runtime has processors to spare it leaves them theirs, instead of starting threads
	// that look for work.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 2)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1   // the run failed
	exitUsage       = 2   // wrong usage or config: no run began
	exitInterrupted = 130 // as a shell reports SIGINT
)

// command is a sub-command: run gets its arguments and says how it ended.
type command struct {
	name, summary string
	run           func(args []string, stdout, stderr io.Writer) error
	outlives      bool // goes on when nobody reads its output any more
}

func commands() []command {
	return []command{
		{"search", "search a cell", searches.command, true},
		{"train", "train the network of a cell from scratch", trainings.command, true},
		{"test", "measure a trained network on the test images or text", runTest, false},
		{"repeat", "search, choose and train with several seeds: the paper's protocol", runRepeat, true},
		{"info", "tell what a network takes: weights, multiply-adds, memory", runInfo, false},
		{"export", "write a trained network for PyTorch", runExport, false},
		{"compare", "compare strategies on a table of results", runCompare, true},
		{"bench", "time the steps, alone or in turn with other programs", runBench, true},
		{"draw", "draw cells as SVG", runDraw, false},
		{"genotypes", "list the published cells", runGenotypes, false},
		{"data", "get data sets", runData, true},
		{"version", "print versions and devices", runVersion, false},
	}
}

// usageError is a mistake in the arguments, the config or what they name, found
// before a run began.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// interruptedError says how to go on with a run that a signal stopped.
type interruptedError struct{ how string }

func (e interruptedError) Error() string { return "interrupted; go on with: " + e.how }

func run(args []string, stdout, stderr io.Writer) int {
	err := dispatch(args, stdout, stderr)
	var usage usageError
	var interrupted interruptedError
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
		return exitOK
	case errors.As(err, &interrupted):
		fmt.Fprintln(stderr, interrupted)
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "darts:", oneLine(err))
		return exitUsage
	}
	fmt.Fprintln(stderr, "darts:", oneLine(err))
	return exitFailed
}

// longestError is how many characters of an error are printed. Paths take up to 4096.
const longestError = 1500

// oneLine joins the lines of an error that is several, and shows what in it is not for printing.
func oneLine(err error) string {
	return names.Ends(names.Escape(strings.ReplaceAll(err.Error(), "\n", "; ")), longestError)
}

func dispatch(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		printUsage(stderr)
		return usagef("no command given")
	}
	name := args[0]
	if slices.Contains([]string{"help", "-h", "--help"}, name) {
		printUsage(stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name == name {
			if _, err := torch.Processor(); err != nil {
				return usageError{err}
			}
			if _, err := home.Expand(os.Getenv("GODARTS_DATA")); err != nil {
				return usagef("GODARTS_DATA: %w", err)
			}
			if c.outlives {
				outliveReaders()
			}
			return c.run(args[1:], stdout, stderr)
		}
	}
	var all []string
	for _, c := range commands() {
		all = append(all, c.name)
	}
	return usagef("unknown command %q (there are: %s)", name, strings.Join(all, ", "))
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, "darts searches neural network cells by gradients and trains what it finds.\n\nusage: darts COMMAND [ARGUMENT ...]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\n  darts search configs/quickstart.yaml\n\n`darts COMMAND --help` tells more of each.\n")
}

// newFlags makes the flag set of a sub-command with its help text.
func newFlags(name, usage, example string, stdout io.Writer) *pflag.FlagSet {
	f := pflag.NewFlagSet("darts "+name, pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	f.Usage = func() {
		fmt.Fprintf(stdout, "usage: darts %s %s\n\n%s\nexample:\n  %s\n", name, usage, f.FlagUsages(), example)
	}
	return f
}

// expandHome expands the ~ of arguments and of flags that name a file or a folder.
func expandHome(f *pflag.FlagSet) error {
	var errs []error
	expand := func(path string) string {
		expanded, err := home.Expand(path)
		errs = append(errs, err)
		return expanded
	}
	f.Visit(func(flag *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(flag)
		if !slices.Contains([]string{"FILE", "DIR", "folder"}, kind) && flag.Name != "genotype" {
			return
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			paths := list.GetSlice()
			for i, path := range paths {
				paths[i] = expand(path)
			}
			errs = append(errs, list.Replace(paths))
			return
		}
		errs = append(errs, flag.Value.Set(expand(flag.Value.String())))
	})
	for i, arg := range f.Args() {
		f.Args()[i] = expand(arg)
	}
	return errors.Join(errs...)
}

// parse reads the flags and checks the number of arguments left.
func parse(f *pflag.FlagSet, args []string, min, max int, wanted string) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return err
		}
		return usagef("%s: %w (`%s --help` lists the flags)", strings.TrimPrefix(f.Name(), "darts "), unknownFlag(f, args, err), f.Name())
	}
	if err := expandHome(f); err != nil {
		return usagef("%s: %w", strings.TrimPrefix(f.Name(), "darts "), err)
	}
	if n := f.NArg(); n < min || n > max {
		return usagef("%s: %s wanted, %d given", strings.TrimPrefix(f.Name(), "darts "), wanted, n)
	}
	return nil
}
