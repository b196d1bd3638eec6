// Package replay runs work that repeats, such as the steps of a search. On a GPU it captures each kind of work in a CUDA
// graph when it is first asked for, and from then on launches the graph: the host queues one thing where it queued
// thousands. On the CPU, and in a binary without -tags cuda, the work runs as it is, but under the rules of a capture,
// torch.NoReads, so that what passes there can be captured.
package replay

import (
	"fmt"

	"godarts/torch"
)

// Region is the work of one place in a program. A nil Region runs work as it is, without rules: work that reads tensors.
type Region struct {
	owner   torch.Tensor
	state   func() []torch.Tensor
	capture capture // nil where there are no graphs
	kinds   map[kind]*recorded
	first   launcher // in whose memory the others are captured too
}

// Work maps inputs to results. It may overwrite its region's state, and nothing else.
type Work func(inputs []torch.Tensor) []torch.Tensor

// launcher is a *torch.Graph.
type launcher interface {
	Replay()
	Free()
}

// capture captures work, which it calls several times, in the memory of share unless that is nil. The results belong to
// the present scope; every replay overwrites them.
type capture func(share launcher, work func() []torch.Tensor) (launcher, []torch.Tensor, error)

// kind is what distinguishes works in a graph.
type kind struct {
	key    any
	shapes string
}

// recorded is work in a graph, and the tensors that it reads and writes.
type recorded struct {
	graph   launcher
	inputs  []torch.Tensor
	results []torch.Tensor
}

// New makes a region for work on the device of owner, in whose scope buffers lie. state gives the tensors that work
// overwrites: always the same ones, since a graph knows them by where they lie. It may be nil.
func New(owner torch.Tensor, state func() []torch.Tensor) *Region {
	r := &Region{owner: owner, state: state, kinds: map[kind]*recorded{}}
	switch d := owner.Device(); {
	case torch.HasGraphs && d.IsCUDA():
		r.capture = func(share launcher, work func() []torch.Tensor) (launcher, []torch.Tensor, error) {
			memory, _ := share.(*torch.Graph)
			var out []torch.Tensor
			g, err := torch.CaptureGraph(d, memory, func() { out = each(work(), torch.Keep) })
			return g, out, err
		}
	case imitating && d == torch.CPU:
		r.capture = imitate
	}
	return r
}

// Run runs work on inputs and returns its results, which belong to the caller's scope. Inputs and results may be zero
// Tensors. key, which can be compared, stands for all that work depends on besides tensors and the inputs' shapes: work
// that has run under one key and with one set of shapes is replayed and not called again, but with the present
// inputs, state and values of tensors. Run panics with *torch.Error if work reads a tensor on the host.
func (r *Region) Run(key any, inputs []torch.Tensor, work Work) []torch.Tensor {
	torch.NeedFunction("replay", work == nil)
	if r == nil {
		return scoped(work, inputs)
	}
	if r.capture == nil {
		var results []torch.Tensor
		torch.NoReads(func() { results = scoped(work, inputs) })
		return results
	}
	k := kind{key, shapes(inputs)}
	p := r.kinds[k]
	if p == nil {
		p = r.record(inputs, work)
		r.kinds[k] = p
	}
	overwrite(p.inputs, inputs)
	p.graph.Replay()
	var results []torch.Tensor
	torch.NoGrad(func() { results = each(p.results, torch.Tensor.Clone) })
	return results
}

// scoped runs work in a scope of its own.
func scoped(work Work, inputs []torch.Tensor) (results []torch.Tensor) {
	torch.Scoped(func() { results = each(work(inputs), torch.Keep) })
	return results
}

// record captures work. It leaves state and the GPU's generator as they were: the capture runs the work, and each run
// moves them.
func (r *Region) record(inputs []torch.Tensor, work Work) *recorded {
	p := &recorded{inputs: each(inputs, func(t torch.Tensor) torch.Tensor { return r.keep(torch.EmptyLike(t)) })}
	overwrite(p.inputs, inputs) // labels have to be labels in the runs before the first replay, too
	torch.Scoped(func() {
		defer r.saved()()
		graph, results, err := r.capture(r.first, func() []torch.Tensor { return scoped(work, p.inputs) })
		if err != nil {
			panic(err)
		}
		p.graph, p.results = graph, each(results, r.keep)
	})
	if r.first == nil {
		r.first = p.graph
	}
	return p
}

func (r *Region) keep(t torch.Tensor) torch.Tensor { return torch.KeepWith(t, r.owner) }

// saved copies the state and the generator, and returns the function that restores them.
func (r *Region) saved() (restore func()) {
	var state, before []torch.Tensor
	if r.state != nil {
		state = r.state()
	}
	torch.NoGrad(func() { before = each(state, torch.Tensor.Clone) })
	d := r.owner.Device()
	draws := torch.RNGState(d)
	return func() {
		overwrite(state, before)
		torch.SetRNGState(d, draws)
	}
}

// Forget frees the graphs. What runs next is captured anew: call it when anything but the values of tensors has
// changed, and at the end.
func (r *Region) Forget() {
	if r == nil {
		return
	}
	for k, p := range r.kinds {
		p.graph.Free()
		for _, t := range p.inputs {
			if t.Defined() {
				t.Free()
			}
		}
		for _, t := range p.results {
			if t.Defined() {
				t.Free()
			}
		}
		delete(r.kinds, k)
	}
	r.first = nil
}

// each maps tensors by fn, but zero Tensors to themselves.
func each(ts []torch.Tensor, fn func(torch.Tensor) torch.Tensor) []torch.Tensor {
	mapped := make([]torch.Tensor, len(ts))
	for i, t := range ts {
		if t.Defined() {
			mapped[i] = fn(t)
		}
	}
	return mapped
}

// overwrite copies from, tensor by tensor, to to.
func overwrite(to, from []torch.Tensor) {
	torch.NoGrad(func() {
		for i, t := range to {
			if t.Defined() {
				t.Copy_(from[i])
			}
		}
	})
}

// shapes prints the shapes of tensors.
func shapes(ts []torch.Tensor) (s string) {
	for _, t := range ts {
		if t.Defined() {
			s += fmt.Sprint(t.Shape())
		} else {
			s += "none"
		}
	}
	return s
}
