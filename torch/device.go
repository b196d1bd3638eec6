package torch

// #include "internal/shim/shim.h"
// #include <stdlib.h>
// #cgo noescape torch_compiled_version
// #cgo noescape torch_cuda_count
// #cgo noescape torch_libtorch_processor
// #cgo noescape torch_load_cuda
// #cgo noescape torch_loaded_version
// #cgo noescape torch_peak_reserved
// #cgo noescape torch_processor
// #cgo noescape torch_set_tf32
// #cgo noescape torch_set_threads
// #cgo noescape torch_tf32
// #cgo noescape torch_threads
// #cgo noescape torch_tune_malloc
// #cgo nocallback torch_compiled_version
// #cgo nocallback torch_cuda_count
// #cgo nocallback torch_libtorch_processor
// #cgo nocallback torch_load_cuda
// #cgo nocallback torch_loaded_version
// #cgo nocallback torch_peak_reserved
// #cgo nocallback torch_processor
// #cgo nocallback torch_set_tf32
// #cgo nocallback torch_set_threads
// #cgo nocallback torch_tf32
// #cgo nocallback torch_threads
// #cgo nocallback torch_tune_malloc
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"
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
// instead of giving it back to the system, which would zero the pages of every new
// large tensor. It changes the whole process, which then never shrinks, so only main
// should call it. In glibc it has an effect only on the process's first thread: to
// compute there, lock the main goroutine to it, in an init. It reports whether the
// library took the settings.
func TuneMalloc() bool { return C.torch_tune_malloc() != 0 }

// Version is that of the loaded libtorch, which init compared with the headers.
func Version() string { return loadedVersion }

var loadedVersion string

// init loads CUDA before any other libtorch call: libtorch looks its CUDA hooks
// up once, so that a later dlopen would not count.
func init() {
	C.torch_load_cuda()
	const capacity = 64
	buffer := (*C.char)(C.malloc(capacity))
	defer C.free(unsafe.Pointer(buffer))
	if e := C.torch_loaded_version(buffer, capacity); e != nil {
		fmt.Fprintln(os.Stderr, failure("version", e))
		return
	}
	loadedVersion = C.GoString(buffer)
	compiled := C.GoString(C.torch_compiled_version())
	if release(loadedVersion) != release(compiled) {
		panic(fmt.Sprintf("torch: compiled for libtorch %s, loaded %s: run scripts/setup and build again",
			compiled, loadedVersion))
	}
	SetTF32(false)
}

// release cuts the local part: "2.11.0+cu130" is "2.11.0".
func release(version string) string {
	r, _, _ := strings.Cut(version, "+")
	return r
}

// CUDA gives the GPU number i. The error says what is missing: the NVIDIA
// driver, libtorch's CUDA part, or the card.
func CUDA(i int) (Device, error) {
	var n C.int
	if e := C.torch_cuda_count(&n); e != nil {
		return Device{}, fmt.Errorf("torch: cuda:%d: %s", i, failure("cuda", e).Message)
	}
	if i < 0 || i >= int(n) {
		return Device{}, fmt.Errorf("torch: cuda:%d: there are %d GPUs", i, int(n))
	}
	return Device{kind: cudaType, index: i}, nil
}

// SetTF32 says whether GPUs may round the factors of float32 products and
// convolutions to TF32, with 10 bits of mantissa instead of 23. It is off at the
// start; PyTorch starts with it on for convolutions.
func SetTF32(on bool) {
	if e := C.torch_set_tf32(flag(on)); e != nil {
		throw("set_tf32", e)
	}
}

// TF32 tells whether GPUs may use TF32 in products or convolutions.
func TF32() bool {
	var on C.int
	if e := C.torch_tf32(&on); e != nil {
		throw("tf32", e)
	}
	return on != 0
}

// WithTF32 runs fn after SetTF32(true), and restores what was set before.
func WithTF32(fn func()) {
	NeedFunction("with_tf32", fn == nil)
	before := TF32()
	SetTF32(true)
	defer SetTF32(before)
	fn()
}

// PeakReserved is the most memory that libtorch has taken of the GPU d so far, in bytes:
// that of tensors, and what it keeps for the next ones. As torch.cuda.max_memory_reserved.
func PeakReserved(d Device) int64 {
	var bytes C.int64_t
	if e := C.torch_peak_reserved(C.int(d.index), &bytes); e != nil {
		throw("peak_reserved", e)
	}
	return int64(bytes)
}

// unfit says why no scope opens.
var unfit *Error

func init() {
	if _, err := Processor(); err != nil {
		unfit = err.(*Error)
	}
}

// Processor names the kind of processor that loops are chosen for: "avx512", "avx2", "simd128"
// (vectors of 16 bytes: SSE2's, NEON's), or "none", where only libtorch's operators run. It is the
// machine's, or a lesser one where the environment asks for that:
// GODARTS_CPU for loops of our own, ATEN_CPU_CAPABILITY for libtorch's. Where the two differ it
// names both. It returns an error if GODARTS_CPU holds no kind: no scope opens then.
func Processor() (string, error) {
	var name *C.char
	if e := C.torch_processor(&name); e != nil {
		return "", failure("processor", e)
	}
	const capacity = 64
	buffer := (*C.char)(C.malloc(capacity))
	defer C.free(unsafe.Pointer(buffer))
	if e := C.torch_libtorch_processor(buffer, capacity); e != nil {
		return "", failure("processor", e)
	}
	return processors(C.GoString(name), C.GoString(buffer)), nil
}

// processors joins our name of the kind in use and libtorch's.
func processors(own, libtorch string) string {
	libtorch = strings.ToLower(libtorch)
	if libtorch == "no avx" || libtorch == "default" { // its names on x86 and elsewhere
		libtorch = "none"
	}
	if libtorch == own || libtorch == "none" && own == "simd128" { // libtorch has one name for both
		return own
	}
	return own + ", libtorch " + libtorch
}
