package runfolder

// Metric is a line of the metrics file: a report within an epoch, or an epoch.
type Metric struct {
	Epoch         int      `json:"epoch"`
	Step          int      `json:"step,omitempty"` // steps done; absent for an epoch
	LR            *float64 `json:"lr,omitempty"`   // absent for a cell that was tried, as the next
	TrainLoss     *float64 `json:"train_loss,omitempty"`
	TrainAccuracy *float64 `json:"train_accuracy,omitempty"` // of images, as the next
	ValidLoss     *float64 `json:"valid_loss,omitempty"`     // older runs have those of test images here too
	ValidAccuracy *float64 `json:"valid_accuracy,omitempty"` // as the loss
	TestLoss      *float64 `json:"test_loss,omitempty"`      // of a training that is measured on test images
	TestAccuracy  *float64 `json:"test_accuracy,omitempty"`
	Genotype      string   `json:"genotype,omitempty"`
	Eigenvalue    *float64 `json:"eigenvalue,omitempty"` // the dominant one of the validation loss in α
	Diverged      string   `json:"diverged,omitempty"`   // how a cell that was tried did, in the place of its loss
	PeakRSSBytes  int64    `json:"peak_rss_bytes,omitempty"`

	TrainPerplexity *float64 `json:"train_perplexity,omitempty"` // of a text, as the next
	ValidPerplexity *float64 `json:"valid_perplexity,omitempty"`
}
