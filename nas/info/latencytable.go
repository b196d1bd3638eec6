package info

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"godarts/cells"
	"godarts/nas"
	"godarts/nas/bench"
	"godarts/nas/config"
	"godarts/nas/images"
	"godarts/nas/latency"
	"godarts/nas/names"
	"godarts/torch"
	"godarts/torch/nn"
)

// rowBudget is for the passes of one row of a table: at least leastPasses are timed, however long they take.
const rowBudget = 2 * time.Second

// MeasureTable measures the rows that the table of latencies in file lacks for the search of a config with the items
// set: each operation of its space, wherever its edges lie in the network that the search counts. It makes the file if
// there is none, and saves it after each row, so that an interrupted measurement goes on. done gets each row that it
// measures. It returns an error if the table there was measured under other conditions.
func MeasureTable(ctx context.Context, where string, set []string, file string, o LatencyOptions, done func(latency.Row) error) error {
	c, err := config.Load(where, set...)
	if err != nil {
		return err
	}
	if c.Experiment != config.Search || c.Data.IsText() {
		return fmt.Errorf("nas: latency: %s: a table has the operations of a space of cells for images, want the config of a search on images", names.Escape(where))
	}
	sizes, err := images.Sizes(c)
	if err != nil {
		return err
	}
	layers, err := images.LatencyLayers(c, sizes)
	if err != nil {
		return err
	}
	now, err := Conditions(c, o)
	if err != nil {
		return err
	}
	t, err := latency.Read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t = &latency.Table{Conditions: now}
	case err != nil:
		return err
	}
	if changes := t.Changes(now); changes != "" {
		return fmt.Errorf("nas: latency: %s was measured under other conditions: %s; want another --table", names.Escape(file), changes)
	}
	for _, l := range latency.Missing(t.Rows, layers) {
		r := latency.Row{Layer: l}
		err := torch.Do(func() error {
			all, err := timed(ctx, o.Passes, rowBudget, layerPass(l, o, nas.Dtype(c)))
			if err == nil {
				r.Seconds, r.Passes = Latency{Seconds: all[0]}.Quantile(0.5).Seconds(), len(all[0])
			}
			return err
		})
		if err != nil {
			return err
		}
		t.Add(r)
		if err := t.Write(file); err != nil {
			return err
		}
		if err := done(r); err != nil {
			return err
		}
	}
	return nil
}

// Conditions are those of measurements in this process, for networks of the config c.
func Conditions(c *config.Config, o LatencyOptions) (latency.Conditions, error) {
	processor, err := torch.Processor()
	return latency.Conditions{
		Machine: bench.Machine().CPU, Processor: processor, Libtorch: torch.Version(), Device: o.Device.String(), Threads: torch.Threads(),
		Batch: o.Batch, Dtype: c.Network.Dtype,
	}, err
}

// layerPass makes the layer of a network that is trained, and returns a function that passes a batch through it, shared
// out to ranks as cells.Network.Logits does, and waits for the result.
func layerPass(l latency.Layer, o LatencyOptions, dtype torch.Dtype) func() {
	to := torch.Options{Dtype: dtype, Device: o.Device}
	var b nn.Builder
	layer := cells.Operation(b.Root(), l.Op, l.Channels, l.Stride, true)
	b.Build(to)
	if f, ok := layer.(nn.Folder); ok {
		f.Fold()
	}
	x := someImages(o.Batch, l.Channels, l.Side, to)
	return func() {
		torch.NoGrad(func() {
			torch.Parallel(torch.RanksFor(o.Batch, o.Device), func(r *torch.Rank) {
				torch.Inference(func() {
					first, count := r.Share(o.Batch)
					y := layer.Forward(x.Narrow(0, first, count), nn.Mode{})
					if o.Device.IsCUDA() { // which else has only begun
						_ = y.Narrow(0, 0, 1).Sum().Item()
					}
				})
			})
		})
	}
}
