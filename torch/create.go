package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_arange
// #cgo noescape torch_bernoulli_
// #cgo noescape torch_empty
// #cgo noescape torch_empty_like
// #cgo noescape torch_eye
// #cgo noescape torch_from_data
// #cgo noescape torch_full
// #cgo noescape torch_manual_seed
// #cgo noescape torch_normal_
// #cgo noescape torch_rand
// #cgo noescape torch_randint
// #cgo noescape torch_randn
// #cgo noescape torch_rng_state
// #cgo noescape torch_set_rng_state
// #cgo noescape torch_uniform_
// #cgo noescape torch_zeros
// #cgo nocallback torch_arange
// #cgo nocallback torch_bernoulli_
// #cgo nocallback torch_empty
// #cgo nocallback torch_empty_like
// #cgo nocallback torch_eye
// #cgo nocallback torch_from_data
// #cgo nocallback torch_full
// #cgo nocallback torch_manual_seed
// #cgo nocallback torch_normal_
// #cgo nocallback torch_rand
// #cgo nocallback torch_randint
// #cgo nocallback torch_randn
// #cgo nocallback torch_rng_state
// #cgo nocallback torch_set_rng_state
// #cgo nocallback torch_uniform_
// #cgo nocallback torch_zeros
import "C"

import (
	"unsafe"

	"godarts/torch/internal/stored"
)

// Options are the type and place of a new tensor; the zero value is float32 on
// the CPU.
type Options struct {
	Dtype  Dtype
	Device Device
}

func (o Options) c() C.torch_options {
	return C.torch_options{
		dtype:        C.int(o.Dtype.code()),
		device_type:  C.int(o.Device.kind),
		device_index: C.int(o.Device.cIndex()),
	}
}

// Empty is a tensor whose elements are not set.
func Empty(shape []int, o Options) Tensor {
	var r Tensor
	if e := C.torch_empty(int64s(shape), C.int64_t(len(shape)), o.c(), &r.h); e != nil {
		throw("empty", e)
	}
	return r
}

// Zeros is a tensor of zeros.
func Zeros(shape []int, o Options) Tensor {
	var r Tensor
	if e := C.torch_zeros(int64s(shape), C.int64_t(len(shape)), o.c(), &r.h); e != nil {
		throw("zeros", e)
	}
	return r
}

// Ones is a tensor of ones.
func Ones(shape []int, o Options) Tensor { return Full(shape, 1, o) }

// Full is a tensor whose elements are all v.
func Full(shape []int, v float64, o Options) Tensor {
	var r Tensor
	if e := C.torch_full(int64s(shape), C.int64_t(len(shape)), C.double(v), o.c(), &r.h); e != nil {
		throw("full", e)
	}
	return r
}

// Scalar is a tensor without dimensions.
func Scalar(v float64, o Options) Tensor { return Full(nil, v, o) }

// Arange is start, start+step, ... up to but excluding end.
func Arange(start, end, step float64, o Options) Tensor {
	var r Tensor
	if e := C.torch_arange(C.double(start), C.double(end), C.double(step), o.c(), &r.h); e != nil {
		throw("arange", e)
	}
	return r
}

// Eye is the identity matrix [n,n].
func Eye(n int, o Options) Tensor {
	var r Tensor
	if e := C.torch_eye(C.int64_t(n), o.c(), &r.h); e != nil {
		throw("eye", e)
	}
	return r
}

// EmptyLike is an unset tensor of t's shape, type, device and memory format.
func EmptyLike(t Tensor) Tensor {
	var r Tensor
	if e := C.torch_empty_like(t.h, &r.h); e != nil {
		throw("empty_like", e, t)
	}
	return r
}

// ZerosLike is EmptyLike set to zero.
func ZerosLike(t Tensor) Tensor { return EmptyLike(t).Zero_() }

// OnesLike is EmptyLike set to one.
func OnesLike(t Tensor) Tensor { return EmptyLike(t).Fill_(1) }

// Element is a Go type with a Dtype.
type Element interface {
	float32 | float64 | uint8 | int8 | int16 | int32 | int64 | bool
}

// FromSlice copies data, in row-major order, to a tensor of that shape on the
// CPU. It panics with *Error if the number of elements does not fit.
func FromSlice[E Element](data []E, shape ...int) Tensor {
	return FromSliceTo(data, shape, Options{Dtype: dtypeFor[E]()})
}

// FromSliceTo is FromSlice with a type to convert to and a device.
func FromSliceTo[E Element](data []E, shape []int, o Options) Tensor {
	return fromData(unsafe.Pointer(unsafe.SliceData(data)), len(data), dtypeFor[E](), shape, false, o)
}

// FromSliceChannelsLast copies images data [N,H,W,C] to a tensor of shape
// [N,C,H,W] that lies in memory as data does.
func FromSliceChannelsLast[E Element](data []E, shape []int, o Options) Tensor {
	return fromData(unsafe.Pointer(unsafe.SliceData(data)), len(data), dtypeFor[E](), shape, true, o)
}

func fromData(data unsafe.Pointer, n int, d Dtype, shape []int, channelsLast bool, o Options) Tensor {
	refuseRead("from_slice")
	size, ok := stored.Bytes(shape, d.Size())
	if !ok {
		Misuse("from_slice", "no tensor has the shape %s", stored.Shape(shape))
	}
	if size != n*d.Size() {
		Misuse("from_slice", "%d elements do not fill shape %s", n, stored.Shape(shape))
	}
	var r Tensor
	if e := C.torch_from_data(data, C.int(d.code()), int64s(shape), C.int64_t(len(shape)),
		flag(channelsLast), o.c(), &r.h); e != nil {
		throw("from_slice", e)
	}
	return r
}

// FromBytes copies little-endian elements of type d, in row-major order, to a tensor of
// that shape with the type and on the device of o. It panics with *Error if the number of
// bytes does not fit, or if one of Bool is neither 0 nor 1.
func FromBytes(content []byte, d Dtype, shape []int, o Options) Tensor {
	if len(content)%d.Size() != 0 {
		Misuse("from_bytes", "%d bytes are no whole number of %s", len(content), d)
	}
	if i := stored.NoBoolean(content); d == Bool && i >= 0 {
		Misuse("from_bytes", "element %d is the byte %d, which is no boolean", i, content[i])
	}
	elements := unsafe.Pointer(unsafe.SliceData(content))
	if uintptr(elements)%uintptr(d.Size()) != 0 {
		aligned := make([]uint64, (len(content)+7)/8)
		elements = unsafe.Pointer(unsafe.SliceData(aligned))
		copy(unsafe.Slice((*byte)(elements), len(content)), content)
	}
	return fromData(elements, len(content)/d.Size(), d, shape, false, o)
}

func dtypeFor[E Element]() Dtype {
	var v E
	switch any(v).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case uint8:
		return Uint8
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	}
	return Bool
}

// ManualSeed seeds the default generators, of the CPU and of every GPU.
func ManualSeed(seed uint64) {
	if e := C.torch_manual_seed(C.uint64_t(seed)); e != nil {
		throw("manual_seed", e)
	}
}

// RNGState is the state of d's default generator, a uint8 tensor on the CPU.
func RNGState(d Device) Tensor {
	refuseRead("rng_state")
	var r Tensor
	if e := C.torch_rng_state(C.int(d.kind), C.int(d.cIndex()), &r.h); e != nil {
		throw("rng_state", e)
	}
	return r
}

// SetRNGState restores what RNGState gave.
func SetRNGState(d Device, state Tensor) {
	refuseRead("set_rng_state")
	if e := C.torch_set_rng_state(C.int(d.kind), C.int(d.cIndex()), state.h); e != nil {
		throw("set_rng_state", e, state)
	}
}

// Rand draws uniformly from [0, 1).
func Rand(shape []int, o Options) Tensor {
	var r Tensor
	if e := C.torch_rand(int64s(shape), C.int64_t(len(shape)), o.c(), &r.h); e != nil {
		throw("rand", e)
	}
	return r
}

// Randn draws from the standard normal distribution.
func Randn(shape []int, o Options) Tensor {
	var r Tensor
	if e := C.torch_randn(int64s(shape), C.int64_t(len(shape)), o.c(), &r.h); e != nil {
		throw("randn", e)
	}
	return r
}

// RandInt draws whole numbers uniformly from low to high−1.
func RandInt(low, high int, shape []int, o Options) Tensor {
	var r Tensor
	if e := C.torch_randint(C.int64_t(low), C.int64_t(high), int64s(shape), C.int64_t(len(shape)), o.c(), &r.h); e != nil {
		throw("randint", e)
	}
	return r
}

// Uniform_ draws every element uniformly from [from, to).
func (t Tensor) Uniform_(from, to float64) Tensor {
	if e := C.torch_uniform_(t.h, C.double(from), C.double(to)); e != nil {
		throw("uniform_", e, t)
	}
	return t
}

// Normal_ draws every element from a normal distribution.
func (t Tensor) Normal_(mean, std float64) Tensor {
	if e := C.torch_normal_(t.h, C.double(mean), C.double(std)); e != nil {
		throw("normal_", e, t)
	}
	return t
}

// Bernoulli_ sets every element to 1 with probability p, else to 0.
func (t Tensor) Bernoulli_(p float64) Tensor {
	if e := C.torch_bernoulli_(t.h, C.double(p)); e != nil {
		throw("bernoulli_", e, t)
	}
	return t
}
