package quantise

import (
	"runtime"

	"golang.org/x/sys/cpu"
)

// MostHere returns the largest integer of weights that is exact on this processor.
func MostHere() int {
	return mostOn(runtime.GOARCH == "amd64", cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI)
}

// mostOn returns the largest integer of weights for a processor. Without VNNI those of Intel and AMD add two
// products in 16 bits, which clamp.
func mostOn(x86, vnni bool) int {
	if x86 && !vnni {
		return Reduced
	}
	return Full
}
