package nas

import (
	"context"
	"fmt"
	"iter"
	"runtime"

	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/data/sets"
	"godarts/torch"
	"godarts/torch/nn"
)

// feed brings what a run's steps need, images or a text, and measures networks on
// what is held back from them.
type feed interface {
	// steps is the number of steps of the epoch that at is in.
	steps(at position) int
	// batches yields the steps of that epoch that are left.
	batches(ctx context.Context, at position) iter.Seq2[int, loaded]
	// validate measures forward after an epoch. It stops early, with the context's
	// error, when that is done.
	validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) (Meter, error)
	// size is how much there is to train on, in what Meters count: 1437 "image".
	size() (n int, what string)
}

// loaded is what one step needs, still in Go memory.
type loaded interface {
	err() error // why it could not be loaded
	// take counts what could not be read of it, and tells whether enough is left for a step.
	take() bool
	// fill makes the step's tensors in the present scope.
	fill(s *Step)
}

// imageFeed brings batches of images, prepared ahead by goroutines.
type imageFeed struct {
	train      *data.Source
	valid      *data.Source // trains α; nil where there is none to train
	epochs     int          // of the run
	validation *data.Source // measured after an epoch
	fewer      bool         // images were left out before the start
	left       leftOut      // images that the batches so far left out
	to         torch.Options
}

// openData opens the data set that c describes.
func openData(c *config.Config) (*data.Set, error) {
	d := c.Data
	mean, std := d.Normalisation()
	set, err := sets.Options{
		Name: d.Name, Root: d.Root, Size: d.Size, Channels: d.Channels, Mean: mean, Std: std,
		Coarse: d.Labels == config.Coarse, SplitSeed: d.SplitSeed, MaxPixels: d.MaxPixels,
	}.Open()
	if err != nil {
		return nil, err
	}
	switch d.Augment {
	case config.None:
		set.Augment = data.Augment{}
	case config.ImageNet:
		set.Augment = data.ImageNet()
	}
	// What a config can not know of a folder.
	if key, problem := c.CheckTrainImages(set.Train.N); key != "" {
		return nil, fmt.Errorf("nas: %s: %s", key, problem)
	}
	if d.Subset > 0 {
		set.Train = set.Train.Slice(0, d.Subset)
	}
	return set, nil
}

// parts are how many of a set's training images c uses, and how many of these train w.
func parts(c *config.Config, images int) (used, split int) {
	if c.Data.Subset > 0 {
		images = min(c.Data.Subset, images)
	}
	return images, int(c.Data.TrainPortion * float64(images))
}

// newImageFeed chooses the images of the steps. In a search the first part of the
// training images trains w and the rest α, both augmented; in training the first
// part, mostly all, trains w.
func newImageFeed(c *config.Config, set *data.Set, to torch.Options) *imageFeed {
	images, augment := set.Train, set.Augment
	_, split := parts(c, images.N)
	augment.Cutout = c.Data.Cutout
	source := func(name string, images *data.Images, order data.Order) *data.Source {
		return &data.Source{
			Images: images, Augment: augment, Seed: c.Seed, Name: name, Size: c.Data.Batch, Order: order,
			Skip: c.Data.OnBadFile == config.Skip,
		}
	}
	half := images.Slice(split, images.N)
	if c.Experiment == config.Train {
		measured := source("test", set.Test, data.Sequential)
		if c.Data.TrainPortion < 1 {
			measured = source("validation", half, data.Sequential)
		}
		measured.Augment = augment.Evaluation()
		return &imageFeed{train: source("train", images.Slice(0, split), data.Shuffled), validation: measured, to: to}
	}
	f := &imageFeed{
		train:      source("train", images.Slice(0, split), data.Shuffled),
		epochs:     c.Epochs,
		validation: source("validation", half, data.Shuffled),
		to:         to,
	}
	if c.HasAlpha() {
		f.valid = source("valid", half, data.Resampled)
		if methodOf(c).AlphaTurns {
			f.valid.Order = data.Shuffled
		}
	}
	return f
}

// images are those of one step.
type images struct {
	train, valid *data.Batch
	feed         *imageFeed
}

// err implements loaded.
func (b images) err() error {
	if b.train.Err == nil && b.valid != nil {
		return b.valid.Err
	}
	return b.train.Err
}

// take implements loaded. Where images were left out, one of several is too few for a
// batch norm over single pixels, none for all.
func (b images) take() bool {
	b.feed.left.add(b.train, b.valid)
	enough := func(of *data.Batch) bool {
		return of == nil || len(of.LeftOut) == 0 && !b.feed.fewer || of.N >= min(2, b.feed.train.Size)
	}
	return enough(b.train) && enough(b.valid)
}

// fill implements loaded.
func (b images) fill(s *Step) {
	s.Train, s.Count = toBatch(b.train, b.feed.to), b.train.N
	if b.valid != nil {
		s.Valid = toBatch(b.valid, b.feed.to)
	}
}

func (f *imageFeed) steps(position) int { return f.train.Steps() }

func (f *imageFeed) size() (n int, what string) { return f.train.Images.N, "image" }

// batchesAhead is how many steps' images are prepared in advance.
const batchesAhead = 4

// loaders is the number of goroutines that prepare images: half of the processors that
// the program has at its start, before main adds some that are to be idle.
var loaders = max(1, runtime.GOMAXPROCS(0)/2)

func (f *imageFeed) batches(ctx context.Context, at position) iter.Seq2[int, loaded] {
	return data.Prefetch(ctx, at.Step, f.train.Steps(), loaders, batchesAhead, func(step int) loaded {
		b := images{train: f.train.Load(at.Epoch, step), feed: f}
		if f.valid != nil {
			b.valid = f.valid.Load(f.place(at.Epoch, step))
		}
		return b
	})
}

// lastValid are the images that α is trained on in the last step of an epoch.
func (f *imageFeed) lastValid(epoch int) (nn.Batch, error) {
	b := f.valid.Load(epoch, f.train.Steps()-1)
	f.left.add(b)
	switch {
	case b.Err != nil:
		return nn.Batch{}, b.Err
	case b.N == 0:
		return nn.Batch{}, f.left.none("the last step's batch for alpha")
	}
	return toBatch(b, f.to), nil
}

// place is where the images for α of a step lie in their source: one that comes to its
// end begins again, in an order that no epoch has.
func (f *imageFeed) place(epoch, step int) (int, int) {
	if f.valid.Order != data.Shuffled {
		return epoch, step
	}
	round := step / f.valid.Steps()
	return epoch + round*f.epochs, step % f.valid.Steps()
}

// toBatch copies images and labels to tensors X [N,C,H,W], channels last, and
// Y [N].
func toBatch(b *data.Batch, to torch.Options) nn.Batch {
	shape := []int{b.N, b.Channels, b.Height, b.Width}
	return nn.Batch{
		X: torch.FromSliceChannelsLast(b.X, shape, to),
		Y: torch.FromSliceTo(b.Y, []int{b.N}, torch.Options{Dtype: torch.Int64, Device: to.Device}),
	}
}

// topFive tells whether it means something that a label is among the five
// largest of the logits.
func (f *imageFeed) topFive() bool { return f.validation.Images.Classes > 10 }

// inFive counts the rows of logits [N,classes] in which fewer than five exceed
// that of the label.
func inFive(logits, labels torch.Tensor) float64 {
	own := logits.Gather(1, labels.Reshape(-1, 1))                          // [N,1]
	above := logits.Gt(own).ToDtype(torch.Float64).SumDims([]int{1}, false) // [N]
	return above.LtScalar(5).ToDtype(torch.Float64).Sum().Item()
}

// validate passes all images of validation through forward and measures its
// loss and accuracy.
func (f *imageFeed) validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) (m Meter, err error) {
	load := func(step int) *data.Batch { return f.validation.Load(epoch, step) }
	err = f.pass(ctx, f.validation.Steps(), load, func(_ int, b nn.Batch) {
		out := forward(b)
		loss, correct := measure(out.Loss, out.Logits, b.Y)
		m.add(loss, correct, b.X.Size(0))
		if f.topFive() {
			m.InFive += inFive(out.Logits, b.Y)
		}
	})
	if err == nil && m.Count == 0 {
		err = f.left.none("the images to measure on")
	}
	return m, err
}

// rounds implements rounds.
func (f *imageFeed) rounds(ctx context.Context, epoch, n int, use func(k int, b nn.Batch)) error {
	around := f.validation.Steps()
	load := func(k int) *data.Batch { return f.validation.Load(epoch+k/around, k%around) }
	return f.pass(ctx, n, load, use)
}

// pass gives n batches of load to use, in order, each in a scope of its own, but for
// those of which nothing is left. It stops early, with the context's error, when that is
// done.
func (f *imageFeed) pass(ctx context.Context, n int, load func(k int) *data.Batch, use func(k int, b nn.Batch)) error {
	for k, b := range data.Prefetch(ctx, 0, n, loaders, batchesAhead, load) {
		if b.Err != nil {
			return b.Err
		}
		f.left.add(b)
		if b.N == 0 {
			continue
		}
		torch.Scoped(func() { use(k, toBatch(b, f.to)) })
	}
	return ctx.Err()
}
