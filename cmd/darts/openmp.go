package main

import (
	"os"
	"slices"
	"syscall"
)

// spinCount is how many times a thread of OpenMP checks whether the others have arrived before it sleeps. By default
// libgomp checks for 3 ms and more. When another process works on the same cores, this takes time from the thread
// that all wait for: a quickstart on 2 cores took 12 times as long beside one busy process, and takes 2.2 times as
// long with this count. Without another process nothing is slower (RATIONALE, "Waiting in OpenMP").
const spinCount = "4000"

// computing are the sub-commands that compute.
var computing = []string{
	"search", "train", "test", "repeat", "sweep", "compare", "prune", "quantise", "compress", "classify", "generate", "latency", "bench",
}

// limitSpinning executes this program again, in the same process, with spinCount, unless the user has set how OpenMP
// waits. libgomp reads its environment when it is loaded, before any line of Go runs. limitSpinning returns if it need
// not or cannot change that.
func limitSpinning(args []string) {
	if len(args) < 2 || !slices.Contains(computing, args[1]) {
		return
	}
	for _, name := range []string{"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} {
		if _, said := os.LookupEnv(name); said {
			return
		}
	}
	if self, err := os.Executable(); err == nil {
		_ = syscall.Exec(self, args, append(os.Environ(), "GOMP_SPINCOUNT="+spinCount)) // the program works without
	}
}
