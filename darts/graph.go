package darts

import (
	"godarts/torch"
	"godarts/torch/nn"
)

// Captured returns a supernet that captures each kind of pass over net in a CUDA graph when it is first asked for,
// and from then on launches the graph. It returns net itself where there are no graphs: on the CPU, and in a binary
// without -tags cuda. free releases the graphs' memory; the supernet must not be used afterwards.
//
// A graph reads and writes w, α and the running statistics in place. Whoever changes them has to overwrite them, as
// optimizers and LoadStateDict do. Gradients panics with *torch.Error if a pass of net waits for the GPU.
func Captured(net Supernet) (captured Supernet, free func()) {
	d := net.W().Device()
	if !torch.HasGraphs || !d.IsCUDA() {
		return net, func() {}
	}
	c := newCaptured(net, func(share launcher, run func() Result) (launcher, Result, error) {
		memory, _ := share.(*torch.Graph)
		var out Result
		g, err := torch.CaptureGraph(d, memory, func() { out = run().each(torch.Keep) })
		return g, out, err
	})
	return c, c.free
}

// captured is a supernet whose Gradients replays captures of net's passes.
type captured struct {
	Supernet
	capture capture
	passes  map[kind]*capturedPass
	first   launcher     // in whose memory the others are captured too
	w       torch.Tensor // the vector to take gradients at, where it is not W()
}

// launcher is a *torch.Graph.
type launcher interface {
	Replay()
	Free()
}

// capture captures run, which it calls several times, in the memory of share unless that is nil. The tensors that it
// returns belong to the present scope; every replay overwrites them.
type capture func(share launcher, run func() Result) (launcher, Result, error)

// kind is what distinguishes passes in a graph: the work and its sizes.
type kind struct {
	need Need
	atW  bool // at W() itself, not at another vector
	x, y [4]int
}

// capturedPass is a captured pass, and the tensors that it reads and writes.
type capturedPass struct {
	graph launcher
	batch nn.Batch
	out   Result
}

func newCaptured(net Supernet, c capture) *captured {
	return &captured{Supernet: net, capture: c, passes: map[kind]*capturedPass{}}
}

// Gradients implements Supernet.
func (c *captured) Gradients(w torch.Tensor, b nn.Batch, need Need) (g Result) {
	k := kind{need: need, atW: w == c.W(), x: sizes(b.X), y: sizes(b.Y)}
	p := c.passes[k]
	if p == nil {
		p = c.record(k, w, b)
		c.passes[k] = p
	}
	c.copyIn(k, p, w, b)
	p.graph.Replay()
	torch.NoGrad(func() { g = p.out.each(torch.Tensor.Clone) })
	return g
}

// copyIn overwrites the tensors that the pass reads.
func (c *captured) copyIn(k kind, p *capturedPass, w torch.Tensor, b nn.Batch) {
	torch.NoGrad(func() {
		p.batch.X.Copy_(b.X)
		p.batch.Y.Copy_(b.Y)
		if !k.atW {
			c.w.Copy_(w)
		}
	})
}

// record captures a pass of that kind. It leaves the network as it was: the capture runs the pass, and each run moves
// the running statistics, so record restores them.
func (c *captured) record(k kind, w torch.Tensor, b nn.Batch) *capturedPass {
	p := &capturedPass{batch: nn.Batch{X: c.buffer(b.X), Y: c.buffer(b.Y)}}
	at := w
	if !k.atW {
		if !c.w.Defined() {
			c.w = c.buffer(w)
		}
		at = c.w
	}
	c.copyIn(k, p, w, b) // labels have to be labels in the runs before the first replay, too
	torch.Scoped(func() {
		defer c.saved()()
		g, out, err := c.capture(c.first, func() Result { return c.Supernet.Gradients(at, p.batch, k.need) })
		if err != nil {
			panic(err)
		}
		p.graph, p.out = g, out.each(c.keep)
	})
	if c.first == nil {
		c.first = p.graph
	}
	return p
}

// saved copies the state of the network and returns the function that restores it.
func (c *captured) saved() (restore func()) {
	state := c.StateDict()
	before := torch.StateDict{}
	torch.NoGrad(func() {
		for name, t := range state {
			before[name] = t.Clone()
		}
	})
	return func() {
		torch.NoGrad(func() {
			for name, t := range state {
				t.Copy_(before[name])
			}
		})
	}
}

// buffer returns an unset tensor like t that lives as long as w.
func (c *captured) buffer(t torch.Tensor) torch.Tensor { return c.keep(torch.EmptyLike(t)) }

func (c *captured) keep(t torch.Tensor) torch.Tensor { return torch.KeepWith(t, c.W()) }

func (c *captured) free() {
	for _, p := range c.passes {
		p.graph.Free()
	}
}

// sizes returns the shape of a tensor with at most four dimensions.
func sizes(t torch.Tensor) (s [4]int) {
	copy(s[:], t.Shape())
	return s
}
