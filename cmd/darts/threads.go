package main

import (
	"github.com/spf13/pflag"

	"godarts/torch"
)

// mostThreads is the largest number that --threads accepts.
const mostThreads = 1024

// threadsFlag is the flag --threads; 0 leaves the number to libtorch.
type threadsFlag int

// add adds the flag to a command's flags.
func (n *threadsFlag) add(f *pflag.FlagSet) {
	f.IntVar((*int)(n), "threads", 0, "threads of an operator; 0: libtorch's choice")
}

// check returns an error for a number that no command can run with.
func (n threadsFlag) check(command string) error {
	if n < 0 || n > mostThreads {
		return usagef("%s: --threads %d: wanted 1 to %d, or 0 for libtorch's choice", command, int(n), mostThreads)
	}
	return nil
}

// use sets the number of threads of libtorch's operators.
func (n threadsFlag) use(command string) error {
	err := n.check(command)
	if err == nil && n > 0 {
		torch.SetThreads(int(n))
	}
	return err
}
