package nas

import (
	"context"
	"iter"
	"runtime"

	"godarts/nas/data"
	"godarts/torch"
	"godarts/torch/nn"
)

// feed brings the batches of a run's steps, prepared ahead by goroutines, and
// turns them into tensors in the step's scope.
type feed struct {
	train      *data.Source
	valid      *data.Source // nil when a derived network is trained
	validation *data.Source // measured after an epoch
	to         torch.Options
}

// images is what one step needs, still in Go memory.
type images struct {
	train, valid *data.Batch
}

func (f *feed) steps() int { return f.train.Steps() }

// batchesAhead is how many steps' images are prepared in advance.
const batchesAhead = 4

// loaders is the number of goroutines that prepare images.
func loaders() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// batches yields the images of steps from first to the end of the epoch.
func (f *feed) batches(ctx context.Context, epoch, first int) iter.Seq2[int, images] {
	return data.Prefetch(ctx, first, f.steps(), loaders(), batchesAhead, func(step int) images {
		b := images{train: f.train.Load(epoch, step)}
		if f.valid != nil {
			b.valid = f.valid.Load(epoch, step)
		}
		return b
	})
}

func (f *feed) tensors(b images) (train, valid nn.Batch, n int) {
	train = toBatch(b.train, f.to)
	if b.valid != nil {
		valid = toBatch(b.valid, f.to)
	}
	return train, valid, b.train.N
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

// validate passes all images of validation through forward and measures its
// loss and accuracy. It stops early, with the context's error, when that is done.
func (f *feed) validate(ctx context.Context, epoch int, forward func(nn.Batch) nn.Output) (m Meter, err error) {
	load := func(step int) *data.Batch { return f.validation.Load(epoch, step) }
	for _, b := range data.Prefetch(ctx, 0, f.validation.Steps(), loaders(), batchesAhead, load) {
		torch.Scoped(func() {
			batch := toBatch(b, f.to)
			out := forward(batch)
			loss, correct := measure(out.Loss, out.Logits, batch.Y)
			m.add(loss, correct, b.N)
		})
	}
	return m, ctx.Err()
}
