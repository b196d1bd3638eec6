// Package tensorboard writes what a run records as event files, which TensorBoard shows and W&B, Aim and
// others import: curves, softmax(α) of every edge as scalars and histograms, the cell as an image, the
// config as hyper-parameters with the results beside them, and texts.
//
// An event file is a sequence of protocol buffers of TensorBoard's type Event, each in a frame of its
// own (frame.go, fields.go). All events follow from the lines of the metrics and timings files (series.go).
// [Export] writes those of a run folder; [Live] writes them while the run goes. Both write scalars,
// histograms and images in the older form, as PyTorch's SummaryWriter does, since every importer reads it.
package tensorboard
