package torch

// #include "internal/shim/shim.h"
// #cgo noescape torch_autocast_begin
// #cgo noescape torch_autocast_end
// #cgo noescape torch_backward
// #cgo noescape torch_grad
// #cgo noescape torch_grad_mode
// #cgo noescape torch_grad_of
// #cgo noescape torch_inference_begin
// #cgo noescape torch_inference_end
// #cgo noescape torch_requires_grad_
// #cgo noescape torch_set_grad
// #cgo noescape torch_set_grad_mode
// #cgo nocallback torch_autocast_begin
// #cgo nocallback torch_autocast_end
// #cgo nocallback torch_backward
// #cgo nocallback torch_grad
// #cgo nocallback torch_grad_mode
// #cgo nocallback torch_grad_of
// #cgo nocallback torch_inference_begin
// #cgo nocallback torch_inference_end
// #cgo nocallback torch_requires_grad_
// #cgo nocallback torch_set_grad
// #cgo nocallback torch_set_grad_mode
import "C"

import "slices"

// RequiresGrad tells whether operations on t build a graph.
func (t Tensor) RequiresGrad() bool { return t.info("requires_grad").requires_grad != 0 }

// IsLeaf tells whether t is no result of a graph.
func (t Tensor) IsLeaf() bool { return t.info("is_leaf").is_leaf != 0 }

// Writes counts what operators of libtorch have written in place to the memory that t shares with others. It is -1 for
// what Inference has made, where nobody counts. Nor do the operators that take statistics along count as writing to
// them: BatchNorm, Separable.
func (t Tensor) Writes() int { return int(t.info("writes").writes) }

// RequiresGrad_ makes operations on t build a graph, or not.
func (t Tensor) RequiresGrad_(on bool) Tensor {
	if e := C.torch_requires_grad_(t.h, flag(on)); e != nil {
		throw("requires_grad_", e, t)
	}
	return t
}

// Grad is the gradient that Backward left at the leaf t, the zero Tensor if none.
func (t Tensor) Grad() Tensor {
	var r Tensor
	if e := C.torch_grad_of(t.h, &r.h); e != nil {
		throw("grad", e, t)
	}
	return r
}

// SetGrad makes grad, of t's shape, the tensor that Backward adds t's gradient
// to; the zero Tensor forgets the present one.
func (t Tensor) SetGrad(grad Tensor) {
	if grad.Defined() {
		x, g := t.info("set_grad"), grad.info("set_grad")
		if x.dtype != g.dtype || x.device_type != g.device_type || x.device_index != g.device_index {
			misfit("set_grad", []Tensor{t, grad}, "the gradient has another type or device than the tensor")
		}
	}
	if e := C.torch_set_grad(t.h, grad.h); e != nil {
		throw("set_grad", e, t, grad)
	}
}

// BackwardOptions: the zero value starts from gradient 1 and frees the graph.
type BackwardOptions struct {
	Gradient                 Tensor // of t's shape; needed if t has several elements
	RetainGraph, CreateGraph bool
}

// Backward adds the gradient of t to the Grad of every leaf that t depends on.
func (t Tensor) Backward(o BackwardOptions) {
	if o.Gradient.Defined() {
		sameShapes("backward", []Tensor{t}, []Tensor{o.Gradient})
	}
	if e := C.torch_backward(t.h, o.Gradient.h, flag(o.RetainGraph || o.CreateGraph), flag(o.CreateGraph)); e != nil {
		throw("backward", e, t)
	}
}

// GradOptions: the zero value starts from gradients 1, frees the graph and
// panics if an input was not used.
type GradOptions struct {
	GradOutputs []Tensor // one for each output, of its shape; none if outputs are single numbers
	RetainGraph bool
	CreateGraph bool // the gradients can be differentiated again
	AllowUnused bool // an input that outputs do not depend on gets the zero Tensor
}

// Grad is the gradient of the sum of outputs with respect to each input. As
// torch.autograd.grad.
func Grad(outputs, inputs []Tensor, o GradOptions) []Tensor {
	if len(o.GradOutputs) > 0 {
		sameShapes("grad", outputs, o.GradOutputs)
	}
	rs := make([]Tensor, len(inputs))
	if e := C.torch_grad(handles(outputs), C.int64_t(len(outputs)), handles(o.GradOutputs),
		C.int64_t(len(o.GradOutputs)), handles(inputs), C.int64_t(len(inputs)),
		flag(o.RetainGraph || o.CreateGraph), flag(o.CreateGraph), flag(o.AllowUnused), handles(rs)); e != nil {
		throw("grad", e, outputs...)
	}
	return rs
}

// sameShapes demands a gradient of each output's shape: libtorch itself would sum
// a larger one up.
func sameShapes(op string, outputs, gradients []Tensor) {
	sameLength(op, outputs, gradients)
	for i, t := range outputs {
		if !slices.Equal(t.shapeFor(op), gradients[i].shapeFor(op)) {
			misfit(op, []Tensor{t, gradients[i]}, "output %d and its gradient have different shapes", i)
		}
	}
}

// NoGrad runs fn without building graphs. It belongs inside Do, which locks the
// thread that has the mode.
func NoGrad(fn func()) {
	NeedFunction("no_grad", fn == nil)
	needScope("no_grad")
	before := C.torch_grad_mode()
	C.torch_set_grad_mode(0)
	defer C.torch_set_grad_mode(before)
	fn()
}

// Inference runs fn without building graphs and without what a later graph would need to
// know: each operator takes a little less time than in NoGrad. Tensors that fn makes can be
// read afterwards, but neither be written to nor enter a graph. It belongs inside Do.
func Inference(fn func()) {
	NeedFunction("inference_mode", fn == nil)
	needScope("inference_mode")
	var mode *C.torch_inference
	if e := C.torch_inference_begin(&mode); e != nil {
		throw("inference_mode", e)
	}
	defer C.torch_inference_end(mode)
	fn()
}

// GradEnabled tells whether operations build graphs on this thread.
func GradEnabled() bool { return C.torch_grad_mode() != 0 }

// Autocast runs fn with convolutions and matrix products of device d in dtype
// (BFloat16, Float16). It belongs inside Do, which locks the thread that has the
// mode.
func Autocast(d Device, dtype Dtype, fn func()) {
	NeedFunction("autocast", fn == nil)
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
