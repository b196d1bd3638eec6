package main

import (
	"github.com/spf13/pflag"

	"godarts/torch"
)

// mostThreads is what --threads accepts at most.
const mostThreads = 1024

// threadsFlag is the flag --threads; 0 leaves the number to libtorch.
type threadsFlag int

// add adds the flag to those of a command.
func (n *threadsFlag) add(f *pflag.FlagSet) {
	f.IntVar((*int)(n), "threads", 0, "threads of an operator; 0: libtorch's choice")
}

// check refuses a number that a command cannot run with.
func (n threadsFlag) check(command string) error {
	if n < 0 || n > mostThreads {
		return usagef("%s: --threads %d: wanted 1 to %d, or 0 for libtorch's choice", command, int(n), mostThreads)
	}
	return nil
}

// use makes libtorch run operators with so many threads.
func (n threadsFlag) use(command string) error {
	err := n.check(command)
	if err == nil && n > 0 {
		torch.SetThreads(int(n))
	}
	return err
}
