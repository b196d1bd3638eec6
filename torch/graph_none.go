//go:build !cuda

package torch

const hasGraphs = false

// graph is never made in this binary: CaptureGraph returns an error.
type graph struct{}

func captureGraph(Device, *Graph, func()) (*Graph, error) {
	return nil, &Error{Op: "capture_graph", Message: "this binary was built without -tags cuda"}
}

func (*graph) captured() bool { return false }

func (*graph) replay() {}

func (*graph) free() {}

// mark is never made in this binary.
type mark struct{}

func markNow(Device) mark { return mark{} }

func (mark) wait() {}
