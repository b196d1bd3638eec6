package torch

// #include "internal/shim/shim.h"
// #include <stdlib.h>
// #cgo noescape torch_set_threads
// #cgo noescape torch_threads
// #cgo noescape torch_tune_malloc
// #cgo nocallback torch_set_threads
// #cgo nocallback torch_threads
// #cgo nocallback torch_tune_malloc
import "C"

import (
	"fmt"
	"strconv"
	"strings"
)

// Device is where a tensor lies. The zero value is the CPU.
type Device struct {
	kind, index int // libtorch's device type; index counts the GPUs
}

// CPU is the host.
var CPU = Device{}

const cudaType = 1

// String gives PyTorch's name: "cpu", "cuda:0".
func (d Device) String() string {
	if d.kind == cudaType {
		return "cuda:" + strconv.Itoa(d.index)
	}
	return "cpu"
}

// cIndex is libtorch's index: the CPU has none.
func (d Device) cIndex() int {
	if d.kind == 0 {
		return -1
	}
	return d.index
}

// IsCUDA tells whether d is a GPU.
func (d Device) IsCUDA() bool { return d.kind == cudaType }

// ParseDevice reads "cpu", "cuda" or "cuda:1". It returns an error if the GPU
// is not there, saying what was missing.
func ParseDevice(name string) (Device, error) {
	kind, number, numbered := strings.Cut(name, ":")
	if kind == "cpu" && !numbered {
		return CPU, nil
	}
	if kind != "cuda" {
		return Device{}, fmt.Errorf("torch: unknown device %q (wanted cpu, cuda or cuda:N)", name)
	}
	if !numbered {
		return CUDA(0)
	}
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 {
		return Device{}, fmt.Errorf("torch: unknown device %q (wanted cpu, cuda or cuda:N)", name)
	}
	return CUDA(i)
}

// maxThreads is far above what helps; the OpenMP of libtorch ends the process
// where it cannot start as many threads as it was told.
const maxThreads = 1024

// SetThreads sets the threads of one operator on the CPU, 1 to 1024. libtorch keeps the
// number per thread of the system: one that has computed before keeps its own. So call it
// from a goroutine that is locked to its thread (runtime.LockOSThread) and computes there.
func SetThreads(n int) {
	if n < 1 || n > maxThreads {
		Misuse("set_num_threads", "%d threads, wanted 1 to %d", n, maxThreads)
	}
	C.torch_set_threads(C.int(n))
}

// Threads is the number of threads of one operator on the CPU.
func Threads() int { return int(C.torch_threads()) }

// TuneMalloc makes the C library's malloc keep what is freed, for the next tensor,
// instead of giving it back to the system, which would hand out every large tensor
// anew, zeroed page by page. It changes the whole process, which then never shrinks,
// so that calling it is up to main. glibc keeps to it on the process's first thread
// alone: to compute there, lock the main goroutine to it, in an init. It reports
// whether the library took the settings.
func TuneMalloc() bool { return C.torch_tune_malloc() != 0 }

// Version is that of the loaded libtorch, which init compared with the headers.
func Version() string { return loadedVersion }
