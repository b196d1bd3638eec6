package torch

// #include "internal/shim/shim.h"
// #include <stdlib.h>
// #cgo noescape torch_libtorch_processor
// #cgo noescape torch_processor
// #cgo nocallback torch_libtorch_processor
// #cgo nocallback torch_processor
import "C"

import (
	"strings"
	"unsafe"
)

// unfit says why no scope opens.
var unfit *Error

func init() {
	if _, err := Processor(); err != nil {
		unfit = err.(*Error)
	}
}

// Processor names the kind of processor that loops are chosen for: "avx512", "avx2", or "none"
// of the two. It is the machine's, or a lesser one where the environment asks for that:
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
	if libtorch == own {
		return own
	}
	return own + ", libtorch " + libtorch
}
