package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"godarts/nas/data/picture"
	"godarts/nas/runfolder"
	"godarts/torch"
)

func newVersion() *cobra.Command {
	return newCommand(spec{use: "version", short: "print versions and devices", example: "darts version", wanted: "no argument", run: runVersion})
}

func runVersion(c *cobra.Command, _ []string) error {
	stdout := c.OutOrStdout()
	processor, err := torch.Processor()
	if err != nil {
		return err
	}
	jpeg, why, err := picture.JPEGDecoder()
	if err != nil {
		return err
	}
	if why != nil {
		jpeg += fmt.Sprintf(" (no libturbojpeg: %v)", why)
	}
	fmt.Fprintf(stdout, "darts %s\nlibtorch %s, %d threads\n%s %s/%s\nprocessor: %s\nJPEG: %s\n", runfolder.Version(), torch.Version(), torch.Threads(),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, processor, jpeg)
	if device, err := torch.CUDA(0); err != nil {
		fmt.Fprintln(stdout, "no GPU:", err)
	} else {
		fmt.Fprintln(stdout, "GPU:", device)
	}
	return nil
}
