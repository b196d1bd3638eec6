// Supernet takes a few steps of DARTS by hand, without run folders and configs: the supernet, the
// architect of the second order and the optimizer of w, on random images.
//
//	go run ./supernet
package main

import (
	"fmt"
	"log"

	"godarts/darts"
	"godarts/darts/fast"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
)

func main() {
	if err := torch.Do(steps); err != nil { // opens a scope, which frees all tensors made in it
		log.Fatal(err)
	}
}

func steps() error {
	torch.ManualSeed(1)
	net, err := fast.New(darts.Options{Channels: 4, Layers: 3, Nodes: 2, Classes: 10, InputChannels: 3, StemMultiplier: 3})
	if err != nil {
		return err
	}
	w := optim.NewSGD([]torch.Tensor{net.W()}, optim.SGDOptions{LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4})
	alpha := optim.NewAdam(net.Alphas(), optim.AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3})
	architect := darts.NewArchitect(net, w, alpha)
	for step := range 3 {
		torch.Scoped(func() { // frees what the step makes
			train, valid := batch(), batch()
			architect.Step(train, valid, w.LR())                    // α
			g := net.Gradients(net.W(), train, darts.Need{W: true}) // w
			optim.Clip(5, g.W)
			w.Step(g.W)
			fmt.Printf("step %d: loss %.3f\n", step+1, g.Loss.Item())
		})
	}
	fmt.Println(net.Genotype())
	return nil
}

// batch makes 8 random images of 16x16 pixels with labels, in the current scope.
func batch() nn.Batch {
	return nn.Batch{
		X: torch.Randn([]int{8, 3, 16, 16}, torch.Options{}), // [N,C,H,W]
		Y: torch.FromSlice([]int64{0, 1, 2, 3, 4, 5, 6, 7}, 8),
	}
}
