package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_contiguous
// #cgo noescape torch_info
// #cgo noescape torch_item
// #cgo noescape torch_item_int
// #cgo noescape torch_read
// #cgo noescape torch_sizes
// #cgo noescape torch_to
// #cgo nocallback torch_contiguous
// #cgo nocallback torch_info
// #cgo nocallback torch_item
// #cgo nocallback torch_item_int
// #cgo nocallback torch_read
// #cgo nocallback torch_sizes
// #cgo nocallback torch_to
import "C"

import (
	"fmt"
	"unsafe"

	"godarts/torch/internal/stored"
)

// Tensor is a handle to a tensor of a scope. The zero value is no tensor:
// optional arguments (a bias) take it for none.
type Tensor struct {
	h C.torch_tensor
}

// StateDict is the tensors of a network or an optimizer by their names.
type StateDict map[string]Tensor

// Go's int holds an int64 of the shim: this line does not compile elsewhere.
var _ [0]struct{} = [unsafe.Sizeof(int(0)) - 8]struct{}{}

// Defined tells whether t is not the zero Tensor.
func (t Tensor) Defined() bool { return t.h.box != 0 }

func (t Tensor) info(op string) C.torch_tensor_info {
	var i C.torch_tensor_info
	if e := C.torch_info(t.h, &i); e != nil {
		throw(op, e, t)
	}
	return i
}

// Shape is a copy of the sizes.
func (t Tensor) Shape() []int { return t.shapeFor("shape") }

// shapeFor is Shape on behalf of an operator, which its errors name.
func (t Tensor) shapeFor(op string) []int {
	shape := make([]int, int(t.info(op).dim))
	if e := C.torch_sizes(t.h, int64s(shape), nil); e != nil {
		throw(op, e, t)
	}
	return shape
}

// Strides is a copy of the strides, in elements.
func (t Tensor) Strides() []int {
	n := int(t.info("stride").dim)
	shape, strides := make([]int, n), make([]int, n)
	if e := C.torch_sizes(t.h, int64s(shape), int64s(strides)); e != nil {
		throw("stride", e, t)
	}
	return strides
}

// Size is that of one dimension; a negative dim counts from the end.
func (t Tensor) Size(dim int) int {
	shape := t.shapeFor("size")
	at := dim
	if dim < 0 {
		at += len(shape)
	}
	if at < 0 || at >= len(shape) {
		Misuse("size", "dimension %d of a tensor of shape %s", dim, stored.Shape(shape))
	}
	return shape[at]
}

// Dim is the number of dimensions.
func (t Tensor) Dim() int { return int(t.info("dim").dim) }

// Numel is the number of elements.
func (t Tensor) Numel() int { return int(t.info("numel").numel) }

// Bytes is the size of the elements in bytes.
func (t Tensor) Bytes() int { return int(t.info("bytes").bytes) }

// Dtype is the type of the elements.
func (t Tensor) Dtype() Dtype { return dtypeOf(int(t.info("dtype").dtype)) }

// Device is where the elements lie.
func (t Tensor) Device() Device {
	i := t.info("device")
	if i.device_type == 0 {
		return CPU
	}
	return Device{kind: int(i.device_type), index: int(i.device_index)}
}

// Options are the type and device of t, for a new tensor beside it.
func (t Tensor) Options() Options { return Options{Dtype: t.Dtype(), Device: t.Device()} }

// IsContiguous tells whether the elements lie in row-major order without gaps.
func (t Tensor) IsContiguous() bool { return t.info("is_contiguous").contiguous != 0 }

// IsChannelsLast tells whether t [N,C,H,W] lies in memory as [N,H,W,C].
func (t Tensor) IsChannelsLast() bool { return t.info("is_contiguous").channels_last != 0 }

// Item is the value of a tensor with one element.
func (t Tensor) Item() float64 {
	refuseRead("item")
	return t.item()
}

// item is Item, also in NoReads.
func (t Tensor) item() float64 {
	var v C.double
	if e := C.torch_item(t.h, &v); e != nil {
		throw("item", e, t)
	}
	return float64(v)
}

// ItemInt is the value of an integer tensor with one element.
func (t Tensor) ItemInt() int {
	refuseRead("item")
	var v C.int64_t
	if e := C.torch_item_int(t.h, &v); e != nil {
		throw("item", e, t)
	}
	return int(v)
}

// Float64s copies the elements in row-major order, converted.
func (t Tensor) Float64s() []float64 {
	out := make([]float64, t.info("read").numel)
	t.read(Float64, unsafe.Pointer(unsafe.SliceData(out)), len(out)*8)
	return out
}

// Float32s copies the elements in row-major order, converted.
func (t Tensor) Float32s() []float32 {
	out := make([]float32, t.info("read").numel)
	t.read(Float32, unsafe.Pointer(unsafe.SliceData(out)), len(out)*4)
	return out
}

// Int64s copies the elements in row-major order, converted.
func (t Tensor) Int64s() []int64 {
	out := make([]int64, t.info("read").numel)
	t.read(Int64, unsafe.Pointer(unsafe.SliceData(out)), len(out)*8)
	return out
}

// Raw copies the bytes of the elements in row-major order.
func (t Tensor) Raw() []byte {
	i := t.info("read")
	out := make([]byte, i.bytes)
	t.read(dtypeOf(int(i.dtype)), unsafe.Pointer(unsafe.SliceData(out)), len(out))
	return out
}

func (t Tensor) read(d Dtype, out unsafe.Pointer, bytes int) {
	refuseRead("read")
	if e := C.torch_read(t.h, C.int(d.code()), out, C.int64_t(bytes)); e != nil {
		throw("read", e, t)
	}
}

// Copy_ overwrites t by src, broadcast and converted.
func (t Tensor) Copy_(src Tensor) Tensor {
	if InNoReads() {
		refuseMove("copy_", src.Device(), t.Device())
	}
	return t.binary_(C.TORCH_binary_copy_, src)
}

// Clone copies t.
func (t Tensor) Clone() Tensor { return t.unary(C.TORCH_unary_clone) }

// Detach is a view of t outside its graph.
func (t Tensor) Detach() Tensor { return t.unary(C.TORCH_unary_detach) }

// Contiguous is t, or a copy of it in row-major order.
func (t Tensor) Contiguous() Tensor { return t.contiguous(0) }

// ChannelsLast is t [N,C,H,W], or a copy of it that lies in memory as [N,H,W,C].
func (t Tensor) ChannelsLast() Tensor { return t.contiguous(1) }

func (t Tensor) contiguous(channelsLast C.int) Tensor {
	var r Tensor
	if e := C.torch_contiguous(t.h, channelsLast, &r.h); e != nil {
		throw("contiguous", e, t)
	}
	return r
}

// To is t, or a copy of it with another type or device.
func (t Tensor) To(o Options) Tensor {
	if InNoReads() {
		refuseMove("to", t.Device(), o.Device)
	}
	var r Tensor
	if e := C.torch_to(t.h, o.c(), &r.h); e != nil {
		throw("to", e, t)
	}
	return r
}

// ToDtype is To with the device of t.
func (t Tensor) ToDtype(d Dtype) Tensor { return t.To(Options{Dtype: d, Device: t.Device()}) }

// Fill_ sets every element.
func (t Tensor) Fill_(v float64) Tensor { return t.scalar_(C.TORCH_scalar_fill_, v) }

// Zero_ sets every element to zero.
func (t Tensor) Zero_() Tensor { return t.unary_(C.TORCH_unary_zero_) }

// describe is the shape for an error message; it never panics.
func (t Tensor) describe() string {
	if !t.Defined() {
		return "none"
	}
	var i C.torch_tensor_info
	if e := C.torch_info(t.h, &i); e != nil {
		if failure("", e).Kind == ErrNoScope {
			return "elsewhere"
		}
		return "freed"
	}
	shape := make([]int, int(i.dim))
	if e := C.torch_sizes(t.h, int64s(shape), nil); e != nil {
		return failure("", e).Message
	}
	s := stored.Shape(shape)
	switch d, ok := findDtype(int(i.dtype)); {
	case !ok: // complex numbers, quantised ones: Call can make them
		return fmt.Sprintf("scalar type %d%s", int(i.dtype), s)
	case d != Float32:
		return d.String() + s
	}
	return s
}

func int64s(s []int) *C.int64_t { return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(s))) }

func handles(ts []Tensor) *C.torch_tensor {
	return (*C.torch_tensor)(unsafe.Pointer(unsafe.SliceData(ts)))
}

func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

// Dtype is the type of a tensor's elements. The zero value is Float32.
type Dtype int8

const (
	Float32 Dtype = iota
	Float64
	Float16
	BFloat16
	Uint8
	Int8
	Int16
	Int32
	Int64
	Bool
)

var dtypes = [...]struct {
	name string
	size int // bytes
	code int // libtorch's number, c10::ScalarType
}{
	Float32:  {"float32", 4, 6},
	Float64:  {"float64", 8, 7},
	Float16:  {"float16", 2, 5},
	BFloat16: {"bfloat16", 2, 15},
	Uint8:    {"uint8", 1, 0},
	Int8:     {"int8", 1, 1},
	Int16:    {"int16", 2, 2},
	Int32:    {"int32", 4, 3},
	Int64:    {"int64", 8, 4},
	Bool:     {"bool", 1, 11},
}

// dtypeOf is the type with libtorch's number code; Misuse for one that has no
// name here.
func dtypeOf(code int) Dtype {
	d, ok := findDtype(code)
	if !ok {
		Misuse("dtype", "libtorch's scalar type %d is not supported", code)
	}
	return d
}

func findDtype(code int) (d Dtype, ok bool) {
	for d, t := range dtypes {
		if t.code == code {
			return Dtype(d), true
		}
	}
	return 0, false
}

// code is libtorch's number of d.
func (d Dtype) code() int {
	if d < 0 || int(d) >= len(dtypes) {
		Misuse("dtype", "unknown type %s", d)
	}
	return dtypes[d].code
}

// String gives PyTorch's name: "float32".
func (d Dtype) String() string {
	if d < 0 || int(d) >= len(dtypes) {
		return fmt.Sprintf("dtype(%d)", int8(d))
	}
	return dtypes[d].name
}

// Size is the size of one element in bytes.
func (d Dtype) Size() int {
	d.code() // panics for a type that is none
	return dtypes[d].size
}

// IsFloat tells whether d can have a gradient.
func (d Dtype) IsFloat() bool {
	return d == Float16 || d == Float32 || d == Float64 || d == BFloat16
}
