package fast_test

import (
	"testing"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

// kernels counts what forward and backward of net launch on a GPU.
func kernels(net darts.Supernet, images int) (calls int) {
	b := nn.Batch{
		X: torch.Randn([]int{images, 3, 32, 32}, torch.Options{}),
		Y: torch.Zeros([]int{images}, torch.Options{Dtype: torch.Int64}),
	}
	for _, c := range torch.CountAsGPU(func() { net.Gradients(net.W(), b, darts.Need{W: true, Alphas: true}) }) {
		calls += c.Calls
	}
	return calls
}

func TestKernels(t *testing.T) {
	// Forward and backward launch no more kernels than six cells and each further normal cell take, whatever the images and channels are.
	torchtest.Scope(t)
	for _, form := range []struct {
		name      string
		make      func(darts.Options) (darts.Supernet, error)
		six, cell int // of the stem, two reductions, the cells before and after them; of a normal cell
	}{
		{"fast", func(o darts.Options) (darts.Supernet, error) { return fast.New(o) }, 15_889, 2_551},
		{"wide", func(o darts.Options) (darts.Supernet, error) { return fast.NewWide(o) }, 1_922, 295},
	} {
		count := func(channels, layers, images int) int {
			net, err := form.make(darts.Options{Channels: channels, Layers: layers, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3})
			if err != nil {
				t.Fatal(err)
			}
			return kernels(net, images)
		}
		six, paper := count(4, 6, 2), count(4, 8, 2)
		if most := form.six + 2*form.cell; six > form.six || paper > most {
			t.Errorf("%s form: %d kernels of 6 cells and %d of 8, want at most %d and %d", form.name, six, paper, form.six, most)
		}
		if other := count(8, 6, 3); other != six {
			t.Errorf("%s form: %d kernels with more channels and images, %d before", form.name, other, six)
		}
	}
}
