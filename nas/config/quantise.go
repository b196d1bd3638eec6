package config

// Values of Quantise.Range.
const (
	FullRange    = "full"
	ReducedRange = "reduced"
)

// Quantise makes of a training one of a network in integers of 8 bits: it begins with the trained network From,
// whose tensors it calibrates, and trains it, rounded, for the epochs; with 0 epochs it only calibrates.
type Quantise struct {
	From   string `key:"from" nonempty:"true" doc:"run or export whose trained network is computed in integers of 8 bits: calibrated, and trained in them for the epochs"`
	Method string `key:"method" oneof:"min-max percentile mse" doc:"how the range of a tensor is chosen: min-max, percentile (without 0.005 % on each side), or mse (the least squared error)"`
	Images int    `key:"images" range:"[1,)" doc:"training images to calibrate on; more than there are means all"`
	Range  string `key:"range" oneof:"full reduced" doc:"integers of weights: full, -127 to 127, or reduced, -64 to 64, exact on processors without VNNI"`
}

func quantiseDefaults() *Quantise {
	return &Quantise{Method: "mse", Images: 512, Range: FullRange}
}
