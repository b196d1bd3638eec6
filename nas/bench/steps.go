package bench

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/darts"
	"godarts/nas/data"
	"godarts/nas/rng"
	"godarts/torch"
	"godarts/torch/nn"
	"godarts/torch/optim"
	"godarts/torch/replay"
)

// Settings of the paper, in the search and in the training after it.
var (
	weightSteps = optim.SGDOptions{LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4}
	alphaSteps  = optim.AdamOptions{LR: 3e-4, Betas: [2]float64{0.5, 0.999}, WeightDecay: 1e-3}
)

const (
	gradClip = 5
	classes  = 10
	pixels   = 32 // a side
	dropPath = 0.2
	loaders  = 2 // goroutines of the input pipeline; the reference has as many processes
)

// randomBatch draws images and labels from the CPU's default generator. A PyTorch program
// that makes the same network after the same seed draws the same ones.
func (w Work) randomBatch() nn.Batch {
	x := torch.Randn([]int{w.Batch, 3, pixels, pixels}, torch.Options{})
	y := torch.RandInt(0, classes, []int{w.Batch}, torch.Options{Dtype: torch.Int64})
	return nn.Batch{
		X: x.To(torch.Options{Device: w.Device}).ChannelsLast(), // as the input pipeline delivers them
		Y: y.To(torch.Options{Dtype: torch.Int64, Device: w.Device}),
	}
}

// prepareSearch makes a search network and its optimizers.
func prepareSearch(w Work) (step, error) {
	form, err := findForm(w.Form)
	if err != nil {
		return nil, err
	}
	net, err := form.make(darts.Options{
		Channels: w.Channels, Layers: w.Layers, Nodes: 4, Classes: classes, InputChannels: 3, StemMultiplier: 3,
		Options: torch.Options{Device: w.Device},
	})
	if err != nil {
		return nil, err
	}
	sgd := optim.NewSGD([]torch.Tensor{net.W()}, weightSteps)
	adam := optim.NewAdam(net.Alphas(), alphaSteps)
	architect := darts.NewArchitect(net, sgd, adam)
	region := replay.New(net.W(), func() []torch.Tensor { // until the process ends
		return slices.Concat(slices.Collect(maps.Values(net.StateDict())), sgd.Overwritten(), adam.Overwritten())
	})
	train, valid := w.randomBatch(), w.randomBatch()
	if w.Row == forwardBackward {
		return run(region, train, valid, func(train, _ nn.Batch) torch.Tensor {
			return net.Gradients(net.W(), train, darts.Need{W: true, Alphas: true}).Loss
		}), nil
	}
	xi := 0.0
	if w.Row == secondOrder {
		xi = weightSteps.LR
	}
	architect.SetXi(xi)
	return run(region, train, valid, func(train, valid nn.Batch) torch.Tensor {
		architect.Step(train, valid, xi)
		g := net.Gradients(net.W(), train, darts.Need{W: true})
		optim.Clip(gradClip, g.W)
		sgd.Step(g.W)
		return g.Loss
	}), nil
}

// run is a step that runs work in a region, on the same batches each time.
func run(region *replay.Region, train, valid nn.Batch, work func(train, valid nn.Batch) torch.Tensor) step {
	return func() (loss *float64) {
		torch.Scoped(func() {
			inputs := []torch.Tensor{train.X, train.Y, valid.X, valid.Y}
			loss = number(region.Run(nil, inputs, func(in []torch.Tensor) []torch.Tensor {
				return []torch.Tensor{work(nn.Batch{X: in[0], Y: in[1]}, nn.Batch{X: in[2], Y: in[3]})}
			})[0])
		})
		return loss
	}
}

// number returns the loss. For that it waits for everything the device has to do.
func number(loss torch.Tensor) *float64 {
	l := loss.Item()
	return &l
}

func (w Work) network() (*cells.Network, error) {
	g, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		return nil, err
	}
	return cells.NewNetwork(g, cells.NetworkOptions{
		Channels: w.Channels, Layers: w.Layers, Classes: classes, InputChannels: 3, Size: pixels, StemMultiplier: 3,
		Auxiliary: true, AuxiliaryWeight: 0.4, Options: torch.Options{Device: w.Device},
	})
}

// prepareTraining makes the network of DARTS_V2 and its optimizer.
func prepareTraining(w Work) (step, error) {
	net, err := w.network()
	if err != nil {
		return nil, err
	}
	sgd := optim.NewSGD([]torch.Tensor{net.Weights().W}, weightSteps)
	b := w.randomBatch()
	region := replay.New(net.Weights().W, func() []torch.Tensor {
		return append(slices.Collect(maps.Values(net.StateDict())), sgd.Overwritten()...)
	})
	return func() (loss *float64) {
		torch.Scoped(func() {
			paths := net.DropFactors(w.Batch, dropPath)
			loss = number(region.Run(nil, []torch.Tensor{b.X, b.Y, paths}, func(in []torch.Tensor) []torch.Tensor {
				mode := nn.Mode{Training: true, DropPath: dropPath, Paths: cells.RowsOf(in[2])}
				out := net.Forward(nn.Batch{X: in[0], Y: in[1]}, mode)
				g := torch.Empty(net.Weights().W.Shape(), net.Weights().W.Options())
				net.Weights().Gradient(out.Loss, g, nil)
				optim.Clip(gradClip, g)
				sgd.Step(g)
				return []torch.Tensor{out.Loss}
			})[0])
		})
		return loss
	}, nil
}

// prepareInference makes the network of DARTS_V2.
func prepareInference(w Work) (step, error) {
	net, err := w.network()
	if err != nil {
		return nil, err
	}
	region := replay.New(net.Weights().W, nil)
	return run(region, w.randomBatch(), nn.Batch{}, func(b, _ nn.Batch) (loss torch.Tensor) {
		torch.NoGrad(func() { loss = net.Forward(b, nn.Mode{}).Loss })
		return loss
	}), nil
}

// prepareInput makes images of the form of CIFAR-10. A step is an epoch: every image
// once, augmented, in batches on the device.
func prepareInput(w Work) (step, error) {
	source := &data.Source{
		Images:  randomImages(rng.Stream(int64(w.Seed), "bench"), w.Images),
		Augment: data.Augment{Pad: 4, Flip: true, Cutout: 16}, Seed: int64(w.Seed), Name: "bench", Size: w.Batch, Order: data.Shuffled,
	}
	epoch := 0
	return func() *float64 {
		load := func(step int) *data.Batch { return source.Load(epoch, step) }
		for _, b := range data.Prefetch(context.Background(), 0, source.Steps(), loaders, 2*loaders, load) {
			torch.Scoped(func() {
				torch.FromSliceChannelsLast(b.X, []int{b.N, b.Channels, b.Height, b.Width}, torch.Options{Device: w.Device})
				torch.FromSliceTo(b.Y, []int{b.N}, torch.Options{Dtype: torch.Int64, Device: w.Device})
			})
		}
		epoch++
		return nil
	}, nil
}

func randomImages(r *rand.Rand, n int) *data.Images {
	m := &data.Images{
		N: n, Channels: 3, Height: pixels, Width: pixels, Classes: classes,
		Pixels: make([]uint8, n*3*pixels*pixels), Labels: make([]uint16, n), Max: 255,
		Mean: []float32{0.49139968, 0.48215827, 0.44653124}, Std: []float32{0.24703233, 0.24348505, 0.26158768},
	}
	for i := range m.Pixels {
		m.Pixels[i] = uint8(r.IntN(256))
	}
	for i := range m.Labels {
		m.Labels[i] = uint16(r.IntN(classes))
	}
	return m
}
