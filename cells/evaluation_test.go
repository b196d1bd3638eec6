package cells_test

import (
	"fmt"
	"testing"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/torchtest"
)

func TestEvaluationWithoutGraph(t *testing.T) {
	// Logits and loss without a graph, by ranks and with batch norms folded, equal those of the layers one by one, whatever the number of ranks.
	for _, name := range []string{"DARTS_V2", "NASNet", "AmoebaNet"} {
		for _, threads := range []int{1, 2, 4} {
			t.Run(fmt.Sprint(name, ", ", threads, " threads"), func(t *testing.T) {
				torchtest.Scope(t)
				defer torch.SetThreads(torch.Threads()) // of this thread, which another test may get
				torch.SetThreads(threads)
				g, err := genotype.Lookup(name)
				if err != nil {
					t.Fatal(err)
				}
				double := torch.Options{Dtype: torch.Float64}
				net, err := cells.NewNetwork(g, cells.NetworkOptions{
					Channels: 4, Layers: 4, Classes: 5, InputChannels: 3, Size: 8, StemMultiplier: 2, LabelSmoothing: 0.1, Options: double,
				})
				if err != nil {
					t.Fatal(err)
				}
				b := nn.Batch{X: torch.Randn([]int{5, 3, 8, 8}, double), Y: torch.RandInt(0, 5, []int{5}, torch.Options{Dtype: torch.Int64})}
				torch.Scoped(func() {
					for range 3 { // statistics and weights that are not those of the start
						net.Forward(b, nn.Mode{Training: true})
					}
				})
				torch.NoGrad(func() { w := net.Weights().W; w.Add_(torch.Randn(w.Shape(), double).MulScalar_(0.1)) })
				want := net.Forward(b, nn.Mode{})
				torch.NoGrad(func() {
					got := net.Forward(b, nn.Mode{})
					torchtest.Close(t, "logits", got.Logits, want.Logits.Detach(), 1e-12)
					torchtest.Close(t, "loss", got.Loss, want.Loss.Detach(), 1e-12)
				})
			})
		}
	}
}
