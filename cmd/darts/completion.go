package main

import (
	"github.com/spf13/cobra"
)

func newCompletion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return newCommand(spec{
		use: "completion bash|zsh|fish", short: "print the completion script of a shell", example: "source <(darts completion bash)",
		min: 1, max: 1, wanted: "one of bash, zsh and fish",
		complete: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return shells, cobra.ShellCompDirectiveNoFileComp
		},
		run: func(c *cobra.Command, args []string) error {
			switch w := c.OutOrStdout(); args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(w, true)
			case "zsh":
				return c.Root().GenZshCompletion(w)
			case "fish":
				return c.Root().GenFishCompletion(w, true)
			}
			return usagef("completion: unknown shell %q (wanted: bash, zsh or fish)", args[0])
		},
	})
}
