package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"godarts/nas/config"
)

// screenWidth is the number of columns of the help.
const screenWidth = 80

// newHelp makes the sub-command help, which prints the same as --help.
func newHelp() *cobra.Command {
	return newCommand(spec{use: "help [COMMAND]", short: "tell how a command is used", example: "darts help search", max: 1, wanted: "one COMMAND",
		complete: func(c *cobra.Command, args []string, _ string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
			for _, other := range c.Root().Commands() {
				if len(args) == 0 && other.IsAvailableCommand() {
					found = append(found, cobra.CompletionWithDesc(other.Name(), other.Short))
				}
			}
			return found, cobra.ShellCompDirectiveNoFileComp
		},
		run: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			if len(rest) > 0 {
				return unknownCommand(c.Root(), rest[0])
			}
			return found.Help()
		}})
}

// printHelp prints how a command is used on a screen of 24 lines.
func printHelp(c *cobra.Command, _ []string) {
	w := c.OutOrStdout()
	if !c.HasParent() {
		printRoot(c, w)
		return
	}
	fmt.Fprintf(w, "usage: %s\n\n", c.UseLine())
	if c.HasAvailableLocalFlags() {
		fmt.Fprintln(w, c.Flags().FlagUsagesWrapped(screenWidth))
	}
	if experiment := c.Annotations[experimentNote]; experiment != "" {
		fmt.Fprintf(w, "keys of a config, for files and --set, with defaults (all: --keys):\n%s\n", usedKeys(experiment))
	}
	fmt.Fprintf(w, "example:\n%s\n", c.Example)
}

// lesser are commands that the list names in one line: it has to fit on a screen of 24 lines.
var lesser = []string{"configs", "data", "bench", "genotypes", "generate", "version", "completion"}

// printRoot prints the list of commands.
func printRoot(root *cobra.Command, w io.Writer) {
	fmt.Fprint(w, "usage: darts COMMAND [ARGUMENT ...], such as: darts search quickstart\n\n")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && !slices.Contains(lesser, c.Name()) {
			fmt.Fprintf(w, "  %-10s %s\n", c.Name(), c.Short)
		}
	}
	fmt.Fprintf(w, "  also:      %s\n", strings.Join(lesser, ", "))
	fmt.Fprint(w, "\n`darts COMMAND --help` tells more of each.\n")
}

// mostUsed are the keys that the help of an experiment shows.
var mostUsed = map[string][]string{
	config.Search:     {"strategy.name", "strategy.order", "data.name", "data.batch", "network.channels", "network.layers", "epochs", "w.lr", "alpha.lr", "seed"},
	config.Train:      {"data.name", "data.batch", "network.channels", "network.layers", "network.auxiliary", "network.drop_path", "epochs", "w.lr", "seed"},
	config.Repeat:     {"repeat.search", "repeat.searches", "repeat.brief.epochs", "repeat.trains", "evaluate.train", "evaluate.random"},
	config.Sweep:      {"base", "keys", "draws", "seeds", "halving.rungs", "halving.keep", "seed"},
	config.Comparison: {"compare.table", "compare.dataset", "compare.queries", "compare.seeds", "compare.search", "compare.strategies", "evaluate.train", "data.root", "seed"},
}

// usedKeys returns lines with those keys and their defaults.
func usedKeys(experiment string) string {
	defaults := map[string]string{}
	for _, k := range config.KeysOf(experiment) {
		defaults[k.Path] = k.Default
	}
	var lines strings.Builder
	line := " "
	for _, path := range mostUsed[experiment] {
		item := " " + path
		if value := defaults[path]; value != `""` && value != "[]" {
			item += "=" + value
		}
		if len(line)+len(item) > screenWidth {
			fmt.Fprintln(&lines, line)
			line = " "
		}
		line += item
	}
	fmt.Fprintln(&lines, line)
	return lines.String()
}

// printKeys prints all keys of an experiment.
func printKeys(w io.Writer, experiment string) {
	keys := config.KeysOf(experiment)
	width := 0
	for _, k := range keys {
		width = max(width, len(k.Path))
	}
	for _, k := range keys {
		fmt.Fprintf(w, "%-*s  %s\n", width, k.Path, k.Text)
	}
}
