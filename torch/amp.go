package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_autocast_begin
// #cgo noescape torch_autocast_end
// #cgo nocallback torch_autocast_begin
// #cgo nocallback torch_autocast_end
import "C"

// Autocast runs fn with convolutions and matrix products of device d in dtype
// (BFloat16, Float16). It belongs inside Do, which locks the thread that has the
// mode.
func Autocast(d Device, dtype Dtype, fn func()) {
	needFunction("autocast", fn == nil)
	needScope("autocast")
	var before C.torch_autocast_state
	if e := C.torch_autocast_begin(C.int(d.kind), C.int(dtype.code()), &before); e != nil {
		throw("autocast", e)
	}
	defer func() {
		if e := C.torch_autocast_end(C.int(d.kind), before); e != nil {
			throw("autocast", e)
		}
	}()
	fn()
}
