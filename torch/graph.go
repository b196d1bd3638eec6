package torch

// HasGraphs tells whether this binary was built with -tags cuda, which
// CaptureGraph needs.
const HasGraphs = hasGraphs

// Graph is work on a GPU that was recorded once and is launched as a whole from
// then on, without the host's part of each operator. It belongs to no scope: Free
// ends it.
type Graph struct{ graph }

// CaptureGraph records the work that fn queues on the GPU d. The work is not done
// before Replay, which reads and writes the tensors that fn used where they lie now:
// the caller overwrites fn's inputs by Copy_, replays, and reads its results.
//
// fn runs four times, each in a scope of its own, and computes in the first three:
// what it changes in place has changed three times. What it passes out by Keep
// belongs to the caller's scope after the last run, and is freed after the others.
// Tensors of the last run lie in memory of the graph, which the next replay
// overwrites: copy what has to last. With share, another graph or nil, both use the
// same memory; then a replay of either spoils what the other has not copied out.
//
// fn runs in NoReads. It must not depend on anything but tensors: what Go decides in
// it is decided for ever. Nothing else may use the GPU during the capture. An error
// that fn raises, or the capture, comes back as *Error; after one of a capture the
// process should do no more than end, since the GPU's random generator may take itself
// to be captured still. The error of a binary without -tags cuda says so. As
// torch.cuda.graph.
func CaptureGraph(d Device, share *Graph, fn func()) (*Graph, error) {
	NeedFunction("capture_graph", fn == nil)
	needScope("capture_graph")
	return captureGraph(d, share, fn)
}

// Replay queues the captured work. The host does not wait for it. It panics with *Error if g was not made by
// CaptureGraph, or was freed.
func (g *Graph) Replay() {
	if !g.captured() {
		Misuse("replay_graph", "a graph that was not captured, or was freed")
	}
	g.replay()
}

// Free waits for the GPU and gives the graph's memory back. The graph must not be
// used afterwards. Of a graph that was not captured it does nothing.
func (g *Graph) Free() {
	if g.captured() {
		g.free()
	}
}
