package train

import (
	"context"
	"errors"
	"fmt"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/images"
	"godarts/nas/model"
	"godarts/nas/quantise"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// Network is what a Trainer trains: cells.Network, or one in integers.
type Network interface {
	nn.Module
	Weights() *nn.Weights
	Forward(b nn.Batch, m nn.Mode) nn.Output
	Logits(x torch.Tensor) torch.Tensor
	ParameterCount() (network, auxiliary int)
	CheckStateDict(shapes map[string][]int) error
}

// newNetwork makes the network of the cells g that the run trains. One in integers has the weights of the
// network that it is made of, unless a checkpoint or a file will bring others.
func newNetwork(r *nas.Run, g genotype.Genotype) (Network, error) {
	float, err := cells.NewNetwork(g, images.NetworkOf(r))
	q := r.Config.Quantise
	if err != nil || q == nil {
		return float, err
	}
	about, weights := describe(r, g), model.WeightsOf(float)
	if r.Dir != "" && !runfolder.HoldsCheckpoint(r.Dir) {
		if weights, err = about.StartingWeights(q.From); err != nil {
			return nil, err
		}
	}
	return about.Integers(weights, false, quantise.Options{LabelSmoothing: r.Config.Network.LabelSmoothing, Options: r.Options()})
}

// describe describes the network of the cells g that the run trains.
func describe(r *nas.Run, g genotype.Genotype) model.Description {
	about := model.Describe(g, images.NetworkOf(r), images.Of(r).Images())
	if q := r.Config.Quantise; q != nil {
		about.Quantised = &model.Quantised{Method: q.Method, Images: q.Images, Range: q.Range}
	}
	return about
}

// calibrateOn chooses the scales of a network in integers by training images, without augmentation.
func calibrateOn(ctx context.Context, r *nas.Run, net *quantise.Network) error {
	set, c := images.Of(r).Images(), r.Config
	used := set.Train
	if c.Data.TrainPortion < 1 {
		used = used.Slice(0, int(c.Data.TrainPortion*float64(used.N)))
	}
	source := &data.Source{
		Images: used, Augment: set.Augment.Evaluation(), Seed: c.Seed, Name: "calibration", Size: c.Data.Batch, Order: data.Shuffled,
		Skip: c.Data.OnBadFile == config.Skip,
	}
	return net.Calibrate(c.Quantise.Method, func(use func(torch.Tensor)) error {
		left := min(c.Quantise.Images, used.N)
		for step := 0; step < source.Steps() && left > 0; step++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			b := source.Load(0, step)
			if b.Err != nil {
				return b.Err
			}
			if b.N == 0 {
				continue
			}
			count := min(b.N, left)
			left -= count
			torch.Scoped(func() { use(images.ToBatch(b, r.Options()).X.Narrow(0, 0, count)) })
		}
		return nil
	})
}

// calibrate calibrates a network in integers whose training begins.
func (t *Trainer) calibrate(ctx context.Context, r *nas.Run) {
	net, ok := t.Net.(*quantise.Network)
	if !ok || net.Calibrated() || r.Err() != nil {
		return
	}
	err := calibrateOn(ctx, r, net)
	if err != nil && !errors.Is(err, context.Canceled) {
		err = fmt.Errorf("nas: %s: %w", r.Config.Quantise.From, err)
	}
	r.Fail(err)
}
