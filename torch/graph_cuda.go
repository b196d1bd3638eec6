//go:build cuda

package torch

// #include "internal/cuda/graph.h"
// #cgo noescape torch_graph_begin
// #cgo noescape torch_graph_discard
// #cgo noescape torch_graph_end
// #cgo noescape torch_graph_free
// #cgo noescape torch_graph_open
// #cgo noescape torch_graph_replay
// #cgo noescape torch_mark_record
// #cgo noescape torch_mark_wait
// #cgo nocallback torch_graph_begin
// #cgo nocallback torch_graph_discard
// #cgo nocallback torch_graph_end
// #cgo nocallback torch_graph_free
// #cgo nocallback torch_graph_open
// #cgo nocallback torch_graph_replay
// #cgo nocallback torch_mark_record
// #cgo nocallback torch_mark_wait
import "C"

import (
	_ "godarts/torch/internal/cuda" // the C++ side
)

const hasGraphs = true

type graph struct{ g *C.torch_graph }

// warmups is how often fn runs before it is captured: libraries then have chosen
// their kernels and made their workspaces, which they cannot do during a capture.
const warmups = 3

func captureGraph(d Device, share *Graph, fn func()) (made *Graph, err error) {
	if !d.IsCUDA() {
		return nil, &Error{Op: "capture_graph", Message: d.String() + " has no graphs: want a GPU"}
	}
	var g, memory *C.torch_graph
	if share != nil {
		memory = share.g
	}
	if e := C.torch_graph_open(C.int(d.index), memory, &g); e != nil {
		return nil, failure("capture_graph", e)
	}
	defer func() {
		if made == nil {
			C.torch_graph_discard(g)
		}
	}()
	defer caught(&err)
	run := func() { NoReads(fn) }
	for range warmups {
		Scoped(func() { Scoped(run) }) // the outer scope takes what fn keeps
	}
	if e := C.torch_graph_begin(g); e != nil {
		return nil, failure("capture_graph", e)
	}
	Scoped(run)
	if e := C.torch_graph_end(g); e != nil {
		return nil, failure("capture_graph", e)
	}
	return &Graph{graph{g}}, nil
}

func (g *graph) captured() bool { return g.g != nil }

func (g *graph) replay() {
	if e := C.torch_graph_replay(g.g); e != nil {
		throw("replay_graph", e)
	}
}

func (g *graph) free() {
	e := C.torch_graph_free(g.g)
	g.g = nil
	if e != nil {
		throw("free_graph", e)
	}
}

// mark is a place in the queue of a GPU.
type mark struct{ m *C.torch_mark }

// markNow marks the end of what is queued on d.
func markNow(d Device) (m mark) {
	if e := C.torch_mark_record(C.int(d.index), &m.m); e != nil {
		throw("mark", e)
	}
	return m
}

// wait waits until the GPU has come to the mark, which is no more.
func (m mark) wait() {
	if e := C.torch_mark_wait(m.m); e != nil {
		throw("mark", e)
	}
}
