package replay

import (
	"errors"
	"testing"

	"godarts/torch"
	"godarts/torch/torchtest"
)

// fakeGraph is an imitation that notes whose memory it shares, and how often it was freed.
type fakeGraph struct {
	launcher
	share launcher
	freed int
}

func (g *fakeGraph) Free() { g.freed++ }

// fakes captures as imitate does, and notes the graphs.
type fakes struct{ graphs []*fakeGraph }

func (f *fakes) capture(share launcher, work func() []torch.Tensor) (launcher, []torch.Tensor, error) {
	imitated, out, err := imitate(share, work)
	g := &fakeGraph{launcher: imitated, share: share}
	f.graphs = append(f.graphs, g)
	return g, out, err
}

// walk is work with a state: steps of it move position by a random number and by the mean of inputs, times a rate.
type walk struct {
	position, rate torch.Tensor
	region         *Region
	calls          int
}

func newWalk(capture capture) *walk {
	o := torch.Options{Dtype: torch.Float64}
	w := &walk{position: torch.Zeros([]int{2}, o), rate: torch.Scalar(1, o)}
	w.region = New(w.position, func() []torch.Tensor { return []torch.Tensor{w.position} })
	w.region.capture = capture
	return w
}

func (w *walk) step(away bool, steps ...torch.Tensor) []torch.Tensor {
	return w.region.Run(away, steps, func(in []torch.Tensor) []torch.Tensor {
		w.calls++
		by := torch.Rand([]int{2}, w.position.Options())
		for _, t := range in {
			if t.Defined() {
				by = by.AddScaled(t.Mean(), 1)
			}
		}
		if away {
			by = by.Neg()
		}
		w.position.Add_(by.Mul(w.rate))
		return []torch.Tensor{by, {}, w.position.Sum()}
	})
}

func TestReplayEqualsRun(t *testing.T) {
	// Replayed work gives the results, the state and the draws of work that runs as it is when inputs, shapes, keys and rates change.
	torchtest.Scope(t)
	o := torch.Options{Dtype: torch.Float64}
	var f fakes
	plain, replayed := newWalk(nil), newWalk(f.capture)
	for i, row := range []struct {
		away     bool
		size     int
		rate     float64
		both     bool
		captures int // so far
	}{
		{false, 3, 1, true, 1}, {false, 3, 1, true, 1}, {true, 3, 1, true, 2}, {false, 3, 0.5, true, 2},
		{false, 4, 0.5, true, 3}, {false, 4, 0.25, false, 4}, {false, 3, 0.25, true, 4}, {true, 3, 2, true, 4},
	} {
		in := []torch.Tensor{torch.Randn([]int{row.size}, o), {}}
		if row.both {
			in[1] = torch.Randn([]int{2, row.size}, o)
		}
		draws := torch.RNGState(torch.CPU)
		var outs [2][]torch.Tensor
		var after [2]float64
		for k, w := range []*walk{plain, replayed} {
			torch.SetRNGState(torch.CPU, draws)
			w.rate.Fill_(row.rate)
			outs[k] = w.step(row.away, in...)
			after[k] = torch.Rand([]int{1}, o).Item()
		}
		for k, want := range outs[0] {
			if want.Defined() != outs[1][k].Defined() {
				t.Fatalf("step %d: result %d is there in one", i, k)
			}
			if want.Defined() {
				torchtest.Close(t, "result", outs[1][k], want, 0)
			}
		}
		torchtest.Close(t, "position", replayed.position, plain.position, 0)
		if after[0] != after[1] {
			t.Errorf("step %d: the generator is elsewhere", i)
		}
		if len(f.graphs) != row.captures {
			t.Errorf("step %d: %d captures, want %d", i, len(f.graphs), row.captures)
		}
	}
	for i, g := range f.graphs {
		if i > 0 && g.share != launcher(f.graphs[0]) || i == 0 && g.share != nil {
			t.Errorf("graph %d shares the memory of %v", i, g.share)
		}
	}
	replayed.region.Forget()
	for i, g := range f.graphs {
		if g.freed != 1 {
			t.Errorf("graph %d was freed %d times", i, g.freed)
		}
	}
	replayed.step(true, torch.Ones([]int{3}, o))
	if last := len(f.graphs) - 1; last != 4 || f.graphs[last].share != nil {
		t.Errorf("after Forget: %d captures, want one more, in memory of its own", last+1)
	}
}

func TestResultsLast(t *testing.T) {
	// Results stay as they are and belong to the caller's scope, and Forget frees all else, when later work is replayed.
	torchtest.Scope(t)
	var f fakes
	w := newWalk(f.capture)
	in := torch.Ones([]int{3}, torch.Options{})
	before := torch.Live()
	first := w.step(false, in)
	sum := first[2].Item()
	warm := torch.Live()
	for range 3 {
		torch.Scoped(func() {
			if w.step(false, in)[2].Item() == sum {
				t.Error("another step ends at the same place")
			}
		})
	}
	if torch.Live() != warm {
		t.Errorf("%d tensors live, want %d", torch.Live(), warm)
	}
	if first[2].Item() != sum {
		t.Error("a later step has changed the first one's result")
	}
	w.region.Forget()
	each(first, func(t torch.Tensor) torch.Tensor { t.Free(); return t })
	if torch.Live() != before {
		t.Errorf("%d tensors live after Forget, want %d", torch.Live(), before)
	}
}

func TestRunRefusesReads(t *testing.T) {
	// Work that reads a tensor on the host fails in a region, and runs in none.
	torchtest.Scope(t)
	x := torch.Ones([]int{2}, torch.Options{})
	work := func([]torch.Tensor) []torch.Tensor { return []torch.Tensor{x.MulScalar(x.Sum().Item())} }
	err := torch.Do(func() error { New(x, nil).Run(nil, nil, work); return nil })
	var e *torch.Error
	if !errors.As(err, &e) || e.Op != "item" {
		t.Errorf("error %v", err)
	}
	if torch.InNoReads() {
		t.Error("reads are refused after the work")
	}
	var none *Region
	if got := none.Run(nil, nil, work)[0].Sum().Item(); got != 4 {
		t.Errorf("sum %g, want 4", got)
	}
	none.Forget()
}

func TestCaptureFails(t *testing.T) {
	// Run panics with the capture's error, leaving the state as it was, when the capture fails.
	torchtest.Scope(t)
	failure := &torch.Error{Op: "capture_graph", Message: "no"}
	w := newWalk(func(_ launcher, work func() []torch.Tensor) (launcher, []torch.Tensor, error) {
		work()
		return nil, nil, failure
	})
	for range 2 {
		err := torch.Do(func() error { w.step(false, torch.Ones([]int{3}, torch.Options{})); return nil })
		if !errors.Is(err, failure) {
			t.Errorf("error %v", err)
		}
	}
	if got := w.position.Abs().Sum().Item(); got != 0 {
		t.Errorf("position %g from where it was", got)
	}
	w.region.Forget()
}

func TestImitate(t *testing.T) {
	// Regions on the CPU go the way of a graph while Imitate holds, and no longer.
	torchtest.Scope(t)
	end := Imitate()
	imitated := newWalk(nil).region
	region := New(imitated.owner, nil)
	end()
	after := New(imitated.owner, nil)
	if region.capture == nil || after.capture != nil {
		t.Errorf("capturing is %v, and %v afterwards", region.capture != nil, after.capture != nil)
	}
	calls, x := 0, torch.Ones([]int{2}, torch.Options{})
	for range 3 {
		sum := region.Run(nil, []torch.Tensor{x}, func(in []torch.Tensor) []torch.Tensor {
			calls++
			return []torch.Tensor{in[0].Sum()}
		})[0].Item()
		if sum != 2 {
			t.Errorf("sum %g, want 2", sum)
		}
	}
	if calls != 7 {
		t.Errorf("%d calls, want four for the capture and one for each run", calls)
	}
	region.Forget()
}

func TestReplayOnGPU(t *testing.T) {
	// Work on a GPU is captured once and gives what it gives on the CPU, with new draws at each replay, which the generator's state repeats.
	gpu := torchtest.CUDA(t)
	if !torch.HasGraphs {
		t.Skip("built without -tags cuda")
	}
	torchtest.Scope(t)
	o := torch.Options{Dtype: torch.Float64, Device: gpu}
	x, calls := torch.Zeros([]int{2}, o), 0
	r := New(x, func() []torch.Tensor { return []torch.Tensor{x} })
	defer r.Forget()
	step := func(by float64) float64 {
		out := r.Run("step", []torch.Tensor{torch.Full([]int{2}, by, o)}, func(in []torch.Tensor) []torch.Tensor {
			calls++
			draw := torch.Rand([]int{1}, o)
			x.Add_(in[0])
			return []torch.Tensor{draw}
		})
		return out[0].Item()
	}
	draws := torch.RNGState(gpu)
	first, second := step(2), step(3)
	if x.Sum().Item() != 10 || first == second {
		t.Errorf("sum %g, want 10; draws %g and %g", x.Sum().Item(), first, second)
	}
	if warm := calls; warm != 4 {
		t.Errorf("%d calls, want 4", warm)
	}
	torch.SetRNGState(gpu, draws)
	if a, b := step(0), step(0); a != first || b != second || calls != 4 {
		t.Errorf("draws %g and %g, want %g and %g; %d calls", a, b, first, second, calls)
	}
}
