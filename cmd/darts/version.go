package main

import (
	"fmt"
	"io"
	"runtime"

	"godarts/nas"
	"godarts/nas/data"
	"godarts/torch"
)

func runVersion(args []string, stdout, _ io.Writer) error {
	f := newFlags("version", "", "darts version", stdout)
	if err := parse(f, args, 0, 0, "no argument"); err != nil {
		return err
	}
	processor, err := torch.Processor()
	if err != nil {
		return err
	}
	jpeg, why, err := data.JPEGDecoder()
	if err != nil {
		return err
	}
	if why != nil {
		jpeg += fmt.Sprintf(" (no libturbojpeg: %v)", why)
	}
	fmt.Fprintf(stdout, "darts %s\nlibtorch %s, %d threads\n%s %s/%s\nprocessor: %s\nJPEG: %s\n", nas.Version(), torch.Version(), torch.Threads(),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, processor, jpeg)
	if device, err := torch.CUDA(0); err != nil {
		fmt.Fprintln(stdout, "no GPU:", err)
	} else {
		fmt.Fprintln(stdout, "GPU:", device)
	}
	return nil
}
