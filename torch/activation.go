package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_log_softmax
// #cgo noescape torch_pad
// #cgo noescape torch_relu
// #cgo noescape torch_relu_
// #cgo noescape torch_sigmoid
// #cgo noescape torch_sigmoid_
// #cgo noescape torch_softmax
// #cgo noescape torch_tanh
// #cgo noescape torch_tanh_
// #cgo nocallback torch_log_softmax
// #cgo nocallback torch_pad
// #cgo nocallback torch_relu
// #cgo nocallback torch_relu_
// #cgo nocallback torch_sigmoid
// #cgo nocallback torch_sigmoid_
// #cgo nocallback torch_softmax
// #cgo nocallback torch_tanh
// #cgo nocallback torch_tanh_
import "C"

// ReLU is max(t, 0).
func (t Tensor) ReLU() Tensor {
	var r Tensor
	if e := C.torch_relu(t.h, &r.h); e != nil {
		throw("relu", e, t)
	}
	return r
}

// ReLU_ is ReLU in place.
func (t Tensor) ReLU_() Tensor {
	if e := C.torch_relu_(t.h); e != nil {
		throw("relu_", e, t)
	}
	return t
}

// Sigmoid is 1/(1 + e^−t).
func (t Tensor) Sigmoid() Tensor {
	var r Tensor
	if e := C.torch_sigmoid(t.h, &r.h); e != nil {
		throw("sigmoid", e, t)
	}
	return r
}

// Sigmoid_ is Sigmoid in place.
func (t Tensor) Sigmoid_() Tensor {
	if e := C.torch_sigmoid_(t.h); e != nil {
		throw("sigmoid_", e, t)
	}
	return t
}

// Tanh is the hyperbolic tangent of t.
func (t Tensor) Tanh() Tensor {
	var r Tensor
	if e := C.torch_tanh(t.h, &r.h); e != nil {
		throw("tanh", e, t)
	}
	return r
}

// Tanh_ is Tanh in place.
func (t Tensor) Tanh_() Tensor {
	if e := C.torch_tanh_(t.h); e != nil {
		throw("tanh_", e, t)
	}
	return t
}

// Softmax is e^t / Σ e^t along dim.
func (t Tensor) Softmax(dim int) Tensor {
	var r Tensor
	if e := C.torch_softmax(t.h, C.int64_t(dim), &r.h); e != nil {
		throw("softmax", e, t)
	}
	return r
}

// LogSoftmax is the logarithm of Softmax, computed without overflow.
func (t Tensor) LogSoftmax(dim int) Tensor {
	var r Tensor
	if e := C.torch_log_softmax(t.h, C.int64_t(dim), &r.h); e != nil {
		throw("log_softmax", e, t)
	}
	return r
}

// Pad adds borders of value v: pad is left, right of the last dimension, then of
// the one before, and so on. As torch.nn.functional.pad, constant mode.
func (t Tensor) Pad(pad []int, v float64) Tensor {
	var r Tensor
	if e := C.torch_pad(t.h, int64s(pad), C.int64_t(len(pad)), C.double(v), &r.h); e != nil {
		throw("pad", e, t)
	}
	return r
}
