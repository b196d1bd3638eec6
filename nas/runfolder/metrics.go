package runfolder

// Metric is a line of the metrics file, for an interval of steps or for an epoch. It holds no times and
// no memory, which are in Timing: a resumed run writes the same bytes as an undisturbed one.
type Metric struct {
	Epoch         int      `json:"epoch"`          // from 0
	Step          int      `json:"step,omitempty"` // steps done in the epoch; absent in the line of an epoch
	Of            int      `json:"of,omitempty"`   // steps of the epoch, beside Step; absent in older runs
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

	TrainPerplexity *float64 `json:"train_perplexity,omitempty"` // of a text, as ValidPerplexity
	ValidPerplexity *float64 `json:"valid_perplexity,omitempty"`

	ValidTopFive *float64 `json:"valid_top_five_accuracy,omitempty"` // absent where there are ten classes or fewer, as TestTopFive
	TestTopFive  *float64 `json:"test_top_five_accuracy,omitempty"`

	GradNormW     *float64 `json:"grad_norm_w,omitempty"`     // mean over the steps so far in the epoch of ‖∇w L_train‖, before clipping
	GradNormAlpha *float64 `json:"grad_norm_alpha,omitempty"` // likewise of the gradient that the optimizer of α takes; absent if α did not move

	*Observation // of a search, after an epoch

	PeakRSSBytes int64 `json:"peak_rss_bytes,omitempty"` // of older runs; now in Timing
}

// Observation is what a search knows of its architecture after an epoch.
type Observation struct {
	Cells           []CellMix `json:"cells,omitempty"`
	SkipConnections *int      `json:"skip_connections,omitempty"` // in the normal cell of Genotype
	Parameters      int64     `json:"parameters,omitempty"`       // of the network of Genotype, of the sizes that the search's trainings have; without auxiliary head
	MultiplyAdds    int64     `json:"multiply_adds,omitempty"`    // of that network for one image, or one token
	ExpectedCost    *float64  `json:"expected_cost,omitempty"`    // of a search with alpha.cost: E(α) of darts.CostTerm
	Temperature     *float64  `json:"temperature,omitempty"`      // τ of the Gumbel-softmax
	Stage           int       `json:"stage,omitempty"`            // of a search in stages, from 1
}

// CellMix is the distribution of operations on the edges of a cell.
type CellMix struct {
	Kind       string    `json:"kind"`       // normal, reduce or recurrent
	Operations []string  `json:"operations"` // all of the space, in the order of EdgeMix.P
	Edges      []EdgeMix `json:"edges"`
}

// EdgeMix is the distribution of operations on the edge between two nodes. Nodes are numbered as in
// genotype.Edge: the inputs of the cell come first.
type EdgeMix struct {
	Node int       `json:"node"`
	From int       `json:"from"`
	P    []float64 `json:"p"` // softmax(α), in float64; exactly 0 for an operation that the search has removed

	Entropy float64  `json:"entropy"`        // −Σ p·ln p, in nats
	Beta    *float64 `json:"beta,omitempty"` // share of the edge among those into Node: softmax(β), or the share of draws that use it
}

// Timing is a line of the timings file, beside the line of the metrics file for the same steps.
type Timing struct {
	Epoch           int     `json:"epoch"`
	Step            int     `json:"step,omitempty"`              // as in Metric
	Time            float64 `json:"time"`                        // Unix seconds when the line was written
	Seconds         float64 `json:"seconds"`                     // of work on the run so far, over all its processes
	ItemsPerSecond  float64 `json:"items_per_second,omitempty"`  // training images or tokens, since the line before
	PeakRSSBytes    int64   `json:"peak_rss_bytes,omitempty"`    // of the process
	PeakDeviceBytes int64   `json:"peak_device_bytes,omitempty"` // that libtorch has taken of the GPU, see torch.PeakReserved
}
