package main

import (
	"context"
	"fmt"
	"os/signal"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"godarts/nas/names"
	"godarts/nas/serve"
)

func newServe() *cobra.Command {
	var listen string
	return newCommand(spec{
		use: "serve [DIR] [flags]", short: "show runs in a browser, live", example: "darts serve runs",
		max: 1, wanted: "one DIR", complete: folderOf,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&listen, "listen", serve.DefaultAddress, "`HOST:PORT`; others than this machine need the token in the printed address")
		},
		run: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			server, err := serve.Open(dir, listen)
			if err != nil {
				return usageError{err}
			}
			fmt.Fprintf(c.OutOrStdout(), "runs in %s: %s\nCtrl-C ends this\n", names.Escape(dir), server.URL())
			ctx, stop := signal.NotifyContext(context.Background(), terminationSignals()...)
			defer stop()
			return server.Serve(ctx)
		},
	})
}
