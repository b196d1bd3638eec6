package torch

// #include "internal/shim/shim.h"
// #include <stdlib.h>
// #cgo noescape torch_compiled_version
// #cgo noescape torch_cuda_count
// #cgo noescape torch_load_cuda
// #cgo noescape torch_loaded_version
// #cgo noescape torch_peak_reserved
// #cgo noescape torch_set_tf32
// #cgo noescape torch_tf32
// #cgo nocallback torch_compiled_version
// #cgo nocallback torch_cuda_count
// #cgo nocallback torch_load_cuda
// #cgo nocallback torch_loaded_version
// #cgo nocallback torch_peak_reserved
// #cgo nocallback torch_set_tf32
// #cgo nocallback torch_tf32
import "C"

import (
	"fmt"
	"os"
	"strings"
	"unsafe"
)

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

// PeakReserved is the most memory that libtorch has taken of the GPU d so far, in bytes:
// that of tensors, and what it keeps for the next ones. As torch.cuda.max_memory_reserved.
func PeakReserved(d Device) int64 {
	var bytes C.int64_t
	if e := C.torch_peak_reserved(C.int(d.index), &bytes); e != nil {
		throw("peak_reserved", e)
	}
	return int64(bytes)
}
