package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"godarts/nas/runfolder"
)

// newMan makes the hidden sub-command that scripts/man calls.
func newMan() *cobra.Command {
	c := newCommand(spec{use: "man DIR", short: "write manual pages", example: "darts man man1", min: 1, max: 1, wanted: "one DIR", run: runMan})
	c.Hidden = true
	return c
}

func runMan(c *cobra.Command, args []string) error {
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return usagef("man: %w", err)
	}
	root := c.Root()
	root.DisableAutoGenTag = true
	return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "darts " + runfolder.Version(), Manual: "darts"}, args[0])
}
