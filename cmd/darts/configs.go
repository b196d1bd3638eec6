package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"godarts/cells/spelling"
	"godarts/nas/config"
	"godarts/nas/names"
)

func newConfigs() *cobra.Command {
	return newCommand(spec{
		use: "configs [NAME]", short: "list the configs in the program, or print one", example: "darts configs cifar10-darts-second",
		max: 1, wanted: "one NAME or none",
		complete: func(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return builtins(typed, ""), cobra.ShellCompDirectiveNoFileComp
		},
		run: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listConfigs(c.OutOrStdout())
			}
			return printConfig(args[0], c.OutOrStdout())
		},
	})
}

// listConfigs prints the names and titles of the configs in the program, without the toys.
func listConfigs(stdout io.Writer) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, b := range config.Builtins() {
		if !strings.HasSuffix(b.Name, ".toy") {
			fmt.Fprintf(table, "%s\t%s\n", b.Name, b.Title)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(stdout, "\nNAME.toy is the same at a size that takes seconds, for most of them. A file of that name comes first.\n")
	return err
}

// printConfig prints the config of that name, without or with .yaml.
func printConfig(name string, stdout io.Writer) error {
	var known []string
	for _, b := range config.Builtins() {
		if b.Name == strings.TrimSuffix(name, ".yaml") {
			_, err := io.WriteString(stdout, b.Text)
			return err
		}
		known = append(known, b.Name)
	}
	near := names.NearestBy(name, known, spelling.Distance)
	if near != "" {
		near = " (nearest: " + near + ")"
	}
	return usagef("configs: there is no config %s in the program%s", names.Escape(name), near)
}
