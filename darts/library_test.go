package darts_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

// searchSteps is the loop of docs/library.md, in which TestLibraryLoop looks for it:
// everything from the first line to the last.
func searchSteps(steps int, batches func(step int) (train, valid nn.Batch)) error {
	err := torch.Do(func() error {
		net, err := fast.New(darts.Options{
			Channels: 16, Layers: 8, Nodes: 4, Classes: 10, InputChannels: 3, StemMultiplier: 3,
		})
		if err != nil {
			return err
		}
		w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4})
		alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
		architect := darts.NewArchitect(net, w, alpha)
		for step := range steps {
			torch.Scoped(func() { // frees what a step makes
				train, valid := batches(step)
				architect.Step(train, valid, w.LR())                    // α, second order
				g := net.Gradients(net.W(), train, darts.Need{W: true}) // w
				optim.Clip(5, g.W)
				w.Step(g.W)
			})
		}
		fmt.Println(net.Genotype())
		return nil
	})
	return err
}

func TestLibraryLoop(t *testing.T) {
	// The page's loop is the one above, and no step of it leaves a tensor when it runs.
	own, err := os.ReadFile("library_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/library.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "# As a library\n")
	_, block, _ = strings.Cut(block, "```go\n")
	block, _, ok := strings.Cut(block, "```\n")
	indented := strings.ReplaceAll("\t"+strings.TrimSuffix(block, "\n"), "\n", "\n\t") + "\n"
	if !ok || !strings.Contains(string(own), "error {\n"+indented+"\treturn err\n") {
		t.Errorf("the loop of docs/library.md is not the body of searchSteps:\n%s", block)
	}

	images := func(n int) nn.Batch {
		return nn.Batch{X: torch.Randn([]int{n, 3, 8, 8}, torch.Options{}), Y: torch.RandInt(0, 10, []int{n}, torch.Options{Dtype: torch.Int64})}
	}
	var live []int
	err = searchSteps(3, func(int) (train, valid nn.Batch) {
		live = append(live, torch.Live())
		return images(2), images(2)
	})
	if err != nil {
		t.Fatal(err)
	}
	// The first step makes the optimizers' buffers.
	if len(live) != 3 || live[2] != live[1] || torch.Live() >= live[0] {
		t.Errorf("%v tensors live before each step and %d at the end: a step keeps some", live, torch.Live())
	}
}
