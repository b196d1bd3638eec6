package replay

import (
	"math"

	"godarts/torch"
)

// imitating has New imitate graphs on the CPU.
var imitating = false

// Imitate has New make regions on the CPU that go the way of those on a GPU until the function that it returns is called:
// they run work some times before, put their state back, and then repeat it on buffers that inputs are copied to. It is
// for tests: what a graph would go without, or keep from the first time, shows in the results.
func Imitate() (end func()) {
	imitating = true
	return func() { imitating = false }
}

// imitation replays by running the work again and overwriting what it gave first, as a CUDA graph overwrites its tensors.
type imitation struct {
	work func() []torch.Tensor
	out  []torch.Tensor
}

// imitate captures as CaptureGraph does: some runs to warm up, and one whose results hold nothing yet.
func imitate(_ launcher, work func() []torch.Tensor) (launcher, []torch.Tensor, error) {
	g := &imitation{work: func() (out []torch.Tensor) {
		torch.NoReads(func() { out = work() })
		return out
	}}
	for range 3 {
		torch.Scoped(func() { g.work() })
	}
	torch.Scoped(func() { g.out = each(g.work(), torch.Keep) })
	torch.NoGrad(func() { each(g.out, func(t torch.Tensor) torch.Tensor { return t.Fill_(math.NaN()) }) })
	return g, g.out, nil
}

// Replay implements launcher.
func (g *imitation) Replay() {
	torch.Scoped(func() { overwrite(g.out, g.work()) })
}

// Free implements launcher.
func (g *imitation) Free() {}
