// Package images brings the images of a run: batches that train w and α, images to measure on, and the
// sizes of networks for them. Before the first step it checks whether a config can run on images of
// these sizes.
package images

import (
	"context"
	"fmt"
	"iter"
	"runtime"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/data/fingerprint"
	"godarts/nas/data/sets"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/nn"
)

// Feed brings batches of images, which goroutines prepare ahead.
type Feed struct {
	Set *data.Set

	config     *config.Config
	HoldsOut   bool // a training is measured on training images that it holds out
	Train      *data.Source
	Valid      *data.Source // trains α; nil without α
	epochs     int          // of the run
	Validation *data.Source // measured after an epoch
	fewer      bool         // images were excluded before the start
	LeftOut    int          // number of images excluded before the start
	Left       leftOut      // images that the batches have left out so far
	to         torch.Options
}

// Source is the feed of images that strategies see.
type Source interface {
	nas.Feed
	// Images returns all images, the test images among them.
	Images() *data.Set
	// LastValid returns the images that α is trained on in the last step of an epoch.
	LastValid(epoch int) (nn.Batch, error)
	// Rounds passes n batches of the validation images to use, in order, each in its own scope. Each
	// round goes through all of them, in the order of an epoch; the first round in that of epoch.
	Rounds(ctx context.Context, epoch, n int, use func(k int, b nn.Batch)) error
}

// Of returns the feed of a run on images.
func Of(r *nas.Run) Source { return r.Feed.(Source) }

// Images implements Source.
func (f *Feed) Images() *data.Set { return f.Set }

// openSet opens the data set that c describes.
func openSet(c *config.Config) (*data.Set, error) {
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
	// Only the images of a folder tell this.
	if key, problem := c.CheckTrainImages(set.Train.N); key != "" {
		return nil, fmt.Errorf("nas: %s: %s", key, problem)
	}
	if d.Subset > 0 {
		set.Train = set.Train.Slice(0, d.Subset)
	}
	return set, nil
}

// parts returns how many of a set's training images c uses, and how many of these train w.
func parts(c *config.Config, images int) (used, split int) {
	if c.Data.Subset > 0 {
		images = min(c.Data.Subset, images)
	}
	return images, int(c.Data.TrainPortion * float64(images))
}

// NewFeed assigns the images of set to their purposes. In a search the first part of the training
// images trains w and the rest trains α, both augmented. In a training the first part, mostly all,
// trains w.
func NewFeed(c *config.Config, set *data.Set, to torch.Options) *Feed {
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
		return &Feed{
			Set: set, config: c, HoldsOut: c.Data.TrainPortion < 1,
			Train: source("train", images.Slice(0, split), data.Shuffled), Validation: measured, to: to,
		}
	}
	f := &Feed{
		Set: set, config: c,
		Train:      source("train", images.Slice(0, split), data.Shuffled),
		epochs:     c.Epochs,
		Validation: source("validation", half, data.Shuffled),
		to:         to,
	}
	if c.HasAlpha() {
		f.Valid = source("valid", half, data.Resampled)
		if nas.MethodOf(c).AlphaTurns {
			f.Valid.Order = data.Shuffled
		}
	}
	return f
}

// images is the batch of one step.
type images struct {
	train, valid *data.Batch
	feed         *Feed
}

// Err implements nas.Batch.
func (b images) Err() error {
	if b.train.Err == nil && b.valid != nil {
		return b.valid.Err
	}
	return b.train.Err
}

// Take implements nas.Batch. Once images were left out, a batch needs two images for a batch norm over
// single pixels, unless batches have one.
func (b images) Take() bool {
	b.feed.Left.Add(b.train, b.valid)
	enough := func(of *data.Batch) bool {
		return of == nil || len(of.LeftOut) == 0 && !b.feed.fewer || of.N >= min(2, b.feed.Train.Size)
	}
	return enough(b.train) && enough(b.valid)
}

// Fill implements nas.Batch.
func (b images) Fill(s *nas.Step) {
	s.Train, s.Count = ToBatch(b.train, b.feed.to), b.train.N
	if b.valid != nil {
		s.Valid = ToBatch(b.valid, b.feed.to)
	}
}

// Steps implements nas.Feed.
func (f *Feed) Steps(nas.Position) int { return f.Train.Steps() }

// Size implements nas.Feed.
func (f *Feed) Size() (n int, what string) { return f.Train.Images.N, "image" }

// batchesAhead is the number of steps whose images are prepared in advance.
const batchesAhead = 4

// loaders is the number of goroutines that prepare images: half of the processors at the start of the
// program, before main adds idle ones.
var loaders = max(1, runtime.GOMAXPROCS(0)/2)

// Batches implements nas.Feed.
func (f *Feed) Batches(ctx context.Context, at nas.Position) iter.Seq2[int, nas.Batch] {
	return data.Prefetch(ctx, at.Step, f.Train.Steps(), loaders, batchesAhead, func(step int) nas.Batch {
		b := images{train: f.Train.Load(at.Epoch, step), feed: f}
		if f.Valid != nil {
			b.valid = f.Valid.Load(f.place(at.Epoch, step))
		}
		return b
	})
}

// LastValid implements Source.
func (f *Feed) LastValid(epoch int) (nn.Batch, error) {
	b := f.Valid.Load(epoch, f.Train.Steps()-1)
	f.Left.Add(b)
	switch {
	case b.Err != nil:
		return nn.Batch{}, b.Err
	case b.N == 0:
		return nn.Batch{}, f.Left.None("the last step's batch for alpha")
	}
	return ToBatch(b, f.to), nil
}

// place returns the epoch and step of the source Valid at which the images for α of a step are. When
// the source ends within an epoch, it starts again, in an order that no other epoch has.
func (f *Feed) place(epoch, step int) (int, int) {
	if f.Valid.Order != data.Shuffled {
		return epoch, step
	}
	round := step / f.Valid.Steps()
	return epoch + round*f.epochs, step % f.Valid.Steps()
}

// ToBatch copies images and labels to tensors X [N,C,H,W], channels last, and Y [N]. It does not wait for a GPU.
func ToBatch(b *data.Batch, to torch.Options) nn.Batch {
	shape := []int{b.N, b.Channels, b.Height, b.Width}
	var x, y torch.Tensor
	torch.Scoped(func() {
		x = torch.Keep(torch.FromSliceChannelsLast(b.X, shape, torch.Options{Dtype: to.Dtype}).Upload(to.Device))
		y = torch.Keep(torch.FromSliceTo(b.Y, []int{b.N}, torch.Options{Dtype: torch.Int64}).Upload(to.Device))
	})
	return nn.Batch{X: x, Y: y}
}

// TopFive reports whether the top-five error is meaningful: there are more than ten classes.
func (f *Feed) TopFive() bool { return f.Validation.Images.Classes > 10 }

// topFive returns the top-five accuracy of m. It is nil where that says nothing, and for a trial, of
// which only the accuracy is kept.
func (f *Feed) topFive(m *nas.Meter) *float64 {
	if !f.TopFive() || f.config.FromScratch() {
		return nil
	}
	return new(m.InFive / float64(max(m.Count, 1)))
}

// inFive counts the rows of logits [N,classes] in which fewer than five exceed the label's.
func inFive(logits, labels torch.Tensor) float64 {
	own := logits.Gather(1, labels.Reshape(-1, 1))                          // [N,1]
	above := logits.Gt(own).ToDtype(torch.Float64).SumDims([]int{1}, false) // [N]
	return above.LtScalar(5).ToDtype(torch.Float64).Sum().Item()
}

// Validate implements nas.Feed: it measures loss and accuracy on all images of Validation.
func (f *Feed) Validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) (m nas.Meter, err error) {
	load := func(step int) *data.Batch { return f.Validation.Load(epoch, step) }
	err = f.pass(ctx, f.Validation.Steps(), load, func(_ int, b nn.Batch) {
		out := forward(b)
		loss, correct := nas.Measure(out.Loss, out.Logits, b.Y)
		m.Add(loss, correct, b.X.Size(0))
		if f.TopFive() {
			m.InFive += inFive(out.Logits, b.Y)
		}
	})
	if err == nil && m.Count == 0 {
		err = f.Left.None("the images to measure on")
	}
	return m, err
}

// Rounds implements Source.
func (f *Feed) Rounds(ctx context.Context, epoch, n int, use func(k int, b nn.Batch)) error {
	around := f.Validation.Steps()
	load := func(k int) *data.Batch { return f.Validation.Load(epoch+k/around, k%around) }
	return f.pass(ctx, n, load, use)
}

// pass passes n batches of load to use, in order, each in its own scope. It skips batches that have no
// image left. When the context is done it stops early with the context's error.
func (f *Feed) pass(ctx context.Context, n int, load func(k int) *data.Batch, use func(k int, b nn.Batch)) error {
	for k, b := range data.Prefetch(ctx, 0, n, loaders, batchesAhead, load) {
		if b.Err != nil {
			return b.Err
		}
		f.Left.Add(b)
		if b.N == 0 {
			continue
		}
		torch.Scoped(func() { use(k, ToBatch(b, f.to)) })
	}
	return ctx.Err()
}

// Notes implements nas.Feed.
func (f *Feed) Notes() []string { return f.Set.Notes }

// Quality implements nas.Feed.
func (f *Feed) Quality(m nas.Meter) string {
	return fmt.Sprintf("loss %.4f, accuracy %.1f %%", m.MeanLoss(), 100*m.Accuracy())
}

// Measured implements nas.Feed.
func (f *Feed) Measured() string {
	if f.testsEpochs() {
		return "test"
	}
	return "validation"
}

// testsEpochs reports whether epochs are measured on the test images.
func (f *Feed) testsEpochs() bool { return f.config.Experiment == config.Train && !f.HoldsOut }

// Record implements nas.Feed.
func (f *Feed) Record(line *runfolder.Metric, seen, measured *nas.Meter) {
	if seen != nil {
		line.TrainLoss, line.TrainAccuracy = new(seen.MeanLoss()), new(seen.Accuracy())
	}
	switch {
	case measured == nil:
	case f.testsEpochs():
		line.TestLoss, line.TestAccuracy, line.TestTopFive = new(measured.MeanLoss()), new(measured.Accuracy()), f.topFive(measured)
	default:
		line.ValidLoss, line.ValidAccuracy, line.ValidTopFive = new(measured.MeanLoss()), new(measured.Accuracy()), f.topFive(measured)
	}
}

// Fingerprint implements nas.Feed.
func (f *Feed) Fingerprint() fingerprint.Fingerprint { return f.Set.Fingerprint() }
