package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_bernoulli_
// #cgo noescape torch_manual_seed
// #cgo noescape torch_normal_
// #cgo noescape torch_rand
// #cgo noescape torch_randint
// #cgo noescape torch_randn
// #cgo noescape torch_randperm
// #cgo noescape torch_rng_state
// #cgo noescape torch_set_rng_state
// #cgo noescape torch_uniform_
// #cgo nocallback torch_bernoulli_
// #cgo nocallback torch_manual_seed
// #cgo nocallback torch_normal_
// #cgo nocallback torch_rand
// #cgo nocallback torch_randint
// #cgo nocallback torch_randn
// #cgo nocallback torch_randperm
// #cgo nocallback torch_rng_state
// #cgo nocallback torch_set_rng_state
// #cgo nocallback torch_uniform_
import "C"

// ManualSeed seeds the default generators, of the CPU and of every GPU.
func ManualSeed(seed uint64) {
	if e := C.torch_manual_seed(C.uint64_t(seed)); e != nil {
		throw("manual_seed", e)
	}
}

// RNGState is the state of d's default generator, a uint8 tensor on the CPU.
func RNGState(d Device) Tensor {
	var r Tensor
	if e := C.torch_rng_state(C.int(d.kind), C.int(d.cIndex()), &r.h); e != nil {
		throw("rng_state", e)
	}
	return r
}

// SetRNGState restores what RNGState gave.
func SetRNGState(d Device, state Tensor) {
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

// RandPerm is a permutation of 0 to n−1.
func RandPerm(n int, o Options) Tensor {
	var r Tensor
	if e := C.torch_randperm(C.int64_t(n), o.c(), &r.h); e != nil {
		throw("randperm", e)
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
