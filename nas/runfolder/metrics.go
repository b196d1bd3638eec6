package runfolder

// Metric is a line of the metrics file, for an interval of steps or for an epoch.
type Metric struct {
	Epoch         int      `json:"epoch"`
	Step          int      `json:"step,omitempty"` // steps done in the epoch; absent in the line of an epoch
	LR            *float64 `json:"lr,omitempty"`   // absent for a trial, as TrainLoss is
	TrainLoss     *float64 `json:"train_loss,omitempty"`
	TrainAccuracy *float64 `json:"train_accuracy,omitempty"` // of images, as ValidAccuracy and TestAccuracy
	ValidLoss     *float64 `json:"valid_loss,omitempty"`     // in older runs also of test images
	ValidAccuracy *float64 `json:"valid_accuracy,omitempty"` // as ValidLoss
	TestLoss      *float64 `json:"test_loss,omitempty"`      // of a training that measures test images
	TestAccuracy  *float64 `json:"test_accuracy,omitempty"`
	Genotype      string   `json:"genotype,omitempty"`
	Eigenvalue    *float64 `json:"eigenvalue,omitempty"` // dominant eigenvalue of the Hessian of the validation loss in α
	Diverged      string   `json:"diverged,omitempty"`   // how a trial diverged; it has no loss then
	PeakRSSBytes  int64    `json:"peak_rss_bytes,omitempty"`

	TrainPerplexity *float64 `json:"train_perplexity,omitempty"` // of a text, as ValidPerplexity
	ValidPerplexity *float64 `json:"valid_perplexity,omitempty"`
}
