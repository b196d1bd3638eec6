// Command darts searches for cells, trains and tests their networks, and draws cells.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"godarts/nas/runfolder"
	"godarts/torch"
)

// init keeps main on the process's first thread, where TuneMalloc has its effect.
func init() { runtime.LockOSThread() }

func main() {
	limitSpinning(os.Args)
	torch.TuneMalloc()
	// The ranks of a supernet spend nearly all time in libtorch. With spare processors the runtime leaves them theirs;
	// without, it starts threads that look for work.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 2)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes a command line and returns the exit status.
func run(words []string, stdout, stderr io.Writer) int {
	root := newRoot(words)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var usage usageError
	var interrupted interruptedError
	switch {
	case err == nil:
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

// newRoot makes the program with all sub-commands; words are the command line.
func newRoot(words []string) *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use: "darts", Short: "search neural network cells by gradients, train what is found", Long: descriptions["darts"],
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Args: cobra.ArbitraryArgs, // RunE says what is wrong with them
	}
	version := root.Flags().Bool("version", false, "print the version")
	root.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *version:
			fmt.Fprintln(c.OutOrStdout(), "darts", runfolder.Version())
			return nil
		case len(args) > 0:
			return unknownCommand(c, args[0])
		}
		printRoot(c, c.ErrOrStderr())
		return usagef("no command given")
	}
	root.SetArgs(append([]string{}, words...)) // nil would mean the arguments of the process
	root.SetHelpFunc(printHelp)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return flagError(c, words, err) })
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.SetHelpCommand(newHelp())
	root.AddCommand(newSearch(), newTrain(), newTest(), newRepeat(), newInfo(), newScale(), newPrune(), newQuantise(), newCompress())
	root.AddCommand(newExport(), newClassify(), newGenerate(), newLatency())
	root.AddCommand(newCompare(words), newSweep(words), newBench(), newDraw(), newReport(), newPlot(), newRuns(), newServe())
	root.AddCommand(newConfigs(), newGenotypes(), newData(words), newVersion(), newCompletion(), newMan())
	return root
}
