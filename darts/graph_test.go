package darts

import (
	"errors"
	"math"
	"testing"

	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// fakeGraph replays by running the pass again and overwriting what it gave first, as
// a CUDA graph overwrites its tensors.
type fakeGraph struct {
	run   func() Result
	out   Result
	share launcher
	freed int
}

func (g *fakeGraph) Replay() {
	torch.Scoped(func() {
		i, now := 0, g.run().tensors()
		torch.NoGrad(func() {
			g.out.each(func(t torch.Tensor) torch.Tensor { i++; return t.Copy_(now[i-1]) })
		})
	})
}

func (g *fakeGraph) Free() { g.freed++ }

func (g Result) tensors() (ts []torch.Tensor) {
	g.each(func(t torch.Tensor) torch.Tensor { ts = append(ts, t); return t })
	return ts
}

// fakes captures as CaptureGraph does, on the CPU: some runs to warm up, and one
// whose results hold nothing yet.
type fakes struct{ graphs []*fakeGraph }

func (f *fakes) capture(share launcher, run func() Result) (launcher, Result, error) {
	for range 3 {
		torch.Scoped(func() { run() })
	}
	g := &fakeGraph{run: run, share: share}
	torch.Scoped(func() { g.out = run().each(torch.Keep) })
	torch.NoGrad(func() { g.out.each(func(t torch.Tensor) torch.Tensor { return t.Fill_(math.NaN()) }) })
	f.graphs = append(f.graphs, g)
	return g, g.out, nil
}

// smallPair are two networks with the same weights, and a batch for them.
func smallPair(t *testing.T) (plain, twin *Plain, batch func(images int) nn.Batch) {
	t.Helper()
	o := torch.Options{Dtype: torch.Float64}
	network := func() *Plain {
		torch.ManualSeed(3)
		net, err := NewPlain(Options{Channels: 2, Layers: 3, Nodes: 2, Classes: 4, InputChannels: 1, StemMultiplier: 2, Options: o})
		if err != nil {
			t.Fatal(err)
		}
		return net
	}
	return network(), network(), func(n int) nn.Batch {
		return nn.Batch{X: torch.Randn([]int{n, 1, 8, 8}, o), Y: torch.RandInt(0, 4, []int{n}, torch.Options{Dtype: torch.Int64})}
	}
}

func TestCapturedEqualsNetwork(t *testing.T) {
	// Passes that are replayed give the network's own gradients and statistics, bit for bit, when w, α, batches and needs change.
	torchtest.Scope(t)
	plain, twin, batch := smallPair(t)
	var f fakes
	net := newCaptured(twin, f.capture)
	weights, alphas, both := Need{W: true}, Need{Alphas: true}, Need{W: true, Alphas: true, FreezeStatistics: true}
	for i, test := range []struct {
		need     Need
		at       float64 // distance from W()
		images   int
		captures int // so far
	}{
		{weights, 0, 6, 1}, {weights, 0, 6, 1}, // replayed with another batch
		{alphas, 0, 6, 2}, {both, 0.1, 6, 3}, {both, 0.2, 6, 3}, // another vector, then another still
		{weights, 0, 2, 4}, {weights, 0.1, 6, 5}, {alphas, 0, 6, 5}, {weights, 0, 6, 5},
	} {
		torch.Scoped(func() {
			b := batch(test.images)
			pass := func(net Supernet) Result {
				w := net.W()
				if test.at != 0 {
					w = w.AddScalar(test.at)
				}
				return net.Gradients(w, b, test.need)
			}
			want, got := pass(plain).tensors(), pass(net).tensors()
			if len(got) != len(want) {
				t.Fatalf("pass %d: %d results, want %d", i, len(got), len(want))
			}
			for k := range want {
				torchtest.Close(t, "result", got[k], want[k], 0)
			}
			if len(f.graphs) != test.captures {
				t.Errorf("pass %d: %d captures, want %d", i, len(f.graphs), test.captures)
			}
			torch.NoGrad(func() { // a step of each network
				for _, n := range []Supernet{plain, net} {
					n.W().MulScalar_(0.99)
					n.Alphas()[0].AddScalar_(0.01)
				}
			})
			for name, x := range plain.StateDict() {
				torchtest.Close(t, name, net.StateDict()[name], x, 0)
			}
		})
	}
	for i, g := range f.graphs {
		if i > 0 && g.share != launcher(f.graphs[0]) || i == 0 && g.share != nil {
			t.Errorf("graph %d shares the memory of %v", i, g.share)
		}
	}
	net.free()
	for i, g := range f.graphs {
		if g.freed != 1 {
			t.Errorf("graph %d was freed %d times", i, g.freed)
		}
	}
}

func TestCapturedResults(t *testing.T) {
	// Results stay as they are and belong to the caller's scope when later passes are replayed.
	torchtest.Scope(t)
	_, twin, batch := smallPair(t)
	var f fakes
	net := newCaptured(twin, f.capture)
	first := net.Gradients(net.W(), batch(6), Need{W: true})
	loss := first.Loss.Item()
	before := torch.Live()
	for range 3 {
		torch.Scoped(func() {
			if again := net.Gradients(net.W(), batch(6), Need{W: true}); again.Loss.Item() == loss {
				t.Error("another batch has the same loss")
			}
		})
	}
	if torch.Live() != before {
		t.Errorf("%d tensors live, want %d", torch.Live(), before)
	}
	if first.Loss.Item() != loss {
		t.Error("a later pass has changed the first one's loss")
	}
}

func TestCapturedFailure(t *testing.T) {
	// Gradients panics with the capture's error, leaving no statistics moved, when the capture fails.
	torchtest.Scope(t)
	_, twin, batch := smallPair(t)
	before := map[string][]float64{}
	for name, x := range twin.StateDict() {
		before[name] = x.Detach().Float64s()
	}
	failure := &torch.Error{Op: "capture_graph", Message: "no"}
	net := newCaptured(twin, func(_ launcher, run func() Result) (launcher, Result, error) {
		run()
		return nil, Result{}, failure
	})
	for range 2 {
		err := torch.Do(func() error { net.Gradients(net.W(), batch(6), Need{W: true}); return nil })
		if !errors.Is(err, failure) {
			t.Errorf("error %v", err)
		}
	}
	for name, x := range twin.StateDict() {
		torchtest.Close(t, name, x, torch.FromSlice(before[name], x.Shape()...), 0)
	}
	net.free()
}

func TestCapturedOnCPU(t *testing.T) {
	// The network itself is used when it is on the CPU.
	torchtest.Scope(t)
	plain, _, _ := smallPair(t)
	net, free := Captured(plain)
	free()
	if net != Supernet(plain) {
		t.Errorf("got %T", net)
	}
}
